"""Lowering of what is done to parameters: penalties, checks of gradients, and the update."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..ir.per_step import LearningRate, NextStep
from ..ir.program import ClippedTo, PerWeight, Ref, Region, Result, gradient_of
from ..optimizers import GradientOptimizer, Optimizer
from .sparse_step import lower_step

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder
    from ..ir.parameter import ParameterOptions, Segment
    from .architecture import Architecture


def takes_penalties(optimizer: Optimizer) -> bool:
    """Return whether the optimizer's pass can add the gradients of penalties.

    It cannot where it has no pass, or where a norm must be known before it.
    """
    return isinstance(optimizer, GradientOptimizer) and not optimizer.clips_norms


def lower_penalties(net: Architecture, builder: PlanBuilder, *, gradients: bool) -> None:
    """Emit the L1 and L2 terms of trainable weights; those of frozen ones are constant."""
    for segment in net.segments:
        l1, l2 = segment.options.l1, segment.options.l2
        if segment.options.trainable and (l1 or l2):
            builder.layer = net.names[segment.layer]
            p = net.ref(Region.PARAMETERS, segment.offset, segment.shape)
            dp = gradient_of(p) if gradients else None
            strengths = _strength(net, l1), _strength(net, l2)
            builder.emit("penalty", "penalty", dp, p, *strengths, result=Result.LOSS)


def _strength(net: Architecture, value: float) -> float | PerWeight:
    """Return the strength of a penalty as kernels take it."""
    return PerWeight(value) if value and net.penalty_scale == "sum" else value


def lower_check(net: Architecture, builder: PlanBuilder) -> None:
    """Count what is not finite among the gradients."""
    builder.layer = "optimizer"
    for dp in _all_gradients(net, builder):
        builder.emit("check", "count_nonfinite", dp, result=Result.NONFINITE)


def lower_update(net: Architecture, builder: PlanBuilder, *, penalties: bool) -> None:
    """Emit the step, with `penalties` if their gradients are missing; limits; averages."""
    builder.layer = "optimizer"
    if isinstance(net.optimizer, GradientOptimizer):
        _lower_steps(net, net.optimizer, builder, penalties=penalties)
    _lower_limits(net, builder)
    if net.weight_average is not None:
        builder.layer = "average"
        average = net.ref(Region.SLOTS, (len(net.slots) - 1) * net.size, (net.size,))
        parameters = net.ref(Region.PARAMETERS, 0, (net.size,))
        net.weight_average.lower(builder, average, parameters)


def _lower_steps(
    net: Architecture, optimizer: GradientOptimizer, builder: PlanBuilder, *, penalties: bool
) -> None:
    """Emit one step over the whole arena, or over each run of segments of equal options."""

    def options_key(segment: Segment) -> tuple[Any, ...] | None:
        """Return what a step depends on; arrays whose gradients have norms of their own differ."""
        t = segment.options
        if not _lies_in_region(segment, builder):
            return None
        l1, l2 = (t.l1, t.l2) if penalties else (0.0, 0.0)
        place = None if optimizer.clipnorm is None else segment.offset
        return t.learning_rate_multiplier, t.skipped, t.weight_decay, l1, l2, place

    if optimizer.global_clipnorm is not None:
        for dp in _all_gradients(net, builder):
            builder.emit("update", "sum_of_squares", dp, result=Result.SQUARED_NORM)
    for start, stop, (multiplier, skipped, weight_decay, l1, l2, _) in _runs(net, options_key):
        shape = (stop - start,)
        slots = [
            net.ref(Region.SLOTS, slot * net.size + start, shape)
            for slot in range(len(optimizer.slots))
        ]
        p = net.ref(Region.PARAMETERS, start, shape)
        dp = gradient_of(p)
        if optimizer.clipnorm is not None:
            builder.emit("update", "sum_of_squares", dp, result=Result.ARRAY_SQUARED_NORM)
        rates = LearningRate(multiplier), NextStep(skipped), weight_decay
        kernel, arguments = optimizer.step(p, dp, slots, *rates)
        strengths = _strength(net, l1), _strength(net, l2)
        builder.emit("update", kernel, *arguments, *strengths, *_limits(optimizer))
    for gradient in builder.sparse:
        if optimizer.clipnorm is not None:
            values = gradient.values
            builder.emit("update", "sum_of_squares", values, result=Result.ARRAY_SQUARED_NORM)
        t = _options_of(net, gradient.table)
        rates = LearningRate(t.learning_rate_multiplier), NextStep(t.skipped), t.weight_decay
        completion = 0.0, 0.0, *_limits(optimizer)
        lower_step(net, optimizer, builder, gradient, rates, completion)


def _options_of(net: Architecture, table: Ref) -> ParameterOptions:
    """Return the options of a parameter."""
    offset = table.offset // net.dtype.itemsize
    return next(s.options for s in net.segments if s.offset == offset)


def _limits(optimizer: GradientOptimizer) -> tuple[Any, float]:
    """Return the scale of the gradient, and the limit of its elements, as steps take them."""
    clip = math.inf if optimizer.clipvalue is None else optimizer.clipvalue
    if optimizer.global_clipnorm is not None:
        return ClippedTo(optimizer.global_clipnorm, Result.SQUARED_NORM), clip
    if optimizer.clipnorm is not None:
        return ClippedTo(optimizer.clipnorm, Result.ARRAY_SQUARED_NORM), clip
    return 1.0, clip


def _lower_limits(net: Architecture, builder: PlanBuilder) -> None:
    """Emit what scales units down whose weights have become longer than `max_norm`."""
    for segment in net.segments:
        limit = segment.options.max_norm
        if segment.options.trainable and limit and len(segment.shape) > 1:
            builder.layer = net.names[segment.layer]
            units = segment.shape[-1]
            p = net.ref(Region.PARAMETERS, segment.offset, (segment.size // units, units))
            builder.emit("update", "max_norm", p, limit)


def _all_gradients(net: Architecture, builder: PlanBuilder) -> list[Ref]:
    """Return the gradients of all trainable arrays, in as few pieces as possible."""
    runs = _runs(net, lambda segment: _lies_in_region(segment, builder) or None)
    pieces = [net.ref(Region.GRADIENTS, start, (stop - start,)) for start, stop, _ in runs]
    return pieces + [gradient.values for gradient in builder.sparse]


def _lies_in_region(segment: Segment, builder: PlanBuilder) -> bool:
    """Return whether there is a gradient, and it lies where the parameter does."""
    elsewhere = segment.parameter.sparse and builder.sparse_steps
    return segment.options.trainable and not elsewhere


def _runs(net: Architecture, key: Callable[[Segment], Hashable]) -> Iterator[tuple[int, int, Any]]:
    """Yield (start, stop, key) of runs of segments with one key, not None, padding included."""
    segments = sorted(net.segments, key=lambda segment: segment.offset)
    runs = [(next(group).offset, value) for value, group in groupby(segments, key=key)]
    bounds = [*(start for start, _ in runs), net.size]
    for (start, value), stop in zip(runs, bounds[1:], strict=True):
        if value is not None:
            yield start, stop, value
