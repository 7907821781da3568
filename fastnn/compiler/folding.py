"""Normalisations folded into the layers with weights beside them, in plans for inference.

Given statistics make a normalisation an affine map of columns. Behind a linear dense layer or a
linear convolution, or in front of a dense layer, it goes into the weights: a copy of them, made by
the prepare stage once for each pass. That costs a walk over the weights and saves one over the
activations, so it is done for plans with as many rows as the matrix has of the other dimension.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.program import Op, Plan, Ref
from .fusion import fuse_adjacent

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder

#: In front of a layer, x − mean becomes two products that are subtracted at the end. Means of so
#: many standard deviations cost some 6 bits, and no more is given.
LARGEST_MEAN = 64.0


def fold(builder: PlanBuilder, ops: Sequence[Op]) -> tuple[Op, ...]:
    """Return the forward ops with normalisations folded away; emit what prepares the weights.

    Elementwise ops of such plans work in place, so a joined op may write where the first of its
    parts did, or read what the first of them read. What stands before a branch is read by several
    ops, and joined to none of them.
    """

    def folded(first: Op, second: Op) -> Op | None:
        after = _fold_after_product(builder, first, second)
        return after or _fold_before_dense(builder, first, second)

    bounds = [0, *sorted(set(builder.branch_points)), len(ops)]
    pieces = (ops[start:stop] for start, stop in itertools.pairwise(bounds))
    return tuple(op for piece in pieces for op in fuse_adjacent(piece, folded))


def _fold_after_product(builder: PlanBuilder, product: Op, after: Op) -> Op | None:
    """Join a linear layer with weights and the normalisation, or the activation, of its output."""
    if product.kernel not in ("dense_fwd", "conv_fwd"):
        return None
    if product.arguments["activation"] != "identity":
        return None
    y, w = product.arguments["y"], product.arguments["w"]
    if after.kernel == "activation_fwd" and _in_place(after, "z", y):
        return _with(product, activation=after.arguments["activation"])
    if after.kernel != "standardize_fwd" or not _in_place(after, "x", y):
        return None
    if after.arguments["mean"].shape != y.shape[-1:]:
        return None  # behind Flatten, where each position of a channel has statistics of its own
    rows_of_w = math.prod(w.shape[:-1])
    if y.count(builder.n_rows) // y.shape[-1] < rows_of_w:
        return None
    weights, bias = _prepare(builder, "dense_fold_output", after, product)
    return _with(product, w=weights, b=bias)


def _in_place(op: Op, source: str, y: Ref) -> bool:
    """Return whether an op reads `y` as its argument `source`, and writes its output there."""
    return all(_same_elements(op.arguments[name], y) for name in ("y", source))


def _fold_before_dense(builder: PlanBuilder, norm: Op, dense: Op) -> Op | None:
    """Join a normalisation and the dense layer that reads it."""
    if (norm.kernel, dense.kernel) != ("standardize_fwd", "dense_fwd"):
        return None
    source, x, y = norm.arguments["x"], dense.arguments["x"], dense.arguments["y"]
    if not _same_elements(norm.arguments["y"], x) or _same_elements(source, y):
        return None
    if builder.n_rows < dense.arguments["w"].shape[1]:
        return None
    weights, bias = _prepare(builder, "dense_fold_input", norm, dense)
    return _with(dense, x=replace(source, shape=x.shape, per_row=x.per_row), w=weights, b=bias)


def _with(op: Op, **arguments: Any) -> Op:
    """Return the op with some of its arguments replaced."""
    return replace(op, arguments={**op.arguments, **arguments})


def _same_elements(a: Ref, b: Ref) -> bool:
    """Return whether two refs are the same elements, perhaps under different shapes."""
    return a.as_vector() == b.as_vector()


def _prepare(builder: PlanBuilder, kernel: str, norm: Op, dense: Op) -> tuple[Ref, Ref]:
    """Emit the op that makes the folded weights, in the normalisation's name."""
    w, b = dense.arguments["w"], dense.arguments["b"]
    weights, bias = builder.fixed(w.shape), builder.fixed(w.shape[-1:])
    builder.layer = norm.layer
    scaling = (norm.arguments[name] for name in ("mean", "variance", "gamma", "beta", "eps"))
    matrix = math.prod(w.shape[:-1]), w.shape[-1]
    matrices = weights.reshaped(matrix), bias, w.reshaped(matrix)
    builder.emit("prepare", kernel, *matrices, b, *scaling)
    return weights, bias


def folding_is_accurate(plan: Plan, array: Callable[[Ref], np.ndarray]) -> bool:
    """Return whether no mean is so large beside its deviation that folding costs many digits.

    `array` gives the array of a ref that does not depend on the batch.
    """
    for op in plan.stages["prepare"]:
        if op.kernel == "dense_fold_input":
            mean, variance = (array(op.arguments[name]) for name in ("mean", "variance"))
            if (np.abs(mean) > LARGEST_MEAN * np.sqrt(variance + op.arguments["eps"])).any():
                return False
    return True
