"""Outputs of chosen layers for one row, as `Network.predict` computes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compiler.lowering import compile_plan
from ..data import arrays
from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..execution.batches import BatchPass
from ..execution.executor import NO_ROWS
from ..execution.python_executor import PythonExecutor
from ..ir.builder import PlanMode

if TYPE_CHECKING:
    from ..compiler.architecture import Architecture
    from .base import Model


class _Recorder:
    """Keep a copy of a layer's output."""

    output: np.ndarray

    def record_output(self, y: np.ndarray) -> None:
        """Copy y, shape (1, …)."""
        self.output = y[0].copy()

    def record_gradient(self, dy: np.ndarray) -> None:
        """Do nothing: inference has no gradients."""


def single_row(net: Architecture, x: Any) -> np.ndarray:
    """Return one row, given alone or as an array of one, as an array (1, …) of the dtype.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        x cannot be used.
    """
    shape = net.shapes[0]
    row = arrays.numbers("x", x)
    if row.shape not in (shape, (1, *shape)):
        raise ArgumentError(f"x must be one row, of shape {shape}, got shape {row.shape}")
    arrays.require_in_range("x", row, net.dtype)
    rows = arrays.converted("x", row.reshape(1, *shape), net.dtype)
    net.check_inputs(rows)
    return rows


def layer_outputs(model: Model, row: np.ndarray, names: Collection[str]) -> dict[str, np.ndarray]:
    """Return the outputs of the layers of these names for a row (1, …), without its axis."""
    recorders = {name: _Recorder() for name in names}
    plan = compile_plan(model.architecture, 1, PlanMode(), recorders)
    executor = PythonExecutor(plan, model.arena)
    executor.run_stages(("prepare",), NO_ROWS, model.state)
    executor.run_stages(("forward",), BatchPass(DataSet(row), 1).batch(0, plan), model.state)
    return {name: recorder.output for name, recorder in recorders.items()}
