"""Parameters of which a step moves some rows alone: their gradients and updates.

The gradient of such a table is compact: as many rows as the batch has look-ups, with the numbers of
the rows of the table beside it. The update takes those rows of the table and of the optimizer's
slots out, runs the optimizer's own kernel on them, and puts them back; places that stand for no row
hold zeros, which every optimizer leaves zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..ir.program import Region

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, SparseGradient
    from ..optimizers import GradientOptimizer
    from .architecture import Architecture


def lower_step(
    net: Architecture,
    optimizer: GradientOptimizer,
    builder: PlanBuilder,
    gradient: SparseGradient,
    rates: tuple[Any, ...],
    completion: tuple[Any, ...],
) -> None:
    """Emit one step on the rows of a table that the batch has touched.

    `rates` are what `GradientOptimizer.step` takes behind the slots, `completion` what its kernel
    takes at the end.
    """
    table, rows = gradient.table, gradient.rows
    region = net.size * net.dtype.itemsize
    slots = [
        replace(table, region=Region.SLOTS, offset=slot * region + table.offset)
        for slot in range(len(optimizer.slots))
    ]
    tables = [table, *slots]
    parts = [builder.buffer(table.shape[1:], lookups=rows.per_row) for _ in tables]
    for whole, part in zip(tables, parts, strict=True):
        builder.emit("update", "gather_rows", part, whole, rows)
    kernel, arguments = optimizer.step(parts[0], gradient.values, parts[1:], *rates)
    builder.emit("update", kernel, *arguments, *completion)
    for whole, part in zip(tables, parts, strict=True):
        builder.emit("update", "scatter_rows", whole, part, rows)
