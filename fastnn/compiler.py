"""Lowering: layers, loss and optimizer become a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .parameters import ALIGNMENT, round_up
from .plan import STAGES, Op, Plan, Ref, Region, Result

if TYPE_CHECKING:
    from .architecture import Architecture

#: Emits the backward ops of a layer: takes the ref of the output's gradient and whether the input's
#: is wanted, and returns the latter's ref (or None).
Pullback = Callable[[Ref, bool], "Ref | None"]


@dataclass
class PlanBuilder:
    """Collects ops and places buffers while layers lower themselves.

    `training` asks for dropout, for what the backward pass needs, and for gradients. Buffers of a
    training plan stay as they are until the step ends; without training, two areas of the widest
    layer's size take turns.
    """

    dtype: np.dtype
    rows: int
    training: bool
    widest: int
    layer: str = ""
    input_scale: float = 1.0
    stages: dict[str, list[Op]] = field(default_factory=lambda: {name: [] for name in STAGES})
    workspace: int = 0
    _areas: dict[str, list[int]] = field(default_factory=dict)

    def emit(
        self,
        stage: str,
        kernel: str | Callable[..., Any],
        *arguments: Any,
        result: Result | None = None,
    ) -> None:
        """Append an op to one of the stages, in the name of the layer being lowered."""
        self.stages[stage].append(Op(kernel, arguments, self.layer, result))

    def buffer(self, shape: tuple[int, ...], *, dtype: Any = None, bits: bool = False) -> Ref:
        """A buffer of its own, one row per row of the batch."""
        ref = Ref(Region.WORKSPACE, self.workspace, shape, np.dtype(dtype or self.dtype), bits=bits)
        self.workspace += round_up(ref.count(self.rows) * ref.dtype.itemsize, ALIGNMENT)
        return ref

    def activation(self, shape: tuple[int, ...]) -> Ref:
        """Room for a layer's output."""
        return self.buffer(shape) if self.training else self._alternate("activations", shape)

    def gradient(self, shape: tuple[int, ...]) -> Ref:
        """Room for the gradient of a layer's input, valid until the next but one is asked for."""
        return self._alternate("gradients", shape)

    def _alternate(self, purpose: str, shape: tuple[int, ...]) -> Ref:
        """One of two areas that take turns: enough, since an op reads one and writes the other."""
        if purpose not in self._areas:
            self._areas[purpose] = [self.buffer((self.widest,)).offset for _ in range(2)]
        areas = self._areas[purpose]
        areas.reverse()
        return Ref(Region.WORKSPACE, areas[0], shape, self.dtype)


def gradient_of(parameter: Ref) -> Ref:
    """Where the gradient of a parameter lies: at the same offset of another region."""
    return Ref(Region.GRADIENTS, parameter.offset, parameter.shape, parameter.dtype, per_row=False)


def compile_plan(net: Architecture, rows: int, *, training: bool, labels: bool) -> Plan:
    """Lower a network for batches of up to `rows` rows.

    Parameters
    ----------
    training : bool
        Whether to plan gradients and the update, and to apply dropout.
    labels : bool
        Whether targets are int64 class numbers, one a row, instead of a value per output.
    """
    widest = max(int(np.prod(shape)) for shape in net.shapes)
    builder = PlanBuilder(net.dtype, rows, training, widest)
    output, pullbacks = _lower_layers(net, builder)

    builder.layer = "loss"
    prediction = net.loss.lower_prediction(builder, output)
    target = (
        Ref(Region.TARGET, 0, (), np.dtype(np.int64))
        if labels
        else Ref(Region.TARGET, 0, output.shape, net.dtype)
    )
    weight = Ref(Region.WEIGHT, 0, (), net.dtype)
    gradient = builder.gradient(output.shape) if training else None
    net.loss.lower(builder, gradient, output, target, weight)

    if gradient is not None:
        _lower_backward(net, builder, pullbacks, gradient)
    _lower_penalties(net, builder)
    if training:
        _lower_update(net, builder)
    stages = MappingProxyType({name: tuple(ops) for name, ops in builder.stages.items()})
    return Plan(net.dtype, rows, builder.workspace, output, prediction, builder.input_scale, stages)


def _lower_layers(net: Architecture, builder: PlanBuilder) -> tuple[Ref, list[Pullback]]:
    x = Ref(Region.INPUT, 0, net.shapes[0], net.dtype)
    pullbacks = []
    for index, (layer, name) in enumerate(zip(net.layers, net.names, strict=True)):
        builder.layer = name
        x, pullback = layer.lower(builder, x, net.parameter_refs(index), index)
        pullbacks.append(pullback)
    return x, pullbacks


def _lower_backward(
    net: Architecture, builder: PlanBuilder, pullbacks: Sequence[Pullback], gradient: Ref
) -> None:
    """Walk back to the first layer that has parameters; nobody asks for gradients before it."""
    first = min((segment.layer for segment in net.segments), default=len(net.layers))
    dy: Ref | None = gradient
    for index in range(len(net.layers) - 1, first - 1, -1):
        assert dy is not None
        builder.layer = net.names[index]
        dy = pullbacks[index](dy, index > first)


def _lower_penalties(net: Architecture, builder: PlanBuilder) -> None:
    for segment in net.segments:
        l1, l2 = segment.parameter.l1, segment.parameter.l2
        if l1 or l2:
            builder.layer = net.names[segment.layer]
            p = net.ref(Region.PARAMETERS, segment.offset, segment.shape)
            dp = gradient_of(p) if builder.training else None
            builder.emit("penalty", "penalty", dp, p, l1, l2, result=Result.LOSS)


def _lower_update(net: Architecture, builder: PlanBuilder) -> None:
    """One step over the whole arena, or over each run of segments that decay alike."""
    builder.layer = "optimizer"
    whole = net.ref(Region.GRADIENTS, 0, (net.size,))
    builder.emit("check", "count_nonfinite", whole, result=Result.NONFINITE)
    decay = net.optimizer.weight_decay
    for start, stop, decays in _decay_runs(net):
        shape = (stop - start,)
        slots = [
            net.ref(Region.SLOTS, slot * net.size + start, shape)
            for slot in range(len(net.optimizer.slots))
        ]
        p = net.ref(Region.PARAMETERS, start, shape)
        kernel, arguments = net.optimizer.step(p, gradient_of(p), slots, decay if decays else 0.0)
        builder.emit("update", kernel, *arguments)


def _decay_runs(net: Architecture) -> list[tuple[int, int, bool]]:
    """(start, stop, whether weight decay applies) of runs that cover the arena."""
    if not net.optimizer.weight_decay:
        return [(0, net.size, False)]
    runs = []
    for decays, group in groupby(net.segments, key=lambda segment: segment.parameter.decays):
        runs.append((next(group).offset, decays))
    starts = [start for start, _ in runs] + [net.size]
    return [(start, stop, d) for (start, d), stop in zip(runs, starts[1:], strict=True)]
