# ruff: noqa: F821 - `specialise` sets the two names declared below
"""Losses: the reference's formulas, element by element, summed in float64."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ..reference import loss as reference
from .compiling import compiled, specialise

formula: Callable  # (y, t, *settings) of one output
share: Callable  # (target, i, j) of class j in row i

# A gradient array that is not needed is passed with no elements.


def _mean_loss_loop(dy, y, target, factor, *settings):
    n_rows, outputs = y.shape
    mean = 0.0
    for i in range(n_rows):
        row_loss = 0.0
        for j in range(outputs):
            loss, gradient = formula(y[i, j], target[i, j], *settings)
            row_loss += loss
            if dy.size:
                dy[i, j] = gradient * factor[i]
        mean += row_loss * factor[i]
    return mean


def _softmax_loop(y, z):
    for i in range(z.shape[0]):
        top, total = z[i].max(), 0.0
        for j in range(z.shape[1]):
            y[i, j] = math.exp(z[i, j] - top)
            total += y[i, j]
        for j in range(z.shape[1]):
            y[i, j] /= total


def _class_share(target, i, j):
    return 1.0 if target[i] == j else 0.0


def _row_share(target, i, j):
    return target[i, j]


def _cross_entropy_loop(dz, z, target, factor, smoothing):
    rows, classes = z.shape
    mean = 0.0
    for i in range(rows):
        top, total, mass = z[i].max(), 0.0, 0.0
        for j in range(classes):
            total += math.exp(z[i, j] - top)
            mass += (1 - smoothing) * share(target, i, j) + smoothing / classes
        for j in range(classes):
            q = (1 - smoothing) * share(target, i, j) + smoothing / classes
            shifted = z[i, j] - top
            mean += q * (math.log(total) - shifted) * factor[i]
            if dz.size:
                dz[i, j] = (mass * math.exp(shifted) / total - q) * factor[i]
    return mean


@functools.cache
def _mean_loss(formula):
    return specialise(_mean_loss_loop, formula.__name__, formula=compiled(formula))


@functools.cache
def _softmax():
    return specialise(_softmax_loop, "softmax")


@functools.cache
def _cross_entropy(share):
    return specialise(_cross_entropy_loop, f"cross_entropy{share.__name__}", share=compiled(share))


def _or_empty(gradient, like):
    return np.empty((0, 0), like.dtype) if gradient is None else gradient


def outputwise(formula: Callable) -> Callable:
    """Return the kernel of a loss that is the mean over outputs of a formula."""

    def loss(dy, y, target, weight, *settings):
        n_rows, outputs = y.shape
        factor = reference.row_factors(weight, n_rows)[:, 0] / max(outputs, 1)
        return _mean_loss(formula)(_or_empty(dy, y), y, target, factor, *settings)

    return loss


def softmax(y, z):
    """Compute `reference.softmax`."""
    _softmax()(y, z)


def softmax_cross_entropy(dz, z, target, weight, label_smoothing) -> float:
    """Compute `reference.softmax_cross_entropy`."""
    loss = _cross_entropy(_class_share if target.ndim == 1 else _row_share)
    factor = reference.row_factors(weight, len(z))[:, 0]
    return loss(_or_empty(dz, z), z, target, factor, label_smoothing)


def quantile(dy, y, target, weight, q) -> float:
    """Compute `reference.quantile`, output by output, each with a level of its own."""
    n_rows, outputs = y.shape
    factor = reference.row_factors(weight, n_rows)[:, 0] / max(outputs, 1)
    gradient = np.empty((0, outputs), y.dtype) if dy is None else dy
    loss, columns = _mean_loss(reference.pinball), range(outputs)
    parts = [[a[:, j : j + 1] for a in (gradient, y, target)] for j in columns]
    return sum((loss(*parts[j], factor, q[j]) for j in columns), 0.0)
