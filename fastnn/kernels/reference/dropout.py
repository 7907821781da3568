"""Inverted dropout with bit masks."""

from __future__ import annotations

import math

import numpy as np

from ..table import SEEDS, Array, kernel, per
from .random import philox

RATES = ({"rate": 0.5}, {"rate": 0.0}, {"rate": 0.1}, {"rate": 0.999999})

# Arguments of dropout and of alpha dropout.
FORWARD = {
    "y": Array("*", "w"),
    "mask": Array("bits(*)", "w", dtype="uint8", values="any"),
    "x": Array("*"),
}
BACKWARD = {
    "dx": Array("*", "w"),
    "mask": Array("bits(*)", dtype="uint8", values="any"),
    "dy": Array("*"),
}


def dropout_threshold(rate):
    """Return how many of the 65,536 equally likely 16-bit draws drop an element; never all."""
    return min(int(rate * 65536 + 0.5), 65535)


def dropout_scale(rate):
    """Return the reciprocal of the exact keep probability that 16 bits can express."""
    return 65536 / (65536 - dropout_threshold(rate))


def draw_kept(size, rate, seed, offset):
    """Return which elements are kept, bool (size,)."""
    words = np.empty((size + 1) // 2, np.uint32)
    philox(words, seed, offset)
    halves = np.stack([words & np.uint32(0xFFFF), words >> np.uint32(16)], axis=1).reshape(-1)
    return halves[:size] >= dropout_threshold(rate)


def unpacked(mask, shape):
    """Return the bits of a mask as booleans."""
    count = math.prod(shape)
    return np.unpackbits(mask, count=count, bitorder="little").astype(bool).reshape(shape)


@kernel(
    arrays=FORWARD,
    flops=per("*", 11),
    scalars=tuple(rate | seed for rate in RATES for seed in SEEDS),
    in_place=(("y", "x"),),
)
def dropout_fwd(y, mask, x, rate, seed, offset):
    """Inverted dropout: y = x * scale where kept, 0 elsewhere, and the mask that says which.

    Element e takes the 16-bit half e of the stream of `philox` (low half first) and is kept if it
    is at least ``round(65536 rate)``; scale is the reciprocal of that exact keep probability.

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written. May be `x` itself.
    mask : ndarray, shape (ceil(size / 8),), uint8
        Written; bit e % 8 of byte e // 8 (C order, little bit order) is 1 where element e is kept.
        Bits past the last element are 0.
    x : ndarray, shape (*), real
    rate : float
        Share to drop, in [0, 1).
    seed, offset : int
        In [0, 2**64).

    References
    ----------
    Srivastava et al.: Dropout. JMLR 15, 2014.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, mask = np.empty(8), np.empty(1, np.uint8)
    >>> fastnn.kernels.dropout_fwd(y, mask, np.ones(8), 0.5, seed=1, offset=0)
    >>> bool(np.all((y == 2) == np.unpackbits(mask, bitorder="little")))
    True
    """
    kept = draw_kept(x.size, rate, seed, offset)
    mask[...] = np.packbits(kept, bitorder="little")
    np.copyto(y, np.where(kept.reshape(x.shape), x * x.dtype.type(dropout_scale(rate)), 0))


@kernel(arrays=BACKWARD, flops=per("*", 1), scalars=RATES, in_place=(("dx", "dy"),))
def dropout_bwd(dx, mask, dy, rate):
    """Gradient of `dropout_fwd`: dx = dy * scale where kept, 0 elsewhere.

    Parameters
    ----------
    dx : ndarray, shape (*), real
        Written. May be `dy` itself.
    mask : ndarray, shape (ceil(size / 8),), uint8
        As written by `dropout_fwd`.
    dy : ndarray, shape (*), real
    rate : float
        Share that was dropped, in [0, 1).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx = np.empty(2)
    >>> fastnn.kernels.dropout_bwd(dx, np.array([0b10], np.uint8), np.ones(2), 0.5); dx
    array([0., 2.])
    """
    scale = dy.dtype.type(dropout_scale(rate))
    np.copyto(dx, np.where(unpacked(mask, dy.shape), dy * scale, 0))


@kernel(
    arrays={
        "y": Array("B P C", "w"),
        "mask": Array("bits(B C)", "w", dtype="uint8", values="any"),
        "x": Array("B P C"),
    },
    flops=per("B P C", 1),
    scalars=tuple(rate | SEEDS[-1] for rate in RATES),
    in_place=(("y", "x"),),
)
def spatial_dropout_fwd(y, mask, x, rate, seed, offset):
    """Drop whole channels: all positions of a row's channel are kept and scaled, or are 0.

    Parameters
    ----------
    y : ndarray, shape (B, P, C), real
        Written. May be `x` itself.
    mask : ndarray, shape (ceil(B C / 8),), uint8
        Written as `dropout_fwd` does for an array of shape (B, C).
    x : ndarray, shape (B, P, C), real
    rate : float
        Share to drop, in [0, 1).
    seed, offset : int
        In [0, 2**64).

    References
    ----------
    Tompson et al.: Efficient object localization using convolutional networks. CVPR 2015.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, mask = np.empty((1, 2, 8)), np.empty(1, np.uint8)
    >>> fastnn.kernels.spatial_dropout_fwd(y, mask, np.ones((1, 2, 8)), 0.5, seed=1, offset=0)
    >>> bool(np.all((y == 2) == np.unpackbits(mask, bitorder="little")))
    True
    """
    shape = x.shape[0], x.shape[2]
    kept = draw_kept(shape[0] * shape[1], rate, seed, offset)
    mask[...] = np.packbits(kept, bitorder="little")
    scaled = x * x.dtype.type(dropout_scale(rate))
    np.copyto(y, np.where(kept.reshape(shape)[:, None], scaled, 0))


@kernel(
    arrays={
        "dx": Array("B P C", "w"),
        "mask": Array("bits(B C)", dtype="uint8", values="any"),
        "dy": Array("B P C"),
    },
    flops=per("B P C", 1),
    scalars=RATES,
    in_place=(("dx", "dy"),),
)
def spatial_dropout_bwd(dx, mask, dy, rate):
    """Gradient of `spatial_dropout_fwd`: dx = dy * scale where kept, 0 elsewhere.

    Parameters
    ----------
    dx : ndarray, shape (B, P, C), real
        Written. May be `dy` itself.
    mask : ndarray, shape (ceil(B C / 8),), uint8
        As written by `spatial_dropout_fwd`.
    dy : ndarray, shape (B, P, C), real
    rate : float
        Share that was dropped, in [0, 1).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx = np.empty((1, 2, 2))
    >>> fastnn.kernels.spatial_dropout_bwd(dx, np.array([0b10], np.uint8), np.ones((1, 2, 2)), 0.5)
    >>> dx[0]
    array([[0., 2.],
           [0., 2.]])
    """
    kept = unpacked(mask, (dy.shape[0], dy.shape[2]))[:, None]
    np.copyto(dx, np.where(kept, dy * dy.dtype.type(dropout_scale(rate)), 0))
