"""Neighbouring ops joined where one kernel does the work of both.

The reference twin of a fused kernel is the composition of the two: a fused plan computes what the
plain one does, and touches memory less often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .plan import Op, Ref

Ops = tuple[Op, ...]


def join_dropout(forward: Sequence[Op], backward: Sequence[Op]) -> tuple[Ops, Ops]:
    """Dense layers take over the dropout that follows them."""
    dropped: dict[Ref, Ref] = {}  # a dense layer's output → the same after dropout

    def join_forward(dense: Op, dropout: Op) -> Op | None:
        if (dense.kernel, dropout.kernel) != ("dense_fwd", "dropout_fwd"):
            return None
        y, x, w, b, activation, z = dense.arguments
        out, mask, source, *noise = dropout.arguments
        if source != y:
            return None
        dropped[y] = out
        arguments = (out, mask, x, w, b, activation, *noise, z)
        return replace(dense, kernel="dense_dropout_fwd", arguments=arguments)

    def join_backward(dropout: Op, dense: Op) -> Op | None:
        if (dropout.kernel, dense.kernel) != ("dropout_bwd", "dense_bwd"):
            return None
        _, mask, _, rate = dropout.arguments
        dx, dw, db, dy, y, x, w, activation, z = dense.arguments
        arguments = (dx, dw, db, dy, dropped[y], mask, x, w, activation, rate, z)
        return replace(dense, kernel="dense_dropout_bwd", arguments=arguments)

    return join_pairs(forward, join_forward), join_pairs(backward, join_backward)


def join_pairs(ops: Sequence[Op], pair: Callable[[Op, Op], Op | None]) -> Ops:
    """The ops with each pair of neighbours replaced that `pair` has an op for, from the front on.

    What a pair became is the first of the next one.
    """
    joined: list[Op] = []
    for op in ops:
        both = pair(joined[-1], op) if joined else None
        if both is None:
            joined.append(op)
        else:
            joined[-1] = both
    return tuple(joined)
