"""Losses: weighted mean over the batch and its gradient, in one pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import where

from ..table import Array, kernel, per
from .activation import ACTIVATIONS
from .quiet import quiet

# loss = Σ_i w_i l_i / Σ_i w_i over the rows i; weight None means all ones. l_i is the mean over the
# outputs of row i (softmax_cross_entropy: the one value of the row). A batch with Σ w = 0 has loss
# 0 and gradient 0. The gradient array may be None, where only the loss is needed.
#
# The formulas (y, t) -> (l, dl/dy) of one output are written, as the activations are, for whole
# arrays here and for single elements in the Numba back end.

_sigmoid = ACTIVATIONS["sigmoid"].value
_softplus = ACTIVATIONS["softplus"].value


def binary_cross_entropy(z, t, smoothing):
    """Return the binary cross-entropy on logits and its derivative."""
    q = (1 - smoothing) * t + 0.5 * smoothing
    return _softplus(z) - q * z, _sigmoid(z) - q


def squared_error(y, t):
    """Return the squared error and its derivative."""
    return (y - t) * (y - t), 2 * (y - t)


def absolute_error(y, t):
    """Return the absolute error and its derivative."""
    return np.abs(y - t), np.sign(y - t)


def huber_error(y, t, delta):
    """Return the Huber loss and its derivative."""
    gradient = np.minimum(np.maximum(y - t, -delta), delta)
    return gradient * ((y - t) - 0.5 * gradient), gradient


def poisson_deviance(z, t):
    """Return the Poisson deviance of a log rate and its derivative."""
    rate = np.exp(z)
    t_log_t = t * np.log(where(t > 0, t, 1.0))
    return (rate - t) - t * z + t_log_t, rate - t


def pinball(y, t, q):
    """Return the pinball loss and its derivative."""
    gradient = where(y < t, -q, where(y > t, 1 - q, 0.0))
    return gradient * (y - t), gradient


def row_factors(weight, n_rows):
    """Return w_i / Σ w in float64, shape (B, 1)."""
    if weight is None:
        return np.full((n_rows, 1), 1 / max(n_rows, 1))
    weight = weight.astype(np.float64).reshape(-1, 1)
    total = weight.sum()
    return weight / total if total > 0 else np.zeros_like(weight)


def loss_kernel(
    flops: float,
    formula: Callable[..., Any],
    *settings: dict[str, Any],
    y: str = "y",
    values: str = "normal",
    by_output: tuple[str, ...] = (),
) -> Callable[..., Any]:
    """Enter a loss in the table that is the mean over outputs of a formula.

    `y` names the network's output, `values` says how tests fill the target, and `by_output` names
    arrays of one number for each output.
    """
    arrays = {
        f"d{y}": Array("B O", "w", optional=True),
        y: Array("B O"),
        "target": Array("B O", values=values),
        "weight": Array("B", optional=True, values="positive"),
        **{name: Array("O", values="unit") for name in by_output},
    }
    return kernel(
        arrays=arrays,
        flops=per("B O", flops),
        scalars=settings or ({},),
        relative_to="array",
        in_place=((f"d{y}", y),),
        formula=formula,
    )


@quiet
def _mean_loss(dy, y, target, weight, formula, *settings):
    """Weighted mean over the rows of the mean over the outputs of a formula."""
    factor = row_factors(weight, y.shape[0]) / max(y.shape[1], 1)
    loss, gradient = formula(y, target, *settings)
    if dy is not None:
        dy[...] = gradient * factor
    return float(np.sum(loss * factor, dtype=np.float64))


_SMOOTHING = tuple({"label_smoothing": share} for share in (0.0, 0.1, 1.0))


@kernel(
    arrays={"y": Array("B C", "w"), "z": Array("B C")},
    flops=per("B C", 4),
    tolerance=lambda d: 8 + 0.2 * d["C"] ** 0.5,  # Numba adds one after the other
    in_place=(("y", "z"),),
)
@quiet
def softmax(y, z):
    """Class probabilities of each row: y = exp(z) / Σ exp(z).

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written. May be `z` itself.
    z : ndarray, shape (B, C), real

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty((1, 2))
    >>> fastnn.kernels.softmax(y, np.array([[7.0, 7.0]])); y
    array([[0.5, 0.5]])
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.divide(e, e.sum(axis=1, keepdims=True), out=y)


@kernel(
    arrays={
        "dz": Array("B C", "w", optional=True),
        "z": Array("B C"),
        "target": Array("B C", dtype="target", values="labels"),
        "weight": Array("B", optional=True, values="positive"),
    },
    flops=per("B C", 8),
    scalars=_SMOOTHING,
    tolerance=lambda d: 8 + d["C"] / 8,
    relative_to="array",
    in_place=(("dz", "z"),),
)
@quiet
def softmax_cross_entropy(dz, z, target, weight, label_smoothing) -> float:
    """Cross-entropy of softmax(z) against classes or class probabilities, with its gradient.

    With q = (1 − s) target + s / C, where s is `label_smoothing`, a row's loss is
    −Σ q log softmax(z) and its gradient (Σ q) softmax(z) − q. It is computed from the logits, so it
    never takes log(0).

    Parameters
    ----------
    dz : ndarray, shape (B, C), real, or None
        Written. May be `z` itself.
    z : ndarray, shape (B, C), real
        Logits.
    target : ndarray, shape (B,), int64, or shape (B, C), real
        Class numbers in [0, C), or a row of class probabilities (one-hot or soft).
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.
    label_smoothing : float
        In [0, 1]; Szegedy et al., 2016.

    Returns
    -------
    float
        Weighted mean over the rows, in nats.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> z, target = np.zeros((1, 2)), np.array([0])
    >>> loss = fastnn.kernels.softmax_cross_entropy(None, z, target, None, label_smoothing=0.0)
    >>> round(loss, 6)  # log 2
    0.693147
    """
    rows, classes = z.shape
    if target.ndim == 1:
        q = np.zeros(z.shape)
        q[np.arange(rows), target] = 1
    else:
        q = target.astype(np.float64)
    q = (1 - label_smoothing) * q + label_smoothing / classes
    factor = row_factors(weight, rows)
    shifted = z - z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    row_loss = np.sum(q * (np.log(total) - shifted), axis=1, keepdims=True)
    if dz is not None:
        dz[...] = (q.sum(axis=1, keepdims=True) * (e / total) - q) * factor
    return float(np.sum(row_loss * factor, dtype=np.float64))


