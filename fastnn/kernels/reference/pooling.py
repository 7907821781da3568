"""Largest and mean values of windows of images, of whole images, and their gradients."""

from __future__ import annotations

import numpy as np

from ..table import LARGEST_WINDOW, Array, Dims, Relation, Scalars, kernel, per
from .quiet import quiet
from .windows import POOLING, fit_windows, inner, padded, taps, window_violation

_NAMES = ("pool_h", "pool_w", "stride_h", "stride_w", "pad_h", "pad_w")
_SETTINGS = tuple(
    dict(zip(_NAMES, numbers, strict=True))
    for numbers in (
        (2, 2, 2, 2, 0, 0),
        (3, 3, 2, 2, 1, 1),
        (2, 3, 1, 1, 0, 1),
        (1, 4, 1, 3, 0, 2),
        (16, 16, 5, 7, 8, 3),
    )
)


def _pool_violation(dims: Dims, scalars: Scalars) -> str | None:
    cells = scalars["pool_h"] * scalars["pool_w"]
    if cells > LARGEST_WINDOW:
        return f"pool_h pool_w must be at most {LARGEST_WINDOW}, got {cells}"
    return window_violation(dims, scalars)


_MAX_POOLING = Relation(_pool_violation, fit_windows, POOLING.derived)


@kernel(
    arrays={
        "y": Array("B OH OW C", "w"),
        "index": Array("B OH OW C", "w", optional=True, dtype="uint8", values="index"),
        "x": Array("B H W C"),
    },
    flops=per("B OH OW C", 4),
    scalars=_SETTINGS,
    tolerance=lambda d: 0,
    relation=_MAX_POOLING,
)
def max_pool_fwd(y, index, x, pool_h, pool_w, stride_h, stride_w, pad_h, pad_w):
    """Largest value of each window, and which of its cells has it; padding is −∞.

    Of equal values the first counts, in row-major order. Of a window with NaN, the first NaN.

    Parameters
    ----------
    y : ndarray, shape (B, OH, OW, C), real
        Written.
    index : ndarray, shape (B, OH, OW, C), uint8, or None
        Written with the number of the cell in its window, line pool_w + column; None in inference.
    x : ndarray, shape (B, H, W, C), real
    pool_h, pool_w : int
        Cells of a window, at most 256 in all.
    stride_h, stride_w : int
    pad_h, pad_w : int
        Cells of padding above and left of x, less than pool_h and pool_w. Those below and to the
        right follow from OH and OW; the last window begins in x, so none is padding alone.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x = np.array([3.0, 1.0, 2.0, 5.0]).reshape(1, 1, 4, 1)
    >>> y, index = np.empty((1, 1, 2, 1)), np.empty((1, 1, 2, 1), np.uint8)
    >>> fastnn.kernels.max_pool_fwd(y, index, x, 1, 2, 1, 2, 0, 0); y.ravel(), index.ravel()
    (array([3., 5.]), array([0, 1], dtype=uint8))
    """
    out, strides = y.shape[1:3], (stride_h, stride_w)
    whole = padded(x, (pool_h, pool_w), out, strides, (pad_h, pad_w), -np.inf)
    best = np.full(y.shape, -np.inf, y.dtype)
    winner = np.zeros(y.shape, np.uint8)
    inside = _inside(x.shape, (pool_h, pool_w), out, strides, (pad_h, pad_w))
    found = np.zeros((*y.shape[:3], 1), bool)  # whether a cell of the image has been seen
    for i, j, view in taps(whole, (pool_h, pool_w), (1, 1), out, strides):
        valid = next(inside)
        better = (view > best) | (np.isnan(view) & ~np.isnan(best)) | (valid & ~found)
        np.copyto(best, view, where=better)
        np.copyto(winner, np.uint8(i * pool_w + j), where=better)
        found |= valid
    y[...] = best
    if index is not None:
        index[...] = winner


def _inside(shape, cells, out, strides, pads):
    """Yield, for each cell of a window, which windows (1, OH, OW, 1) have it in the image."""
    image = np.ones((1, *shape[1:3], 1), bool)
    whole = padded(image, cells, out, strides, pads, value=False)
    return (view for _, _, view in taps(whole, cells, (1, 1), out, strides))


