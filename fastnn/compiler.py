"""Lowering: layers, loss and optimizer become a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .folding import fold
from .fusion import join_dropout
from .parameters import ALIGNMENT, round_up
from .plan import STAGES, ClippedTo, Op, Plan, Ref, Region, Result
from .sparse import SparseGradient, lower_update

if TYPE_CHECKING:
    from .architecture import Architecture
    from .parameters import Segment

#: Emits the backward ops of a layer: takes the ref of the output's gradient and whether the input's
#: is wanted, and returns the latter's ref (or None).
Pullback = Callable[[Ref, bool], "Ref | None"]


@dataclass
class PlanBuilder:
    """Collects ops and places buffers while layers lower themselves.

    `training` asks for dropout, for what the backward pass needs, and for gradients. Buffers of a
    training plan stay as they are until the step ends; without training, two areas of the widest
    layer's size take turns. `fused` allows for gradients elsewhere than in their region.
    """

    dtype: np.dtype
    rows: int
    training: bool
    fused: bool
    widest: int
    layer: str = ""
    input_scale: float = 1.0
    stages: dict[str, list[Op]] = field(default_factory=lambda: {name: [] for name in STAGES})
    workspace: int = 0
    sparse: list[SparseGradient] = field(default_factory=list)
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

    def buffer(
        self, shape: tuple[int, ...], *, dtype: Any = None, bits: bool = False, lookups: int = 1
    ) -> Ref:
        """A buffer of its own, one row (or that of each of some lookups) per row of the batch."""
        return self._place(shape, dtype, bits=bits, per_row=lookups)

    def sparse_gradient(self, table: Ref, lookups: int) -> SparseGradient:
        """Room for the gradient of a table of which every row of the batch looks up some rows."""
        values = self.buffer(table.shape[1:], lookups=lookups)
        rows, order = (self.buffer((), dtype=np.int64, lookups=lookups) for _ in range(2))
        self.sparse.append(SparseGradient(table, values, rows, order))
        return self.sparse[-1]

    def fixed(self, shape: tuple[int, ...]) -> Ref:
        """A buffer of its own that does not grow with the batch."""
        return self._place(shape, per_row=0)

    def _place(self, shape: tuple[int, ...], dtype: Any = None, **options: Any) -> Ref:
        dtype = np.dtype(dtype or self.dtype)
        ref = Ref(Region.WORKSPACE, self.workspace, shape, dtype, **options)
        self.workspace += round_up(ref.count(self.rows) * dtype.itemsize, ALIGNMENT)
        return ref

    def activation(self, shape: tuple[int, ...]) -> Ref:
        """Room for a layer's output."""
        return self.buffer(shape) if self.training else self._alternate("activations", shape)

    def elementwise(self, x: Ref) -> Ref:
        """Room for the output of an elementwise op: that of x, if inference may overwrite it."""
        return self.activation(x.shape) if self.training or x.region is Region.INPUT else x

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
    return replace(parameter, region=Region.GRADIENTS)


def compile_plan(
    net: Architecture,
    rows: int,
    *,
    training: bool,
    labels: bool,
    fused: bool = False,
    folded: bool = False,
) -> Plan:
    """Lower a network for batches of up to `rows` rows.

    Parameters
    ----------
    training : bool
        Whether to plan gradients and the update, and to apply dropout.
    labels : bool
        Whether targets are int64 class numbers, one a row, instead of a value per output.
    fused : bool
        Whether one op may do the work of several: the same step in fewer passes over memory, whose
        arena holds gradients without those of the penalties and of sparse parameters.
    folded : bool
        Whether normalisations may go into weights, in a plan for inference.
    """
    widest = max(math.prod(shape) for shape in net.shapes[1:])  # the input is the caller's
    builder = PlanBuilder(net.dtype, rows, training, fused, widest)
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
    # A penalty's gradient is added in the optimizer's pass, unless a norm must be known before it.
    late = fused and net.optimizer.global_clipnorm is None
    _lower_penalties(net, builder, gradients=training and not late)
    if training:
        _lower_check(net, builder)
        _lower_update(net, builder, penalties=late)
    if folded and not training:
        builder.stages["forward"] = list(fold(builder, builder.stages["forward"]))
    stages = {name: tuple(ops) for name, ops in builder.stages.items()}
    if fused:
        joined = join_dropout(stages["forward"], stages["backward"])
        stages["forward"], stages["backward"] = joined
    scale, frozen = builder.input_scale, MappingProxyType(stages)
    return Plan(net.dtype, rows, builder.workspace, output, prediction, scale, frozen)


