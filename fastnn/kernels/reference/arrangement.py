"""Elements of images and series moved, repeated, cut out and put side by side."""

from __future__ import annotations

import numpy as np

from ..table import Array, Dims, Relation, Scalars, kernel, per

# ------------------------------------------------------------------------ padding and cropping


@kernel(
    arrays={"y": Array("B OH OW C", "w"), "x": Array("B H W C")},
    flops=per("B OH OW C", 1),
    scalars=(
        {"top": 1, "left": 2},
        {"top": 0, "left": -1},
        {"top": -2, "left": 3},
        {"top": -40, "left": 0},
    ),
    tolerance=lambda d: 0,
)
def shift_window(y, x, top, left):
    """Lay an image into another one: y[i, j] = x[i − top, j − left], and 0 outside of x.

    Padding moves by positive numbers, cropping by negative ones; each is the other's gradient.

    Parameters
    ----------
    y : ndarray, shape (B, OH, OW, C), real
        Written.
    x : ndarray, shape (B, H, W, C), real
    top, left : int
        May be negative, and as large as to move x out of y.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 4, 1)), np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> fastnn.kernels.shift_window(y, x, 0, 1); y.ravel()
    array([0., 1., 2., 0.])
    """
    y[...] = 0
    (to_rows, rows), (to_columns, columns) = (
        _common(*sizes) for sizes in ((y.shape[1], x.shape[1], top), (y.shape[2], x.shape[2], left))
    )
    y[:, to_rows, to_columns] = x[:, rows, columns]


def _common(n, size, shift):
    """Return the slices of two axes, of n and of `size` cells, that show the same cells."""
    first, stop = max(shift, 0), min(shift + size, n)
    stop = max(first, stop)
    return slice(first, stop), slice(first - shift, stop - shift)


# --------------------------------------------------------------------------------- enlarging


def _repeat_violation(dims: Dims, scalars: Scalars) -> str | None:
    for axis, size in (("H", scalars["size_h"]), ("W", scalars["size_w"])):
        if dims[f"O{axis}"] != dims[axis] * size:
            expected, got = dims[axis] * size, dims[f"O{axis}"]
            return f"O{axis} must be {axis} times {size}, {expected}, got {got}"
    return None


def _fit_repeat(dims: Dims, scalars: Scalars) -> dict[str, int]:
    sizes = {"OH": dims["H"] * scalars["size_h"], "OW": dims["W"] * scalars["size_w"]}
    return dict(dims) | sizes


_REPEAT = Relation(_repeat_violation, _fit_repeat, ("OH", "OW"))
_SIZES = ({"size_h": 2, "size_w": 2}, {"size_h": 1, "size_w": 3}, {"size_h": 5, "size_w": 1})


@kernel(
    arrays={"y": Array("B OH OW C", "w"), "x": Array("B H W C")},
    flops=per("B OH OW C", 1),
    scalars=_SIZES,
    tolerance=lambda d: 0,
    relation=_REPEAT,
)
def upsample_fwd(y, x, size_h, size_w):
    """Repeat every line size_h times and every column size_w times.

    Parameters
    ----------
    y : ndarray, shape (B, OH, OW, C), real
        Written; OH = H size_h, OW = W size_w.
    x : ndarray, shape (B, H, W, C), real
    size_h, size_w : int

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 4, 1)), np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> fastnn.kernels.upsample_fwd(y, x, 1, 2); y.ravel()
    array([1., 1., 2., 2.])
    """
    blocks = y.reshape(x.shape[0], x.shape[1], size_h, x.shape[2], size_w, x.shape[3])
    blocks[...] = x[:, :, None, :, None]


@kernel(
    arrays={"dx": Array("B H W C", "w"), "dy": Array("B OH OW C")},
    flops=per("B OH OW C", 1),
    scalars=_SIZES,
    tolerance=lambda d: 32,
    relative_to="array",
    relation=_REPEAT,
)
def upsample_bwd(dx, dy, size_h, size_w):
    """Gradient of `upsample_fwd`: each element's sum over its repetitions.

    Parameters
    ----------
    dx : ndarray, shape (B, H, W, C), real
        Written.
    dy : ndarray, shape (B, OH, OW, C), real
    size_h, size_w : int

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dx, dy = np.empty((1, 1, 2, 1)), np.arange(4.0).reshape(1, 1, 4, 1)
    >>> fastnn.kernels.upsample_bwd(dx, dy, 1, 2); dx.ravel()
    array([1., 5.])
    """
    blocks = dy.reshape(dx.shape[0], dx.shape[1], size_h, dx.shape[2], size_w, dx.shape[3])
    np.sum(blocks, axis=(2, 4), out=dx)


