"""Predictions of single rows, as fast as they come."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import native_executor
from ..data import DataSet
from ..network import Network
from ..passes import Pass
from .columns import Columns
from .target_scaling import TargetScaling


class Predictor:
    """What `MLPClassifier.predictor` and `MLPRegressor.predictor` return.

    Everything that a prediction needs lies ready: a call copies the row in, runs the plan for one
    row, and copies the outcome out. Nothing is checked.

    Parameters
    ----------
    network : Network
    both_classes : bool
        Whether the one output is the probability of the second of two classes.
    columns : Columns, optional
        What makes numbers of a row; None takes it for numbers.
    scaling : TargetScaling, optional
        What brings outputs into the units of the targets.
    """

    def __init__(
        self,
        network: Network,
        *,
        both_classes: bool = False,
        columns: Columns | None = None,
        scaling: TargetScaling | None = None,
    ):
        row = np.zeros((1, *network.input_shape), network.dtype)
        outputs = np.zeros((1, *network.output_shape), network.dtype)
        plan = network.executors.plan(1, training=False, labels=False)
        executor = native_executor.executor(plan, network.arena)
        rows = Pass(DataSet(row), 1, predictions=outputs, scored=False)
        self._run = executor.repeatable(rows, network.state)
        self._row, self._outputs = row[0], outputs[0]
        self._both_classes = both_classes
        self._scaling = scaling
        self._prepare = None if columns is None or columns.plain else columns.row

    def __call__(self, row: Any) -> np.ndarray:
        """Probabilities or values (n,), for the values of one row."""
        self._row[:] = row if self._prepare is None else self._prepare(row)
        self._run()
        if self._both_classes:
            probability = self._outputs[0]
            return np.array([1 - probability, probability])
        if self._scaling is not None:
            return self._scaling.from_units(self._outputs)
        return self._outputs.copy()
