"""Inverted dropout: one Philox block gives the eight decisions of one byte of the mask."""

from __future__ import annotations

import functools

import numpy as np

from ..reference.dropout import dropout_scale, dropout_threshold
from ..reference.random import philox_block
from .compiling import compiled, flat, specialise


def _forward_loop(y, mask, x, threshold, scale, seed, offset):
    for byte in range(mask.size):
        words = philox_block(np.uint64(byte), seed, offset)
        bits = 0
        for bit in range(min(8, x.size - 8 * byte)):
            half = (words[bit >> 1] >> np.uint64(16 * (bit & 1))) & np.uint64(0xFFFF)
            element = 8 * byte + bit
            if half >= threshold:
                bits |= 1 << bit
                y[element] = x[element] * scale
            else:
                y[element] = 0
        mask[byte] = bits


def _backward_loop(dx, mask, dy, scale):
    for i in range(dx.size):
        kept = mask[i >> 3] >> (i & 7) & 1
        dx[i] = dy[i] * scale if kept else 0


@functools.cache
def _forward():
    return specialise(_forward_loop, "dropout_fwd", philox_block=compiled(philox_block))


@functools.cache
def scale_kept():
    """Return the loop that multiplies what a mask keeps."""
    return specialise(_backward_loop, "dropout_bwd")


def dropout_fwd(y, mask, x, rate, seed, offset):
    """Compute `reference.dropout_fwd`."""
    threshold = np.uint64(dropout_threshold(rate))
    scale = x.dtype.type(dropout_scale(rate))
    _forward()(flat(y), mask, flat(x), threshold, scale, np.uint64(seed), np.uint64(offset))


def dropout_bwd(dx, mask, dy, rate):
    """Compute `reference.dropout_bwd`."""
    scale_kept()(flat(dx), mask, flat(dy), dy.dtype.type(dropout_scale(rate)))
