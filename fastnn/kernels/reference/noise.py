"""Noise for training: normal numbers added, and dropout that keeps mean and variance."""

from __future__ import annotations

import math

import numpy as np

from ..table import SEEDS, Array, kernel, per
from .activation import SELU_ALPHA, SELU_SCALE
from .dropout import BACKWARD, FORWARD, RATES, draw_kept, dropout_scale, unpacked
from .random import philox

#: The value of elements that alpha dropout drops: the limit of selu far below 0.
DROPPED = -SELU_ALPHA * SELU_SCALE


def radius(word):
    """√(−2 ln u) for u = (the upper 23 bits + ½) / 2²³, which every dtype holds exactly."""
    return np.sqrt(-2 * np.log(((word >> 9) + 0.5) * 2.0**-23))


def angle(word):
    """2 π times the upper 24 bits, as a fraction of 2²⁴."""
    return (word >> 8) * (2 * math.pi * 2.0**-24)


@kernel(
    arrays={"y": Array("*", "w"), "x": Array("*")},
    flops=per("*", 20),
    scalars=tuple({"stddev": 0.5} | seed for seed in SEEDS),
    tolerance=lambda d: 32,
    relative_to="array",
    in_place=(("y", "x"),),
)
def gaussian_noise_fwd(y, x, stddev, seed, offset):
    """Add independent normal numbers: y = x + stddev · n.

    Elements 2 k and 2 k + 1 get r cos φ and r sin φ, where word 2 k of `philox` gives the radius r
    and word 2 k + 1 the angle φ. The largest ``|n|`` is 5.8.

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written. May be `x` itself.
    x : ndarray, shape (*), real
    stddev : float
        Not negative.
    seed, offset : int
        In [0, 2**64).

    References
    ----------
    Box, Muller: A note on the generation of random normal deviates. Annals of Mathematical
    Statistics 29, 1958.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty(10_000)
    >>> fastnn.kernels.gaussian_noise_fwd(y, np.ones(10_000), 0.5, seed=0, offset=0)
    >>> round(y.mean(), 1), round(y.std(), 1)
    (np.float64(1.0), np.float64(0.5))
    """
    words = np.empty((x.size + 1) // 2 * 2, np.uint32)
    philox(words, seed, offset)
    length, phi = radius(words[0::2]), angle(words[1::2])
    normal = np.stack([length * np.cos(phi), length * np.sin(phi)], axis=1).reshape(-1)
    y[...] = x + stddev * normal[: x.size].reshape(x.shape)


def alpha_dropout_affine(rate):
    """Return (a, b) of `alpha_dropout_fwd`."""
    keep = 1 / dropout_scale(rate)
    a = 1 / math.sqrt(keep + DROPPED**2 * keep * (1 - keep))
    return a, -a * (1 - keep) * DROPPED


@kernel(
    arrays=FORWARD,
    flops=per("*", 13),
    scalars=tuple(rate | SEEDS[-1] for rate in RATES),
    tolerance=lambda d: 16,
    relative_to="x",
    in_place=(("y", "x"),),
)
def alpha_dropout_fwd(y, mask, x, rate, seed, offset):
    """Dropout that keeps mean 0 and variance 1, as selu does: y = a x' + b.

    x' is x where kept and α' = −1.7581 = −λ α elsewhere, with λ and α of selu. For the share q that
    is kept, a = (q + α'² q (1 − q))^(−½) and b = −a (1 − q) α'.

    Parameters
    ----------
    y, mask, x, rate, seed, offset
        As for `dropout_fwd`, which draws the same mask.

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks. NIPS 2017.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, mask = np.empty(8), np.empty(1, np.uint8)
    >>> fastnn.kernels.alpha_dropout_fwd(y, mask, np.ones(8), 0.5, seed=1, offset=0)
    >>> sorted(set(y.round(2)))
    [np.float64(-0.78), np.float64(1.67)]
    """
    a, b = alpha_dropout_affine(rate)
    kept = draw_kept(x.size, rate, seed, offset)
    mask[...] = np.packbits(kept, bitorder="little")
    np.copyto(y, np.where(kept.reshape(x.shape), a * x + b, a * DROPPED + b))


@kernel(arrays=BACKWARD, flops=per("*", 1), scalars=RATES, in_place=(("dx", "dy"),))
def alpha_dropout_bwd(dx, mask, dy, rate):
    """Gradient of `alpha_dropout_fwd`: dx = a dy where kept, 0 elsewhere.

    Parameters
    ----------
    dx, mask, dy, rate
        As for `dropout_bwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx = np.empty(2)
    >>> fastnn.kernels.alpha_dropout_bwd(dx, np.array([0b10], np.uint8), np.ones(2), 0.0); dx
    array([0., 1.])
    """
    a, _ = alpha_dropout_affine(rate)
    np.copyto(dx, np.where(unpacked(mask, dy.shape), dy * dy.dtype.type(a), 0))