@loss_kernel(11, binary_cross_entropy, *_SMOOTHING, y="z", values="unit")
def sigmoid_cross_entropy(dz, z, target, weight, label_smoothing) -> float:
    """Binary cross-entropy of sigmoid(z), each output a yes/no question of its own.

    With q = (1 − s) target + s / 2, where s is `label_smoothing`, an element's loss is
    softplus(z) − q z, its gradient sigmoid(z) − q.

    Parameters
    ----------
    dz : ndarray, shape (B, O), real, or None
        Written. May be `z` itself.
    z : ndarray, shape (B, O), real
        Logits.
    target : ndarray, shape (B, O), real
        In [0, 1].
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.
    label_smoothing : float
        In [0, 1]; the counterpart of that in `softmax_cross_entropy` for two classes.

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs, in nats.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> z, target = np.zeros((1, 1)), np.ones((1, 1))
    >>> round(fastnn.kernels.sigmoid_cross_entropy(None, z, target, None, label_smoothing=0.0), 6)
    0.693147
    """
    return _mean_loss(dz, z, target, weight, binary_cross_entropy, label_smoothing)


@loss_kernel(5, squared_error)
def mean_squared_error(dy, y, target, weight) -> float:
    """Squared error (y − t)², without a factor ½.

    Parameters
    ----------
    dy : ndarray, shape (B, O), real, or None
        Written. May be `y` itself.
    y, target : ndarray, shape (B, O), real
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs, in squared units of the target.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.mean_squared_error(None, np.zeros((2, 1)), np.array([[1.0], [3.0]]), None)
    5.0
    """
    return _mean_loss(dy, y, target, weight, squared_error)


@loss_kernel(5, absolute_error)
def mean_absolute_error(dy, y, target, weight) -> float:
    """Absolute error ``|y − t|``, with gradient 0 at y = t.

    Parameters
    ----------
    dy : ndarray, shape (B, O), real, or None
        Written. May be `y` itself.
    y, target : ndarray, shape (B, O), real
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs, in units of the target.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.mean_absolute_error(None, np.zeros((2, 1)), np.array([[1.0], [3.0]]), None)
    2.0
    """
    return _mean_loss(dy, y, target, weight, absolute_error)


@loss_kernel(8, huber_error, {"delta": 1.0}, {"delta": 0.1})
def huber(dy, y, target, weight, delta) -> float:
    """Huber's loss of e = y − t: ½ e² up to ``|e| = δ``, else ``δ (|e| − ½ δ)``.

    The gradient is clip(e, −δ, δ).

    Parameters
    ----------
    dy : ndarray, shape (B, O), real, or None
        Written. May be `y` itself.
    y, target : ndarray, shape (B, O), real
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.
    delta : float
        Positive, in units of the target.

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs.

    References
    ----------
    Huber: Robust estimation of a location parameter. Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.huber(None, np.zeros((2, 1)), np.array([[1.0], [3.0]]), None, delta=1.0)
    1.5
    """
    return _mean_loss(dy, y, target, weight, huber_error, delta)


@loss_kernel(8, poisson_deviance, y="z", values="counts")
def poisson(dz, z, target, weight) -> float:
    """Half the Poisson deviance of the rate exp(z): exp(z) − t z + t log t − t.

    Its gradient is exp(z) − t. The terms in t alone make a perfect fit cost 0.

    Parameters
    ----------
    dz : ndarray, shape (B, O), real, or None
        Written. May be `z` itself.
    z : ndarray, shape (B, O), real
        Logarithm of the predicted rate.
    target : ndarray, shape (B, O), real
        Counts or rates, not negative.
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.poisson(None, np.zeros((1, 1)), np.ones((1, 1)), None)
    0.0
    """
    return _mean_loss(dz, z, target, weight, poisson_deviance)


@loss_kernel(6, pinball, by_output=("q",))
def quantile(dy, y, target, weight, q) -> float:
    """Pinball loss, minimal at the conditional q-quantile: max(q (t − y), (q − 1) (t − y)).

    The gradient is −q below the target, 1 − q above it, and 0 on it.

    Parameters
    ----------
    dy : ndarray, shape (B, O), real, or None
        Written. May be `y` itself.
    y, target : ndarray, shape (B, O), real
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.
    q : ndarray, shape (O,), real
        Level of each output, in (0, 1).

    Returns
    -------
    float
        Weighted mean over rows of the mean over outputs, in units of the target.

    References
    ----------
    Koenker, Bassett: Regression quantiles. Econometrica 46, 1978.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, target = np.zeros((1, 2)), np.full((1, 2), 4.0)
    >>> fastnn.kernels.quantile(None, y, target, None, q=np.array([0.25, 0.75]))  # mean of 1 and 3
    2.0
    """
    return _mean_loss(dy, y, target, weight, pinball, q)
