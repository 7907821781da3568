"""Lowering: layers, loss and optimizer become a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ..ir.builder import Observer, PlanBuilder, PlanMode, Pullback
from ..ir.program import Op, Plan, Ref, Region
from ..layers import user_layers
from ..optimizers import GradientOptimizer
from .folding import fold
from .fusion import fuse_dense_dropout
from .optimizer_step import lower_check, lower_penalties, lower_update, takes_penalties
from .pooling import pool_before_rectifier

if TYPE_CHECKING:
    from .architecture import Architecture


def compile_plan(
    net: Architecture,
    n_rows: int,
    mode: PlanMode,
    observers: Mapping[str, Observer] | None = None,
) -> Plan:
    """Lower a network for batches of up to `n_rows` rows.

    Observers see the layers of these names; the plan must neither be fused nor folded then, and
    runs in the Python executor.
    """
    widest = max(math.prod(shape) for shape in net.shapes[1:])  # the input is the caller's
    sparse_steps = mode.fused and isinstance(net.optimizer, GradientOptimizer)
    builder = PlanBuilder(net.dtype, n_rows, mode, sparse_steps, widest, observers or {})
    output, pullbacks = _lower_layers(net, builder)

    builder.layer = "loss"
    prediction = net.loss.lower_prediction(builder, output) if mode.link else output
    target = (
        Ref(Region.TARGET, 0, (), np.dtype(np.int64))
        if mode.labels
        else Ref(Region.TARGET, 0, output.shape, net.dtype)
    )
    weight = Ref(Region.WEIGHT, 0, (), net.dtype)
    gradient = builder.gradient(output.shape) if mode.training else None
    net.loss.lower(builder, gradient, output, target, weight)

    if gradient is not None:
        _lower_backward(net, builder, pullbacks, gradient)
    late = mode.fused and takes_penalties(net.optimizer)
    if mode.training:
        lower_penalties(net, builder, gradients=not late)
        lower_check(net, builder)
        lower_update(net, builder, penalties=late)
    if mode.folded and not mode.training:
        builder.stages["forward"] = list(fold(builder, builder.stages["forward"]))
    stages = {name: tuple(ops) for name, ops in builder.stages.items()}
    if mode.fused:
        stages = fused(stages)
    return Plan(
        net.dtype,
        n_rows,
        builder.workspace,
        output,
        prediction,
        builder.input_scale,
        MappingProxyType(stages),
        tuple(builder.constants),
        tuple(builder.kinked),
    )


def fused(stages: Mapping[str, tuple[Op, ...]]) -> dict[str, tuple[Op, ...]]:
    """Return the stages with ops joined and moved: the same numbers in fewer passes over memory."""
    return pool_before_rectifier(fuse_dense_dropout(stages))


def _lower_layers(net: Architecture, builder: PlanBuilder) -> tuple[Ref, list[Pullback]]:
    x = Ref(Region.INPUT, 0, net.shapes[0], net.dtype)
    pullbacks = []
    for index, (layer, name) in enumerate(zip(net.layers, net.names, strict=True)):
        x = x.reshaped(net.views[index])
        builder.begin(name, x)
        lowered = layer.lower(builder, x, net.refs(index), index)
        x, pullback = user_layers.check_lowered(name, lowered, x, net.shapes[index + 1])
        pullbacks.append(builder.observed(x, pullback))
    return x, pullbacks


def _lower_backward(
    net: Architecture, builder: PlanBuilder, pullbacks: Sequence[Pullback], gradient: Ref
) -> None:
    """Lower the backward pass, down to the first trainable layer."""
    trainable = (segment.layer for segment in net.segments if segment.options.trainable)
    first = min(trainable, default=len(net.layers))
    dy = gradient
    for index in range(len(net.layers) - 1, first - 1, -1):
        builder.begin(net.names[index], dy)
        need_dx = index > first
        dx = pullbacks[index](dy, need_dx)
        if need_dx:
            dy = user_layers.check_gradient(net.names[index], dx, net.shapes[index])
    user_layers.check_gradients_written(net.layers, net.segments, builder)
