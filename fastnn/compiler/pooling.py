"""Pooling put before the rectifier of a convolution, where both give the same bits.

The largest of rectified values is the rectified largest, and the gradient of either is that of the
first cell with the largest value, or 0 where none is positive. So the activation and its slope,
which pass over the whole image otherwise, pass over what is left of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..ir.program import Op, Ref

Ops = tuple[Op, ...]


def pool_before_rectifier(stages: Mapping[str, Ops]) -> dict[str, Ops]:
    """Return the stages of a training plan with convolutions that pooling alone reads linear."""
    moved = dict(stages)
    for convolution, pool in itertools.pairwise(stages["forward"]):
        if not _is_rectified_and_pooled(convolution, pool):
            continue
        backward = _gradients_of(convolution, pool, moved["backward"])
        if backward is None or not _is_read_by_them_alone(convolution, [pool, *backward], moved):
            continue
        pool_gradient, gradient = backward
        pooled, dy = pool.arguments["y"], pool_gradient.arguments["dy"]
        rectify = Op("activation_fwd", _arguments(y=pooled, z=pooled), pool.layer)
        slope = Op("activation_bwd", _arguments(dz=dy, dy=dy, y=pooled, z=None), pool.layer)
        moved["forward"] = _replaced(
            moved["forward"], (convolution, [_linear(convolution)]), (pool, [pool, rectify])
        )
        moved["backward"] = _replaced(
            moved["backward"],
            (pool_gradient, [slope, pool_gradient]),
            (gradient, [_linear(gradient)]),
        )
    return moved


def _is_rectified_and_pooled(convolution: Op, pool: Op) -> bool:
    return (
        (convolution.kernel, pool.kernel) == ("conv_fwd", "max_pool_fwd")
        and convolution.arguments["activation"] == "relu"
        and pool.arguments["x"] == convolution.arguments["y"]
    )


def _gradients_of(convolution: Op, pool: Op, backward: Ops) -> tuple[Op, Op] | None:
    """Return the backward ops of both, where one follows the other."""
    for first, second in itertools.pairwise(backward):
        if (first.kernel, second.kernel) != ("max_pool_bwd", "conv_bwd"):
            continue
        if first.arguments["index"] != pool.arguments["index"]:
            continue
        same_gradient = second.arguments["dy"] == first.arguments["dx"]
        if same_gradient and second.arguments["y"] == convolution.arguments["y"]:
            return first, second
    return None


def _is_read_by_them_alone(
    convolution: Op, readers: Sequence[Op], stages: Mapping[str, Ops]
) -> bool:
    """Return whether no other op has the output of the convolution among its arrays."""
    y: Ref = convolution.arguments["y"]
    known = [convolution, *readers]
    return all(
        any(op is one for one in known)
        for ops in stages.values()
        for op in ops
        if any((ref.region, ref.offset) == (y.region, y.offset) for ref in op.refs)
    )


def _linear(op: Op) -> Op:
    return replace(op, arguments={**op.arguments, "activation": "identity"})


def _arguments(**arrays: Ref | None) -> dict[str, object]:
    return {**arrays, "activation": "relu"}


def _replaced(ops: Ops, *changes: tuple[Op, Sequence[Op]]) -> Ops:
    """Return the ops with some replaced by others."""
    by_identity = {id(op): new for op, new in changes}
    return tuple(new for op in ops for new in by_identity.get(id(op), [op]))