@kernel(
    arrays={
        "dx": Array("B H W C", "w"),
        "dy": Array("B OH OW C"),
        "index": Array("B OH OW C", dtype="uint8", values="index"),
    },
    flops=per("B OH OW C", 2),
    scalars=_SETTINGS,
    tolerance=lambda d: 300,
    relative_to="array",
    relation=_MAX_POOLING,
)
def max_pool_bwd(dx, dy, index, pool_h, pool_w, stride_h, stride_w, pad_h, pad_w):
    """Gradient of `max_pool_fwd`: each dy goes to the cell of its window that `index` names.

    Parameters
    ----------
    dx : ndarray, shape (B, H, W, C), real
        Written. Where windows overlap, sums over them.
    dy : ndarray, shape (B, OH, OW, C), real
    index : ndarray, shape (B, OH, OW, C), uint8
        As `max_pool_fwd` writes it; cells outside the image or the window get nothing.
    pool_h, pool_w, stride_h, stride_w, pad_h, pad_w
        As for `max_pool_fwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx, dy = np.empty((1, 1, 4, 1)), np.array([7.0, 8.0]).reshape(1, 1, 2, 1)
    >>> index = np.array([0, 1], np.uint8).reshape(1, 1, 2, 1)
    >>> fastnn.kernels.max_pool_bwd(dx, dy, index, 1, 2, 1, 2, 0, 0); dx.ravel()
    array([7., 0., 0., 8.])
    """
    strides, pads = (stride_h, stride_w), (pad_h, pad_w)
    dx[...] = 0
    whole = padded(dx, (pool_h, pool_w), dy.shape[1:3], strides, pads)
    for i, j, view in taps(whole, (pool_h, pool_w), (1, 1), dy.shape[1:3], strides):
        np.add(view, dy, out=view, where=index == i * pool_w + j)
    dx[...] = inner(whole, dx.shape, pads)


@kernel(
    arrays={"y": Array("B OH OW C", "w"), "x": Array("B H W C")},
    flops=per("B OH OW C", 5),
    scalars=_SETTINGS,
    tolerance=lambda d: 300,
    relative_to="array",
    relation=POOLING,
)
@quiet
def average_pool_fwd(y, x, pool_h, pool_w, stride_h, stride_w, pad_h, pad_w):
    """Mean of the cells of each window that lie in the image.

    Parameters
    ----------
    y : ndarray, shape (B, OH, OW, C), real
        Written.
    x : ndarray, shape (B, H, W, C), real
    pool_h, pool_w, stride_h, stride_w, pad_h, pad_w
        As for `max_pool_fwd`; a window may have any number of cells.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 2, 1)), np.array([3.0, 1.0, 6.0]).reshape(1, 1, 3, 1)
    >>> fastnn.kernels.average_pool_fwd(y, x, 1, 2, 1, 2, 0, 0); y.ravel()
    array([2., 6.])
    """
    out, strides, pads = y.shape[1:3], (stride_h, stride_w), (pad_h, pad_w)
    whole = padded(x, (pool_h, pool_w), out, strides, pads)
    y[...] = 0
    for _, _, view in taps(whole, (pool_h, pool_w), (1, 1), out, strides):
        y += view
    y /= _valid_cells(x.shape, (pool_h, pool_w), out, strides, pads, y.dtype)


@kernel(
    arrays={"dx": Array("B H W C", "w"), "dy": Array("B OH OW C")},
    flops=per("B OH OW C", 5),
    scalars=_SETTINGS,
    tolerance=lambda d: 300,
    relative_to="array",
    relation=POOLING,
)
@quiet
def average_pool_bwd(dx, dy, pool_h, pool_w, stride_h, stride_w, pad_h, pad_w):
    """Gradient of `average_pool_fwd`: each dy, divided among the valid cells of its window.

    Parameters
    ----------
    dx : ndarray, shape (B, H, W, C), real
        Written. Where windows overlap, sums over them.
    dy : ndarray, shape (B, OH, OW, C), real
    pool_h, pool_w, stride_h, stride_w, pad_h, pad_w
        As for `max_pool_fwd`; a window may have any number of cells.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx, dy = np.empty((1, 1, 3, 1)), np.array([4.0, 6.0]).reshape(1, 1, 2, 1)
    >>> fastnn.kernels.average_pool_bwd(dx, dy, 1, 2, 1, 2, 0, 0); dx.ravel()
    array([2., 2., 6.])
    """
    out, strides, pads = dy.shape[1:3], (stride_h, stride_w), (pad_h, pad_w)
    share = dy / _valid_cells(dx.shape, (pool_h, pool_w), out, strides, pads, dy.dtype)
    dx[...] = 0
    whole = padded(dx, (pool_h, pool_w), out, strides, pads)
    for _, _, view in taps(whole, (pool_h, pool_w), (1, 1), out, strides):
        view += share
    dx[...] = inner(whole, dx.shape, pads)


