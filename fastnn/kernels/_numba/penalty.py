"""Weight penalties and limits, and the health of an array: the reference's own text, compiled."""

from __future__ import annotations

from .. import reference
from .compiling import compiled, flat


def penalty(dp, p, l1, l2) -> float:
    return compiled(reference.penalty)(None if dp is None else flat(dp), flat(p), l1, l2)


def max_norm(p, limit):
    compiled(reference.max_norm)(p, limit)


def sum_of_squares(x) -> float:
    return compiled(reference.sum_of_squares)(flat(x))


def count_nonfinite(x) -> float:
    return compiled(reference.count_nonfinite)(flat(x))
