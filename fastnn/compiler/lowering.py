"""Lowering: layers, loss and optimizer become a plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ..ir.builder import PlanBuilder, Pullback
from ..ir.program import Plan, Ref, Region
from ..layers import user_layers
from ..optimizers import GradientOptimizer
from .folding import fold
from .fusion import join_dropout
from .optimizer_step import lower_check, lower_penalties, lower_update, takes_penalties

if TYPE_CHECKING:
    from .architecture import Architecture


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
        x, pullback = user_layers.check_lowered(name, lowered, x, net.shapes[index + 1])
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
        dy = user_layers.check_gradient(net.names[index], dx, net.shapes[index]) if wanted else None
    user_layers.check_gradients_written(net.layers, net.segments, builder)
