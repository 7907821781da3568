"""Random streams: Philox blocks keyed by seed, stream and step.

Every draw is a function of (seed, stream, step, element), so it depends neither on the number of
threads nor on what was drawn before. The step counts updates and never restarts.
"""

from __future__ import annotations

import enum
import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .. import kernels
from ..kernels.reference.random import upper_53_bits
from ..utils import checks

SEED_BITS = 64
_STREAM_SHIFT = 48


class Stream(enum.IntEnum):
    """The streams of random numbers, one per purpose; layer i owns stream LAYER + i."""

    SHUFFLE = 0
    SPLIT = 1
    INITIALIZER = 2
    SAMPLE = 3
    AUGMENTATION = 4
    MIXUP = 5
    LAYER = 16


def stream_offset(stream: int, step: int) -> int:
    """Return the kernels' `offset` of one stream at one step."""
    return stream << _STREAM_SHIFT | step


#: The source of seeds that are not given; None is the operating system.
_SEEDS: ContextVar[Iterator[int] | None] = ContextVar("seeds", default=None)


def check_seed(seed: int | None) -> int:
    """Return `seed` as an int in [0, 2**64); None draws a fresh one."""
    if seed is not None:
        return checks.integer("seed", seed, low=0, high=2**SEED_BITS - 1)
    seeds = _SEEDS.get()
    return int.from_bytes(os.urandom(SEED_BITS // 8), "little") if seeds is None else next(seeds)


def derived_seed(*key: int) -> int:
    """Return a seed in [0, 2**64), a function of the integers of the key, none negative."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Make the seeds drawn in this context, by this thread, functions of the key."""
    token = _SEEDS.set(derived_seed(*key, number) for number in itertools.count())
    try:
        yield
    finally:
        _SEEDS.reset(token)


def permutation(n: int, seed: int, offset: int) -> np.ndarray:
    """Return a random order of 0 … n − 1, int64."""
    order = np.empty(n, np.int64)
    kernels.implementation().permutation(order, seed, offset)
    return order


def uniform(shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
    """Return uniform numbers in (0, 1), float64 with 53 random bits."""
    words = np.empty(2 * math.prod(shape), np.uint32)
    kernels.implementation().philox(words, seed, offset)
    numbers = upper_53_bits(words) + 0.5
    numbers *= 2.0**-53
    return numbers.reshape(shape)


def normal(shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
    """Return standard normal numbers, float64, by the method of Box and Muller (1958)."""
    size = math.prod(shape)
    u = uniform((2, (size + 1) // 2), seed, offset)
    radius, angle = np.log(u[0]), 2 * np.pi * u[1]
    radius *= -2
    np.sqrt(radius, out=radius)
    np.cos(angle, out=u[0])
    np.sin(angle, out=u[1])
    u *= radius
    return u.reshape(-1)[:size].reshape(shape)