# ------------------------------------------------------------------------------ order of axes

_X, _Y = ("H", "W", "C"), ("P", "Q", "R")


def _axes(scalars: Scalars) -> tuple[int, int, int]:
    return scalars["first"], scalars["second"], scalars["third"]


def _permutation_violation(dims: Dims, scalars: Scalars) -> str | None:
    axes = _axes(scalars)
    if sorted(axes) != [0, 1, 2]:
        return f"first, second and third must be 0, 1 and 2 in some order, got {axes}"
    expected, got = tuple(dims[_X[axis]] for axis in axes), tuple(dims[name] for name in _Y)
    return None if got == expected else f"(P, Q, R) must be {expected}, got {got}"


def _fit_permutation(dims: Dims, scalars: Scalars) -> dict[str, int]:
    return dict(dims) | {name: dims[_X[a]] for name, a in zip(_Y, _axes(scalars), strict=True)}


@kernel(
    arrays={"y": Array("B P Q R", "w"), "x": Array("B H W C")},
    flops=per("B H W C", 1),
    scalars=tuple(
        dict(zip(("first", "second", "third"), order, strict=True))
        for order in ((1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 2, 0), (0, 1, 2))
    ),
    tolerance=lambda d: 0,
    relation=Relation(_permutation_violation, _fit_permutation, _Y),
)
def permute(y, x, first, second, third):
    """Put the axes of each row into another order.

    Parameters
    ----------
    y : ndarray, shape (B, P, Q, R), real
        Written.
    x : ndarray, shape (B, H, W, C), real
    first, second, third : int
        The axis of x that becomes P, Q and R: 0 for H, 1 for W, 2 for C.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 3, 2)), np.arange(6.0).reshape(1, 1, 2, 3)
    >>> fastnn.kernels.permute(y, x, 0, 2, 1); y[0, 0].T
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """
    y[...] = x.transpose(0, first + 1, second + 1, third + 1)


# --------------------------------------------------------------------------- columns in place


def _columns_violation(dims: Dims, scalars: Scalars) -> str | None:
    most = dims["O"] - dims["I"]
    if scalars["at"] <= most:
        return None
    return f"at must be at most O − I = {most}, got {scalars['at']}"


def _fit_columns(dims: Dims, scalars: Scalars) -> dict[str, int]:
    return dict(dims) | {"O": max(dims["O"], dims["I"] + scalars["at"])}


_COLUMNS = Relation(_columns_violation, _fit_columns, ())
_AT = ({"at": 3}, {"at": 0})


@kernel(
    arrays={"y": Array("B O", "rw"), "x": Array("B I")},
    flops=per("B I", 1),
    scalars=_AT,
    tolerance=lambda d: 0,
    relation=_COLUMNS,
)
def put_columns(y, x, at):
    """Write the columns of x into y from column `at` on: y[:, at : at + I] = x.

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Other columns stay.
    x : ndarray, shape (B, I), real
    at : int
        At most O − I.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.zeros((1, 3))
    >>> fastnn.kernels.put_columns(y, np.array([[1.0, 2.0]]), 1); y
    array([[0., 1., 2.]])
    """
    y[:, at : at + x.shape[1]] = x


@kernel(
    arrays={"x": Array("B I", "w"), "y": Array("B O")},
    flops=per("B I", 1),
    scalars=_AT,
    tolerance=lambda d: 0,
    relation=_COLUMNS,
)
def take_columns(x, y, at):
    """Read some columns of y from column `at` on: x = y[:, at : at + I].

    Parameters
    ----------
    x : ndarray, shape (B, I), real
        Written.
    y : ndarray, shape (B, O), real
    at : int
        At most O − I.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x = np.empty((1, 2))
    >>> fastnn.kernels.take_columns(x, np.array([[1.0, 2.0, 3.0]]), 1); x
    array([[2., 3.]])
    """
    x[...] = y[:, at : at + x.shape[1]]
