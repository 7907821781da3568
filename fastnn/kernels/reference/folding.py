"""A normalisation by given statistics folded into the weights of the dense layer beside it."""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel, per
from .normalization import EPSILONS, SCALING
from .quiet import quiet

_FOLDED = {
    "wf": Array("I O", "w"),
    "bf": Array("O", "w"),
    "w": Array("I O"),
    "b": Array("O", optional=True),
}


def affine_map(mean, variance, gamma, beta, eps):
    """Return (scale, shift), float64, such that `standardize_fwd` is x · scale + shift."""
    scale = 1 / np.sqrt(variance.astype(np.float64) + eps)
    scale = scale if gamma is None else scale * gamma
    return scale, (0 if beta is None else beta) - mean * scale


@kernel(
    arrays={
        **_FOLDED,
        "mean": Array("O"),
        "variance": Array("O", values="positive"),
        "gamma": Array("O", optional=True),
        "beta": Array("O", optional=True),
    },
    flops=per("I O", 3),
    scalars=EPSILONS,
    tolerance=lambda d: 16,
    relative_to="array",
)
@quiet
def dense_fold_output(wf, bf, w, b, mean, variance, gamma, beta, eps):
    """Weights of a dense layer that normalises its own output, as `standardize_fwd` would.

    With s = γ / √(variance + ε), column by column: wf = w s and bf = (b − mean) s + β.

    Parameters
    ----------
    wf : ndarray, shape (I, O), real
        Written.
    bf : ndarray, shape (O,), real
        Written.
    w : ndarray, shape (I, O), real
    b : ndarray, shape (O,), real, or None
    mean, variance : ndarray, shape (O,), real
    gamma, beta : ndarray, shape (O,), real, or None
        None is 1, and 0.
    eps : float

    References
    ----------
    Ioffe, Szegedy: Batch normalization. ICML 2015, algorithm 2, lines 8 to 11.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> wf, bf, one, nine = np.empty((1, 1)), np.empty(1), np.ones(1), np.full(1, 9.0)
    >>> w = np.array([[6.0]])
    >>> fastnn.kernels.dense_fold_output(wf, bf, w, None, one, nine, None, None, 0.0); wf
    array([[2.]])
    """
    scale, shift = affine_map(mean, variance, gamma, beta, eps)
    wf[...] = w * scale
    bf[...] = shift if b is None else b * scale + shift


@kernel(
    arrays={**_FOLDED, "mean": Array("C"), "variance": Array("C", values="positive"), **SCALING},
    flops=per("I O", 3),
    scalars=EPSILONS,
    tolerance=lambda d: 16,
    relative_to="array",
)
@quiet
def dense_fold_input(wf, bf, w, b, mean, variance, gamma, beta, eps):
    """Weights of a dense layer that normalises its own input, as `standardize_fwd` would.

    With s = γ / √(variance + ε) and t = β − mean s, for input i those of column i mod C:
    wf = s w, row by row, and bf = b + tᵀ w.

    Parameters
    ----------
    wf : ndarray, shape (I, O), real
        Written.
    bf : ndarray, shape (O,), real
        Written.
    w : ndarray, shape (I, O), real
    b : ndarray, shape (O,), real, or None
    mean, variance : ndarray, shape (C,), real
    gamma, beta : ndarray, shape (C,), real, or None
        None is 1, and 0.
    eps : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> wf, bf, one, four = np.empty((1, 1)), np.empty(1), np.ones(1), np.full(1, 4.0)
    >>> w = np.array([[6.0]])
    >>> fastnn.kernels.dense_fold_input(wf, bf, w, None, one, four, None, None, 0.0); wf, bf
    (array([[3.]]), array([-3.]))
    """
    scale, shift = affine_map(mean, variance, gamma, beta, eps)
    wf[...] = w * np.resize(scale, len(w))[:, None]
    moved = np.resize(shift, len(w)) @ w.astype(np.float64)
    bf[...] = moved if b is None else b + moved
