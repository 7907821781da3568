"""Counter-based random numbers: the reference's Philox block in a loop."""

from __future__ import annotations

import functools

import numpy as np

from ..reference.random import philox_block, upper_53_bits
from .compiling import compiled, specialise


def _words_loop(words, seed, offset):
    for start in range(0, words.size, 4):
        block = philox_block(np.uint64(start // 4), seed, offset)
        for j in range(min(4, words.size - start)):
            words[start + j] = block[j]


def _shuffle_loop(order, bits):
    for i in range(order.size):
        order[i] = i
    for i in range(order.size - 1, 0, -1):
        j = int(bits[i] * 2.0**-53 * (i + 1))
        order[i], order[j] = order[j], order[i]


@functools.cache
def _words():
    return specialise(_words_loop, "philox", philox_block=compiled(philox_block))


@functools.cache
def _shuffle():
    return specialise(_shuffle_loop, "permutation")


def philox(words, seed, offset):
    """Compute `reference.philox`."""
    _words()(words, np.uint64(seed), np.uint64(offset))


def permutation(order, seed, offset):
    """Compute `reference.permutation`."""
    words = np.empty(2 * order.size, np.uint32)
    philox(words, seed, offset)
    _shuffle()(order, upper_53_bits(words))
