"""Fully connected layers, alone or followed by dropout."""

from __future__ import annotations

import numpy as np

from ..table import SEEDS, Array, kernel
from .activation import EVERY_ACTIVATION, activation_bwd, activation_fwd
from .dropout import dropout_bwd, dropout_fwd, dropout_scale
from .quiet import quiet

_DROPPED = tuple(setting | {"rate": 0.3} for setting in EVERY_ACTIVATION)

# Arguments that kernels share, in the order of their signatures.
_INPUTS = {
    "x": Array("B I"),
    "w": Array("I O"),
    "b": Array("O", optional=True),
    "z": Array("B O", "w", optional=True),
}
_GRADIENTS = {
    "dx": Array("B I", "w", optional=True),
    "dw": Array("I O", "w", optional=True),
    "db": Array("O", "w", optional=True),
    "dy": Array("B O", "rw"),
    "y": Array("B O"),
}


@quiet
def affine_fwd(z, x, w, b):
    """Compute z = x w + b."""
    np.matmul(x, w, out=z)
    if b is not None:
        z += b


@quiet
def affine_bwd(dx, dw, db, dz, x, w):
    """Compute dw = xᵀ dz, db = Σ dz, dx = dz wᵀ."""
    if dw is not None:
        np.matmul(x.T, dz, out=dw)
    if db is not None:
        np.sum(dz, axis=0, out=db)
    if dx is not None:
        np.matmul(dz, w.T, out=dx)


@kernel(
    arrays={"y": Array("B O", "w"), **_INPUTS},
    flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 2 * d["B"] * d["O"],
    scalars=EVERY_ACTIVATION,
    tolerance=lambda d: 16 + d["I"],
    relative_to="array",
)
def dense_fwd(y, x, w, b, activation, z=None):
    """Fully connected layer: y = activation(x w + b).

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Written.
    x : ndarray, shape (B, I), real
    w : ndarray, shape (I, O), real
    b : ndarray, shape (O,), real, or None
    activation : str
        A name of `fastnn.kernels.ACTIVATIONS`.
    z : ndarray, shape (B, O), real, optional
        Written with the pre-activation x w + b, which the backward pass of gelu and silu needs.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty((1, 1))
    >>> fastnn.kernels.dense_fwd(y, np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), None, "relu")
    >>> y
    array([[11.]])
    """
    pre = y if z is None else z
    affine_fwd(pre, x, w, b)
    activation_fwd(y, pre, activation)


@kernel(
    arrays={**_GRADIENTS, "x": Array("B I"), "w": Array("I O"), "z": Array("B O", optional=True)},
    flops=lambda d: 4 * d["B"] * d["I"] * d["O"] + 3 * d["B"] * d["O"],
    scalars=EVERY_ACTIVATION,
    tolerance=lambda d: 32 + max(d["B"], d["O"]),
    relative_to="array",
)
def dense_bwd(dx, dw, db, dy, y, x, w, activation, z=None):
    """Gradients of `dense_fwd`: dz = dy * activation', dw = xᵀ dz, db = Σ dz, dx = dz wᵀ.

    Parameters
    ----------
    dx : ndarray, shape (B, I), real, or None
        Written; None for a first layer, which needs none.
    dw : ndarray, shape (I, O), real, or None
        Written; None for frozen weights.
    db : ndarray, shape (O,), real, or None
        Written; None for a layer without bias, or with a frozen one.
    dy : ndarray, shape (B, O), real
        Gradient at the output; overwritten with dz.
    y : ndarray, shape (B, O), real
        Output of the forward pass.
    x : ndarray, shape (B, I), real
    w : ndarray, shape (I, O), real
    activation : str
        A name of `fastnn.kernels.ACTIVATIONS`.
    z : ndarray, shape (B, O), real, optional
        Pre-activation, required by gelu and silu.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> dw, dy = np.empty_like(w), np.ones((1, 1))
    >>> fastnn.kernels.dense_bwd(None, dw, None, dy, x @ w, x, w, "identity"); dw
    array([[1.],
           [2.]])
    """
    activation_bwd(dy, dy, y, z, activation)
    affine_bwd(dx, dw, db, dy, x, w)


@kernel(
    arrays={
        "y": Array("B O", "w"),
        "mask": Array("bits(B O)", "w", dtype="uint8", values="any"),
        **_INPUTS,
    },
    flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 13 * d["B"] * d["O"],
    scalars=tuple(setting | SEEDS[-1] for setting in _DROPPED),
    tolerance=lambda d: 16 + d["I"],
    relative_to="array",
)
def dense_dropout_fwd(y, mask, x, w, b, activation, rate, seed, offset, z=None):
    """Compute `dense_fwd`, then `dropout_fwd` of its output in place.

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Written: activation(x w + b) times the scale of `dropout_fwd` where kept, 0 elsewhere.
    mask : ndarray, shape (ceil(B O / 8),), uint8
        Written.
    x, w, b, activation, z
        As for `dense_fwd`.
    rate, seed, offset
        As for `dropout_fwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, mask = np.empty((1, 8)), np.empty(1, np.uint8)
    >>> x, w = np.ones((1, 2)), np.ones((2, 8))
    >>> fastnn.kernels.dense_dropout_fwd(y, mask, x, w, None, "relu", 0.5, seed=1, offset=0)
    >>> bool(np.all((y[0] == 4) == np.unpackbits(mask, bitorder="little")))
    True
    """
    dense_fwd(y, x, w, b, activation, z)
    dropout_fwd(y, mask, y, rate, seed, offset)


@kernel(
    arrays={
        **_GRADIENTS,
        "mask": Array("bits(B O)", dtype="uint8", values="any"),
        "x": Array("B I"),
        "w": Array("I O"),
        "z": Array("B O", optional=True),
    },
    flops=lambda d: 4 * d["B"] * d["I"] * d["O"] + 5 * d["B"] * d["O"],
    scalars=_DROPPED,
    tolerance=lambda d: 32 + max(d["B"], d["O"]),
    relative_to="array",
)
def dense_dropout_bwd(dx, dw, db, dy, y, mask, x, w, activation, rate, z=None):
    """Gradients of `dense_dropout_fwd`: `dropout_bwd`, then `dense_bwd`.

    The output before dropout is y / scale where it was kept; elsewhere its slope does not matter.

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Output of the forward pass, after dropout.
    mask : ndarray, shape (ceil(B O / 8),), uint8
        As written by the forward pass.
    rate : float
        Share that was dropped, in [0, 1).
    dx, dw, db, dy, x, w, activation, z
        As for `dense_bwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, w, mask = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([1], np.uint8)
    >>> y, dw, dy = 2 * x @ w, np.empty_like(w), np.ones((1, 1))
    >>> fastnn.kernels.dense_dropout_bwd(None, dw, None, dy, y, mask, x, w, "relu", 0.5); dw
    array([[2.],
           [4.]])
    """
    dropout_bwd(dy, mask, dy, rate)
    undropped = y / y.dtype.type(dropout_scale(rate))
    dense_bwd(dx, dw, db, dy, undropped, x, w, activation, z)