def _valid_cells(shape, cells, out, strides, pads, dtype):
    """Return the number of cells of each window in the image, (1, OH, OW, 1)."""
    total = np.zeros((1, *out, 1), dtype)
    for valid in _inside(shape, cells, out, strides, pads):
        total += valid
    return total


# -------------------------------------------------------------------------- whole images


def _at_least_one(dims: Dims, scalars: Scalars) -> str | None:
    return None if dims["P"] else "P must be at least 1, got 0"


def _fit_at_least_one(dims: Dims, scalars: Scalars) -> dict[str, int]:
    return dict(dims) | {"P": max(1, dims["P"])}


_WHOLE = Relation(_at_least_one, _fit_at_least_one, ())


@kernel(
    arrays={
        "y": Array("B C", "w"),
        "index": Array("B C", "w", optional=True, dtype="uint32", values="index"),
        "x": Array("B P C"),
    },
    flops=per("B P C", 1),
    tolerance=lambda d: 0,
    relation=_WHOLE,
)
def global_max_fwd(y, index, x):
    """Largest value over all positions, and where it stands; the first NaN if there is one.

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written.
    index : ndarray, shape (B, C), uint32, or None
        Written with the position of the first of equal values; None in inference.
    x : ndarray, shape (B, P, C), real
        P at least 1.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, index = np.empty((1, 2)), np.empty((1, 2), np.uint32)
    >>> x = np.array([[[1.0, 6.0], [4.0, 5.0]]])
    >>> fastnn.kernels.global_max_fwd(y, index, x); y, index
    (array([[4., 6.]]), array([[1, 0]], dtype=uint32))
    """
    winner = np.argmax(x, axis=1)
    y[...] = np.take_along_axis(x, winner[:, None], axis=1)[:, 0]
    if index is not None:
        index[...] = winner


@kernel(
    arrays={
        "dx": Array("B P C", "w"),
        "dy": Array("B C"),
        "index": Array("B C", dtype="uint32", values="index"),
    },
    flops=per("B P C", 1),
    tolerance=lambda d: 0,
    relation=_WHOLE,
)
def global_max_bwd(dx, dy, index):
    """Gradient of `global_max_fwd`: dy at the position that `index` names, 0 elsewhere.

    Parameters
    ----------
    dx : ndarray, shape (B, P, C), real
        Written.
    dy : ndarray, shape (B, C), real
    index : ndarray, shape (B, C), uint32

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx = np.empty((1, 3, 1))
    >>> fastnn.kernels.global_max_bwd(dx, np.array([[2.0]]), np.array([[1]], np.uint32)); dx.ravel()
    array([0., 2., 0.])
    """
    chosen = np.arange(dx.shape[1], dtype=np.uint32)[:, None] == index[:, None]
    np.copyto(dx, np.where(chosen, dy[:, None], 0))


@kernel(
    arrays={"y": Array("B C", "w"), "x": Array("B P C")},
    flops=per("B P C", 1),
    tolerance=lambda d: 8 + d["P"],
    relative_to="array",
    relation=_WHOLE,
)
@quiet
def global_average_fwd(y, x):
    """Mean over all positions.

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written.
    x : ndarray, shape (B, P, C), real
        P at least 1.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty((1, 2))
    >>> fastnn.kernels.global_average_fwd(y, np.array([[[1.0, 6.0], [4.0, 5.0]]])); y
    array([[2.5, 5.5]])
    """
    np.sum(x, axis=1, out=y)
    y /= x.shape[1]


@kernel(
    arrays={"dx": Array("B P C", "w"), "dy": Array("B C")},
    flops=per("B P C", 1),
    relation=_WHOLE,
)
@quiet
def global_average_bwd(dx, dy):
    """Gradient of `global_average_fwd`: dy / P at every position.

    Parameters
    ----------
    dx : ndarray, shape (B, P, C), real
        Written.
    dy : ndarray, shape (B, C), real

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx = np.empty((1, 2, 1))
    >>> fastnn.kernels.global_average_bwd(dx, np.array([[3.0]])); dx.ravel()
    array([1.5, 1.5])
    """
    dx[...] = dy[:, None] / dx.shape[1]
