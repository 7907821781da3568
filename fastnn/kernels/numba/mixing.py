"""Rows of a batch mixed with one another, and their targets and weights with them.

All three functions draw the same partner and the same share for a row.
"""

from __future__ import annotations

import functools
import math

import numba
import numpy as np

from ..reference.random import philox_block
from .rows import RowFunction, row_function, unit

#: `width` counts the elements of a row that is written.
SETTINGS = np.dtype([("first_block", "u8"), ("width", "i8"), ("alpha", "f8")])

real = np.float32  # the type of what is written; `mix_rows` and `mix_labels` replace it


def _mix_rows(out, x, begin, end, rows, settings, seed, offset):
    s = numba.carray(settings, 1, SETTINGS)[0]
    width = s.width
    batch, source = numba.carray(out, rows * width, real), numba.carray(x, rows * width, real)
    for row in range(begin, end):
        other, share = _partner(s, row, rows, seed, offset)
        own, others = source[row * width :], source[other * width :]
        mixed, part = batch[row * width :], real(share)
        for i in range(width):
            mixed[i] = own[i] + part * (others[i] - own[i])


def _mix_labels(out, x, begin, end, rows, settings, seed, offset):
    s = numba.carray(settings, 1, SETTINGS)[0]
    width = s.width
    batch, labels = numba.carray(out, rows * width, real), numba.carray(x, rows, np.int64)
    for row in range(begin, end):
        other, share = _partner(s, row, rows, seed, offset)
        shares, part = batch[row * width : (row + 1) * width], real(share)
        shares[:] = real(0)
        shares[labels[row]] = real(1) - part
        shares[labels[other]] += part


def _partner(s, row, rows, seed, offset):
    """Return the row to mix with, and its share in the mixture.

    Partners are those of a rotation of the batch, so that each row is a partner once. The share is
    one of Beta(alpha, alpha), for any alpha > 0 without rejection: (1 + T / √(2 alpha + T²)) / 2,
    where T follows Student's distribution with 2 alpha degrees of freedom (Devroye, WSC 1996), by
    Bailey's method (Mathematics of Computation 62, 1994).
    """
    words = philox_block(s.first_block + np.uint64(1 + row), seed, offset)
    logarithm = math.log(unit(words[0])) / s.alpha  # of q = U^(1 / alpha), where T² is
    q, rest = math.exp(logarithm), -math.expm1(logarithm)  # 2 alpha cos² (1 − q) / q
    cosine = math.cos(2 * math.pi * unit(words[1]))
    share = 0.5 + 0.5 * cosine * math.sqrt(rest / (q + rest * cosine * cosine))
    turn = unit(philox_block(s.first_block, seed, offset)[0])
    other = row if rows == 1 else (row + 1 + int(turn * (rows - 1))) % rows
    return other, share


@functools.cache
def mix_rows(dtype: np.dtype) -> RowFunction:
    """Return the function that mixes inputs, real targets or weights of one dtype."""
    return row_function(_mix_rows, f"_{dtype}", real=dtype.type)


@functools.cache
def mix_labels(dtype: np.dtype) -> RowFunction:
    """Return the function that mixes int64 class numbers to class probabilities of a dtype."""
    return row_function(_mix_labels, f"_{dtype}", real=dtype.type)
