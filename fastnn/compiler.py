"""Lowering: layers, loss and optimizer become a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks, own_layers
from .folding import fold
from .fusion import join_dropout
from .kernels import KERNELS
from .optimizers import GradientOptimizer
from .parameters import ALIGNMENT, round_up
from .plan import STAGES, Op, Plan, Ref, Region, Result
from .sparse import SparseGradient
from .updates import lower_check, lower_penalties, lower_update, takes_penalties

if TYPE_CHECKING:
    from .architecture import Architecture

#: Emits the backward ops of a layer: takes the ref of the output's gradient and whether the input's
#: is wanted, and returns the latter's ref (or None).
Pullback = Callable[[Ref, bool], "Ref | None"]


@dataclass
class PlanBuilder:
    """Collects ops and places buffers while layers lower themselves.

    `training` asks for what the backward pass needs and for gradients; `noise` for dropout and
    noise, which training has, and inference if asked for. Buffers of a training plan stay as they
    are until the step ends; without training, two areas of the widest layer's size take turns.
    `batch_statistics` asks normalisations for those of the batch at hand, and ops of the update
    stage that move their averages. `sparse_steps` allows sparse parameters gradients elsewhere than
    in their region.
    """

    dtype: np.dtype
    rows: int
    training: bool
    noise: bool
    batch_statistics: bool
    sparse_steps: bool
    widest: int
    layer: str = ""
    input_scale: float = 1.0
    stages: dict[str, list[Op]] = field(default_factory=lambda: {name: [] for name in STAGES})
    workspace: int = 0
    sparse: list[SparseGradient] = field(default_factory=list)
    constants: list[tuple[Ref, tuple[float, ...]]] = field(default_factory=list)
    kinked: list[tuple[Ref, tuple[float, ...]]] = field(default_factory=list)
    _areas: dict[str, list[int]] = field(default_factory=dict)
    _busy: set[int] = field(default_factory=set)  # offsets of areas

    def emit(
        self,
        stage: str,
        kernel: str | Callable[..., Any],
        *arguments: Any,
        result: Result | None = None,
        factor: float = 1.0,
    ) -> None:
        """Append an op to one of the stages, in the name of the layer being lowered.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            There is no such stage or kernel, or a Python function does not take the arguments.
        """
        checks.member("stage", stage, self.stages)
        if isinstance(kernel, str):
            checks.member("kernel", kernel, KERNELS)
        else:
            own_layers.check_op(self.layer, kernel, arguments)
        self.stages[stage].append(Op(kernel, arguments, self.layer, result, factor))

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

    def constant(self, values: tuple[float, ...]) -> Ref:
        """A vector of numbers that are known now."""
        ref = self.fixed((len(values),))
        self.constants.append((ref, values))
        return ref

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

    def pullback_in_place(self, kernel: str, arguments: Callable[[Ref], Sequence[Any]]) -> Pullback:
        """That of an elementwise layer: one op, of the arguments for a given dy, makes dx of it."""

        def pullback(dy: Ref, wanted: bool) -> Ref | None:
            if wanted:
                self.emit("backward", kernel, *arguments(dy))
            return dy if wanted else None

        return pullback

    def gradient(self, shape: tuple[int, ...]) -> Ref:
        """Room for the gradient of a layer's input, valid until the layer before has read it.

        Within one pullback all of them are different, and none is that of dy.
        """
        return self._alternate("gradients", shape)

    def kinks(self, ref: Ref, values: Sequence[float]) -> None:
        """Say that slopes jump where an element of `ref` passes one of these values, ascending.

        A difference across a kink says nothing of the gradient, so `gradient_check` leaves it out.
        """
        self.kinked.append((ref, tuple(map(float, values))))

    def begin(self, layer: str, ref: Ref) -> None:
        """From here on ops are those of `layer`, which reads `ref`."""
        self.layer = layer
        self._busy = {ref.offset} if ref.region is Region.WORKSPACE else set()

    def _alternate(self, purpose: str, shape: tuple[int, ...]) -> Ref:
        """One of some areas that take turns: two, unless a layer asks for several at once.

        What the layer at hand reads, and has been given, is left alone.
        """
        if math.prod(shape) > self.widest:
            return self.buffer(shape)
        if purpose not in self._areas:
            self._areas[purpose] = [self.buffer((self.widest,)).offset for _ in range(2)]
        areas = self._areas[purpose]
        free = next((offset for offset in reversed(areas) if offset not in self._busy), None)
        if free is None:
            free = self.buffer((self.widest,)).offset
        else:
            areas.remove(free)
        areas.insert(0, free)
        self._busy.add(free)
        return Ref(Region.WORKSPACE, free, shape, self.dtype)


def compile_plan(
    net: Architecture,
    rows: int,
    *,
    training: bool,
    labels: bool,
    fused: bool = False,
    folded: bool = False,
    noise: bool = False,
    batch_statistics: bool = False,
    link: bool = True,
) -> Plan:
    """Lower a network for batches of up to `rows` rows.

    Parameters
    ----------
    training : bool
        Whether to plan gradients and the update, and to apply dropout and noise.
    labels : bool
        Whether targets are int64 class numbers, one a row, instead of a value per output.
    fused : bool
        Whether one op may do the work of several: the same step in fewer passes over memory, whose
        arena holds gradients without those of the penalties and of sparse parameters.
    folded : bool
        Whether normalisations may go into weights, in a plan for inference.
    noise : bool
        Whether a plan for inference too applies dropout and noise.
    batch_statistics : bool
        Whether a plan for inference too normalises by the statistics of batches; its update stage
        moves their averages.
    link : bool
        Whether predictions are what the loss's link makes of the outputs of the last layer, instead
        of these.
    """
    widest = max(math.prod(shape) for shape in net.shapes[1:])  # the input is the caller's
    sparse_steps = fused and isinstance(net.optimizer, GradientOptimizer)
    builder = PlanBuilder(
        net.dtype,
        rows,
        training,
        training or noise,
        training or batch_statistics,
        sparse_steps,
        widest,
    )
    output, pullbacks = _lower_layers(net, builder)

    builder.layer = "loss"
    prediction = net.loss.lower_prediction(builder, output) if link else output
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
    late = fused and takes_penalties(net.optimizer)
    if training:
        lower_penalties(net, builder, gradients=not late)
        lower_check(net, builder)
        lower_update(net, builder, penalties=late)
    if folded and not training:
        builder.stages["forward"] = list(fold(builder, builder.stages["forward"]))
    stages = {name: tuple(ops) for name, ops in builder.stages.items()}
    if fused:
        stages = join_dropout(stages)
    scale, frozen = builder.input_scale, MappingProxyType(stages)
    constants = tuple(builder.constants)
    return Plan(
        net.dtype,
        rows,
        builder.workspace,
        output,
        prediction,
        scale,
        frozen,
        constants,
        tuple(builder.kinked),
    )


def _lower_layers(net: Architecture, builder: PlanBuilder) -> tuple[Ref, list[Pullback]]:
    x = Ref(Region.INPUT, 0, net.shapes[0], net.dtype)
    pullbacks = []
    for index, (layer, name) in enumerate(zip(net.layers, net.names, strict=True)):
        builder.begin(name, x)
        lowered = layer.lower(builder, x, net.refs(index), index)
        x, pullback = own_layers.check_lowered(name, lowered, x, net.shapes[index + 1])
        pullbacks.append(pullback)
    return x, pullbacks


def _lower_backward(
    net: Architecture, builder: PlanBuilder, pullbacks: Sequence[Pullback], gradient: Ref
) -> None:
    """Walk back to the first layer that learns; nobody asks for gradients before it."""
    learning = (segment.layer for segment in net.segments if segment.treatment.trainable)
    first = min(learning, default=len(net.layers))
    dy: Ref | None = gradient
    for index in range(len(net.layers) - 1, first - 1, -1):
        assert dy is not None
        builder.begin(net.names[index], dy)
        wanted = index > first
        dx = pullbacks[index](dy, wanted)
        dy = own_layers.check_gradient(net.names[index], dx, net.shapes[index]) if wanted else None
    own_layers.check_gradients_written(net, builder)
