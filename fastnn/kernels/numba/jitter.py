"""Tables with Gaussian noise on some columns."""

from __future__ import annotations

import functools
import math

import numba
import numpy as np

from ..reference.random import philox_block
from .rows import RowFunction, row_function, unit

#: A record for each column with noise; the first one's `width` and `count` hold for all.
SETTINGS = np.dtype(
    [("first_block", "u8"), ("width", "i8"), ("count", "i8"), ("column", "i8"), ("std", "f8")]
)

real = np.float32  # the type of the rows; `jitter_rows` replaces it


def _jitter_rows(out, x, begin, end, rows, settings, seed, offset):
    s = numba.carray(settings, 1, SETTINGS)[0]
    width, count = s.width, s.count
    noisy = numba.carray(settings, count, SETTINGS)
    batch, source = numba.carray(out, rows * width, real), numba.carray(x, rows * width, real)
    blocks = (count + 3) // 4
    for row in range(begin, end):
        start = row * width
        batch[start : start + width] = source[start : start + width]
        for k in range(0, count, 4):
            block = s.first_block + np.uint64(blocks * row + k // 4)
            words = philox_block(block, seed, offset)
            a, b = _normals(words[0], words[1])
            c, d = _normals(words[2], words[3])
            noise = (a, b, c, d)
            for j in range(min(4, count - k)):
                at = start + noisy[k + j].column
                batch[at] = real(batch[at] + noisy[k + j].std * noise[j])


def _normals(first, second):
    """Return two standard normal numbers from two words, by the method of Box and Muller (1958)."""
    radius, angle = math.sqrt(-2 * math.log(unit(first))), 2 * math.pi * unit(second)
    return radius * math.cos(angle), radius * math.sin(angle)


@functools.cache
def jitter_rows(dtype: np.dtype) -> RowFunction:
    """Return the function of rows of one dtype."""
    return row_function(_jitter_rows, f"_{dtype}", real=dtype.type)
