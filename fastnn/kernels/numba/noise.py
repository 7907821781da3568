"""Noise for training: one Philox block gives four normal numbers, or eight decisions to drop."""

from __future__ import annotations

import functools

import numpy as np

from ..reference import noise
from ..reference.random import philox_block
from .compiling import compiled, flat, specialise
from .dropout import dropout_fwd, scale_kept

radius, angle = noise.radius, noise.angle  # their compiled forms, where a loop is specialised


def _gaussian_loop(y, x, stddev, seed, offset):
    for start in range(0, x.size, 4):
        words = philox_block(np.uint64(start // 4), seed, offset)
        for j in range(min(4, x.size - start)):
            length = radius(np.int64(words[j & 2]))
            phi = angle(np.int64(words[j | 1]))
            normal = length * (np.sin(phi) if j & 1 else np.cos(phi))
            y[start + j] = x[start + j] + stddev * normal


@functools.cache
def _gaussian():
    names = {f.__name__: compiled(f) for f in (philox_block, noise.radius, noise.angle)}
    return specialise(_gaussian_loop, "gaussian_noise_fwd", **names)


def gaussian_noise_fwd(y, x, stddev, seed, offset):
    """Compute `reference.gaussian_noise_fwd`."""
    _gaussian()(flat(y), flat(x), stddev, np.uint64(seed), np.uint64(offset))


def _alpha_loop(y, mask, x, scale, shift, dropped):
    for i in range(x.size):
        y[i] = x[i] * scale + shift if mask[i >> 3] >> (i & 7) & 1 else dropped


@functools.cache
def _alpha():
    return specialise(_alpha_loop, "alpha_dropout_fwd")


def alpha_dropout_fwd(y, mask, x, rate, seed, offset):
    """Compute `reference.alpha_dropout_fwd`."""
    a, b = noise.alpha_dropout_affine(rate)
    dropout_fwd(np.empty_like(x), mask, x, rate, seed, offset)  # for the mask
    _alpha()(flat(y), mask, flat(x), *map(x.dtype.type, (a, b, a * noise.DROPPED + b)))


def alpha_dropout_bwd(dx, mask, dy, rate):
    """Compute `reference.alpha_dropout_bwd`."""
    scale, _ = noise.alpha_dropout_affine(rate)
    scale_kept()(flat(dx), mask, flat(dy), dy.dtype.type(scale))
