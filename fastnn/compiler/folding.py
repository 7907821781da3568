"""Normalisations folded into the dense layers beside them, in plans for inference.

Given statistics make a normalisation an affine map of columns. Behind a linear dense layer, or in
front of a dense layer, it goes into the weights: a copy of them, made by the prepare stage once for
each pass. That costs a walk over the weights and saves one over the activations, so it is done for
plans with as many rows as the matrix has of the other dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..ir.program import Op, Ref
from .fusion import join_pairs

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder

#: In front of a layer, x − mean becomes two products that are subtracted at the end. Means of so
#: many standard deviations cost some 6 bits, and no more is given.
LARGEST_MEAN = 64.0


def fold(builder: PlanBuilder, ops: Sequence[Op]) -> tuple[Op, ...]:
    """The forward ops with normalisations folded away; emits what prepares the weights.

    Elementwise ops of such plans work in place, so a joined op may write where the first of its
    parts did, or read what the first of them read.
    """
    return join_pairs(
        ops,
        lambda first, second: _behind(builder, first, second) or _in_front(builder, first, second),
    )


def _behind(builder: PlanBuilder, dense: Op, norm: Op) -> Op | None:
    """A linear dense layer and the normalisation, or the activation, of its output."""
    if dense.kernel != "dense_fwd" or dense.arguments[4] != "identity":
        return None
    y, x, w, b, _, z = dense.arguments
    if norm.kernel == "activation_fwd" and norm.arguments[0] == norm.arguments[1] == y:
        return replace(dense, arguments=(y, x, w, b, norm.arguments[2], z))
    if norm.kernel != "standardize_fwd" or not norm.arguments[0] == norm.arguments[1] == y:
        return None
    if builder.rows < w.shape[0]:
        return None
    weights, bias = _prepare(builder, "dense_fold_output", norm, w, b)
    return replace(dense, arguments=(y, x, weights, bias, "identity", z))


def _in_front(builder: PlanBuilder, norm: Op, dense: Op) -> Op | None:
    """A normalisation and the dense layer that reads it."""
    if (norm.kernel, dense.kernel) != ("standardize_fwd", "dense_fwd"):
        return None
    out, source, *_ = norm.arguments
    y, x, w, b, activation, z = dense.arguments
    if not _same_elements(out, x) or _same_elements(source, y) or builder.rows < w.shape[1]:
        return None
    weights, bias = _prepare(builder, "dense_fold_input", norm, w, b)
    read = replace(source, shape=x.shape, per_row=x.per_row)
    return replace(dense, arguments=(y, read, weights, bias, activation, z))


def _same_elements(a: Ref, b: Ref) -> bool:
    """Whether two refs are the same elements, perhaps under different shapes."""
    vectors = a.as_vector(), b.as_vector()
    return vectors[0] == vectors[1]


def _prepare(builder: PlanBuilder, kernel: str, norm: Op, w: Ref, b: Ref | None) -> tuple[Ref, Ref]:
    """Emits the op that makes the folded weights, in the normalisation's name."""
    weights, bias = builder.fixed(w.shape), builder.fixed(w.shape[1:])
    builder.layer = norm.layer
    builder.emit("prepare", kernel, weights, bias, w, b, *norm.arguments[2:])
    return weights, bias


def keeps_digits(mean: np.ndarray, variance: np.ndarray, eps: float) -> bool:
    """Return whether no mean is so large beside its deviation that folding costs many digits."""
    return not (np.abs(mean) > LARGEST_MEAN * np.sqrt(variance + eps)).any()
