"""Gradients of tables: loops, since the order of a sum matters."""

from __future__ import annotations

import functools

import numpy as np

from ..reference.embedding import codes
from .compiling import specialise


def _sum_loop(dw, dy, groups, source, at):
    """Add dy[source[i]] to dw[groups[i]], for each i in turn."""
    dw[:] = 0
    for i in range(groups.size):
        for j in range(min(dw.shape[1], dy.shape[1] - at)):
            dw[groups[i], j] += dy[source[i], at + j]


@functools.cache
def _sum():
    return specialise(_sum_loop, "embedding_bwd")


def embedding_bwd(dw, dy, x, column, at):
    """Compute `reference.embedding_bwd`."""
    _sum()(dw, dy, codes(x, column), np.arange(len(x)), at)


def embedding_sparse_bwd(dw, rows, order, dy, x, count, column, at):
    """Compute `reference.embedding_sparse_bwd`."""
    order[...] = np.argsort(codes(x, column), kind="stable")
    ordered = codes(x, column)[order]
    first = np.diff(ordered, prepend=-1) > 0
    rows[...] = np.where(first, ordered, -1)
    _sum()(dw, dy, np.flatnonzero(first)[np.cumsum(first) - 1], order, at)
