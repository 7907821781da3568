"""The training loss as a function of the parameters, in float64."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ..activations.named import ACTIVATIONS
from ..compiler.architecture import Architecture
from ..compiler.lowering import compile_plan, fused
from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..execution.arena import ParameterArena
from ..execution.batches import BatchPass
from ..execution.python_executor import PythonExecutor
from ..ir.builder import PlanMode
from ..ir.program import Op, Ref, Result
from ..kernels.functions import ElementFunction
from ..model.base import model_of
from ..network import Network


class LossSurface:
    """Evaluate the loss at a float64 copy of the parameters, `arena.parameters`, which may change.

    The step of the random state never advances, so every evaluation has the same dropout masks.

    Parameters
    ----------
    net : Network
    architecture : Architecture
        That of the network, in float64.
    data : DataSet
        All rows are one batch.
    """

    def __init__(self, net: Network, architecture: Architecture, data: DataSet):
        assert data.target is not None
        plan = compile_plan(architecture, len(data), PlanMode(training=True, labels=data.labels))
        # The kernels that training runs; not all of `fused`, which moves gradients elsewhere.
        plan = replace(plan, stages=MappingProxyType(fused(plan.stages)))
        self.arena = _copied(model_of(net).arena, architecture)
        self._executor = PythonExecutor(plan, self.arena)
        self._batch = BatchPass(data, len(data)).batch(0, plan)
        self._state = replace(net.state)
        self._loss = architecture.loss
        self._target = data.target
        self._output = self._array(plan.output)
        forward = plan.stages["forward"]
        found = [*map(_kinks, forward), *plan.kinks]
        self._kinked = [(self._array(ref), kinks) for ref, kinks in found if kinks]
        self._winners = [self._array(op.arguments["index"]) for op in forward if _chooses(op)]
        pairs = [op.arguments for op in forward if op.kernel == "maximum_fwd"]
        self._compared = [(self._array(pair["a"]), self._array(pair["b"])) for pair in pairs]

    def loss(self) -> float:
        """Return the loss at the current parameters, penalties included."""
        return self._run("forward", "loss", "penalty")

    def loss_and_gradients(self) -> tuple[float, np.ndarray]:
        """Return the loss and the backpropagated gradients, in the layout of the arena."""
        loss = self._run("forward", "loss", "backward", "penalty")
        return loss, self.arena.gradients.copy()

    def smooth_regions(self) -> list[np.ndarray]:
        """Return the smooth region of the last loss.

        That is its side of every kink in layers and loss, and which of several values were largest.
        """
        sides: list[np.ndarray] = [np.searchsorted(kinks, one) for one, kinks in self._kinked]
        sides += [winners.copy() for winners in self._winners]
        sides += [a < b for a, b in self._compared]
        loss = self._loss.smooth_region(self._output, self._target)
        return sides if loss is None else [*sides, loss]

    def _array(self, ref: Ref) -> np.ndarray:
        array = self._executor.array(ref, self._batch)
        assert array is not None  # only the weights of a batch may be missing
        return array

    def _run(self, *stages: str) -> float:
        loss = self._executor.run_stages(stages, self._batch, self._state)[Result.LOSS]
        if not math.isfinite(loss):
            layer = self._executor.first_nonfinite_layer(self._batch)
            raise ArgumentError(
                f"the loss of X and y must be finite, but is {loss}, starting in layer {layer!r}"
            )
        return loss


def _copied(source: ParameterArena, architecture: Architecture) -> ParameterArena:
    """Return a copy of the parameters and buffers of `source`, laid out for `architecture`."""
    arena = ParameterArena(architecture)
    for target, segment in zip(arena.segments, source.segments, strict=True):
        arena.view(arena.parameters, target)[...] = source.view(source.parameters, segment)
    for kept, buffer in zip(arena.buffer_segments, source.buffer_segments, strict=True):
        arena.view(arena.buffers, kept)[...] = source.view(source.buffers, buffer)
    return arena


def _chooses(op: Op) -> bool:
    """Return whether a forward op notes which of several values is the largest."""
    return op.arguments.get("index") is not None


def _kinks(op: Op) -> tuple[Ref, tuple[float, ...]]:
    """Return an array of a forward op, and its values at the kinks of the op.

    For a built-in activation with a kink it is the output, which is 0 at the kink as the input is;
    for a function of the user it is the input.
    """
    function = op.arguments.get("function")
    if isinstance(function, ElementFunction):
        return op.arguments["z"], function.kinks
    activation = op.arguments.get("activation")
    return op.refs[0], (0.0,) if activation and ACTIVATIONS[activation].kink else ()
