"""Merges of the outputs of branches into one array, and of its gradient back, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..ir.program import Ref
from .affine import as_rows

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder

#: Emits what makes the gradients of branches from that of their merged output, each in memory of
#: its own.
Split = Callable[[Ref], list[Ref]]


def concatenate(builder: PlanBuilder, outputs: Sequence[Ref]) -> tuple[Ref, Split]:
    """Put the last axes side by side."""
    widths = [output.shape[-1] for output in outputs]
    shape = (*outputs[0].shape[:-1], sum(widths))
    places = [sum(widths[:i]) for i in range(len(widths))]
    y = builder.activation(shape)
    for output, at in zip(outputs, places, strict=True):
        builder.emit("forward", "put_columns", as_rows(y), as_rows(output), at)

    def split(dy: Ref) -> list[Ref]:
        gradients = [builder.gradient(output.shape) for output in outputs]
        for gradient, at in zip(gradients, places, strict=True):
            builder.emit("backward", "take_columns", as_rows(gradient), as_rows(dy), at)
        return gradients

    return y, split


def total(builder: PlanBuilder, outputs: Sequence[Ref]) -> tuple[Ref, Split]:
    """Add all up."""
    return _scaled_total(builder, outputs, 1.0)


def mean(builder: PlanBuilder, outputs: Sequence[Ref]) -> tuple[Ref, Split]:
    """Add all up, and divide by their number."""
    return _scaled_total(builder, outputs, 1.0 / len(outputs))


def _scaled_total(builder: PlanBuilder, outputs: Sequence[Ref], factor: float) -> tuple[Ref, Split]:
    y, sum_so_far = builder.activation(outputs[0].shape), outputs[0]
    for number, output in enumerate(outputs[1:], 2):
        scale = factor if number == len(outputs) else 1.0
        builder.emit("forward", "add", y, sum_so_far, output, scale)
        sum_so_far = y

    def split(dy: Ref) -> list[Ref]:
        if factor != 1.0:
            builder.emit("backward", "scale", dy, factor)
        copies = [builder.gradient(dy.shape) for _ in outputs[1:]]
        for copy in copies:
            builder.emit("backward", "take_columns", as_rows(copy), as_rows(dy), 0)
        return [*copies, dy]

    return y, split


def largest(builder: PlanBuilder, outputs: Sequence[Ref]) -> tuple[Ref, Split]:
    """Take the largest, element by element; the first of equals gets the gradient."""
    steps = [outputs[0]]
    for output in outputs[1:]:
        y = builder.activation(output.shape)
        builder.emit("forward", "maximum_fwd", y, steps[-1], output)
        steps.append(y)

    def split(dy: Ref) -> list[Ref]:
        gradients = []
        for before, output in zip(steps[-2::-1], outputs[:0:-1], strict=True):
            gradient = builder.gradient(dy.shape)
            builder.emit("backward", "maximum_bwd", dy, gradient, dy, before, output)
            gradients.append(gradient)
        return [dy, *reversed(gradients)]

    return steps[-1], split


#: The merges by name.
MERGES = {"concat": concatenate, "add": total, "mean": mean, "max": largest}