def _lower_layers(net: Architecture, builder: PlanBuilder) -> tuple[Ref, list[Pullback]]:
    x = Ref(Region.INPUT, 0, net.shapes[0], net.dtype)
    pullbacks = []
    for index, (layer, name) in enumerate(zip(net.layers, net.names, strict=True)):
        builder.layer = name
        x, pullback = layer.lower(builder, x, net.refs(index), index)
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


def _lower_penalties(net: Architecture, builder: PlanBuilder, *, gradients: bool) -> None:
    for segment in net.segments:
        l1, l2 = segment.parameter.l1, segment.parameter.l2
        if l1 or l2:
            builder.layer = net.names[segment.layer]
            p = net.ref(Region.PARAMETERS, segment.offset, segment.shape)
            dp = gradient_of(p) if gradients else None
            builder.emit("penalty", "penalty", dp, p, l1, l2, result=Result.LOSS)


def _lower_check(net: Architecture, builder: PlanBuilder) -> None:
    builder.layer = "optimizer"
    dense = net.ref(Region.GRADIENTS, 0, (_dense_end(net, builder),))
    for gradient in (dense, *(sparse.values for sparse in builder.sparse)):
        builder.emit("check", "count_nonfinite", gradient, result=Result.NONFINITE)
        if net.optimizer.global_clipnorm is not None:
            builder.emit("check", "sum_of_squares", gradient, result=Result.SQUARED_NORM)


def _dense_end(net: Architecture, builder: PlanBuilder) -> int:
    """Where in the arena the parameters end whose gradients lie in its region."""
    if not builder.fused:
        return net.size
    return min((s.offset for s in net.segments if s.parameter.sparse), default=net.size)


@dataclass(frozen=True)
class Treatment:
    """What the optimizer does to some segments beside its step proper."""

    weight_decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0


def _lower_update(net: Architecture, builder: PlanBuilder, *, penalties: bool) -> None:
    """One step over the whole arena, or over each run of segments that are treated alike."""
    builder.layer = "optimizer"
    limit = net.optimizer.global_clipnorm
    scale = 1.0 if limit is None else ClippedTo(limit)
    for start, stop, treatment in _runs(net, _dense_end(net, builder), penalties):
        shape = (stop - start,)
        slots = [
            net.ref(Region.SLOTS, slot * net.size + start, shape)
            for slot in range(len(net.optimizer.slots))
        ]
        p = net.ref(Region.PARAMETERS, start, shape)
        step = net.optimizer.step(p, gradient_of(p), slots, treatment.weight_decay)
        kernel, arguments = step
        builder.emit("update", kernel, *arguments, treatment.l1, treatment.l2, scale)
    for gradient in builder.sparse:
        lower_update(net, builder, gradient, net.optimizer.weight_decay, scale)


def _runs(net: Architecture, end: int, penalties: bool) -> list[tuple[int, int, Treatment]]:
    """(start, stop, treatment) of runs that cover the arena up to `end`."""

    def treatment(segment: Segment) -> Treatment:
        wanted = segment.parameter
        decay = net.optimizer.weight_decay if wanted.decays else 0.0
        return Treatment(decay, wanted.l1, wanted.l2) if penalties else Treatment(decay)

    segments = sorted((s for s in net.segments if s.offset < end), key=lambda s: s.offset)
    runs = [(next(group).offset, alike) for alike, group in groupby(segments, key=treatment)]
    starts = [start for start, _ in runs] + [end]
    return [(start, stop, alike) for (start, alike), stop in zip(runs, starts[1:], strict=True)]
