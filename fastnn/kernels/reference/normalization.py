"""Normalisation: by the statistics of a batch, by given ones, and by those of each row."""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel, per
from .quiet import quiet

EPSILONS = ({"eps": 1e-3}, {"eps": 0.1})

# Arguments that kernels share, in the order of their signatures.
SCALING = {name: Array("C", optional=True) for name in ("gamma", "beta")}
_GRADIENTS = {
    "dx": Array("B C", "w", optional=True),
    "dgamma": Array("C", "w", optional=True),
    "dbeta": Array("C", "w", optional=True),
    "dy": Array("B C"),
    "x": Array("B C"),
}


@kernel(
    arrays={
        "y": Array("B C", "w"),
        "mean": Array("C", "w"),
        "variance": Array("C", "w"),
        "x": Array("B C"),
        **SCALING,
    },
    flops=per("B C", 7),
    scalars=EPSILONS,
    tolerance=lambda d: 64,
    relative_to="array",
)
@quiet
def batch_norm_fwd(y, mean, variance, x, gamma, beta, eps):
    """Normalise each column by the mean and variance of the batch, then scale and shift it.

    mean = Σ x / B, variance = Σ (x − mean)² / B and y = γ (x − mean) / √(variance + ε) + β. Of no
    rows, both statistics are 0.

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written.
    mean, variance : ndarray, shape (C,), real
        Written.
    x : ndarray, shape (B, C), real
    gamma, beta : ndarray, shape (C,), real, or None
        None is 1, and 0.
    eps : float

    References
    ----------
    Ioffe, Szegedy: Batch normalization. ICML 2015, algorithm 1.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> y, mean, variance = np.empty((2, 2)), np.empty(2), np.empty(2)
    >>> fastnn.kernels.batch_norm_fwd(y, mean, variance, x, None, None, 1e-12)
    >>> y.round(6), mean, variance
    (array([[-1.,  0.],
           [ 1.,  0.]]), array([2., 5.]), array([1., 0.]))
    """
    wide = x.astype(np.float64)
    rows = max(len(x), 1)
    centre = wide.sum(axis=0) / rows
    spread = np.square(wide - centre).sum(axis=0) / rows
    mean[...], variance[...] = centre, spread
    y[...] = standardized(wide, centre, spread, gamma, beta, eps)


def standardized(x, mean, variance, gamma, beta, eps):
    """γ (x − mean) / √(variance + ε) + β, where None is 1 and 0."""
    return scaled((x - mean) / np.sqrt(variance + eps), gamma, beta)


def scaled(normal, gamma, beta):
    """γ normal + β, where None is 1 and 0."""
    y = normal if gamma is None else normal * gamma
    return y if beta is None else y + beta


@kernel(
    arrays={
        **_GRADIENTS,
        "mean": Array("C"),
        "variance": Array("C", values="positive"),
        "gamma": Array("C", optional=True),
    },
    flops=per("B C", 9),
    scalars=EPSILONS,
    tolerance=lambda d: 64,
    relative_to="array",
    in_place=(("dx", "dy"),),
)
@quiet
def batch_norm_bwd(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps):
    """Gradients of `batch_norm_fwd`, through the statistics of the batch.

    With x̂ = (x − mean) / √(variance + ε): dβ = Σ dy, dγ = Σ dy x̂ and
    dx = γ / √(variance + ε) · (dy − dβ / B − x̂ dγ / B).

    Parameters
    ----------
    dx : ndarray, shape (B, C), real, or None
        Written. May be `dy` itself.
    dgamma, dbeta : ndarray, shape (C,), real, or None
        Written.
    dy, x : ndarray, shape (B, C), real
    mean, variance : ndarray, shape (C,), real
        As written by `batch_norm_fwd`.
    gamma : ndarray, shape (C,), real, or None
    eps : float

    References
    ----------
    Ioffe, Szegedy: Batch normalization. ICML 2015, section 3.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, dx = np.array([[1.0], [3.0]]), np.empty((2, 1))
    >>> mean, variance = np.array([2.0]), np.array([1.0])
    >>> fastnn.kernels.batch_norm_bwd(dx, None, None, np.eye(2, 1), x, mean, variance, None, 0.0)
    >>> dx  # two rows are normalised to ±1 whatever they are
    array([[0.],
           [0.]])
    """
    deviation = np.sqrt(variance.astype(np.float64) + eps)
    normal = (x - mean) / deviation
    shift, slope = dy.sum(axis=0, dtype=np.float64), (dy * normal).sum(axis=0)
    if dx is not None:
        factor = 1 / deviation if gamma is None else gamma / deviation
        dx[...] = factor * (dy - (shift + normal * slope) / max(len(x), 1))
    if dgamma is not None:
        dgamma[...] = slope
    if dbeta is not None:
        dbeta[...] = shift


@kernel(
    arrays={
        "y": Array("B C", "w"),
        "x": Array("B C"),
        "mean": Array("C"),
        "variance": Array("C", values="positive"),
        **SCALING,
    },
    flops=per("B C", 3),
    scalars=EPSILONS,
    relative_to="array",
    in_place=(("y", "x"),),
)
@quiet
def standardize_fwd(y, x, mean, variance, gamma, beta, eps):
    """Normalise each column by given statistics: y = γ (x − mean) / √(variance + ε) + β.

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written. May be `x` itself.
    x : ndarray, shape (B, C), real
    mean, variance : ndarray, shape (C,), real
    gamma, beta : ndarray, shape (C,), real, or None
        None is 1, and 0.
    eps : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((2, 1)), np.array([[1.0], [9.0]])
    >>> fastnn.kernels.standardize_fwd(y, x, np.array([5.0]), np.array([4.0]), None, None, 0.0); y
    array([[-2.],
           [ 2.]])
    """
    y[...] = standardized(x, mean, variance.astype(np.float64), gamma, beta, eps)


@kernel(
    arrays={"average": Array("*", "rw"), "value": Array("*")},
    flops=per("*", 3),
    scalars=({"momentum": 0.99}, {"momentum": 0.0}),
    relative_to="array",
)
@quiet
def moving_average_step(average, value, momentum):
    """Move an average towards a value: average ← average + (1 − μ) (value − average).

    In this form, a steady value is the limit exactly, however close μ is to 1.

    Parameters
    ----------
    average : ndarray, shape (*), real
        Updated.
    value : ndarray, shape (*), real
    momentum : float
        μ, in [0, 1).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> average = np.array([1.0])
    >>> fastnn.kernels.moving_average_step(average, np.array([3.0]), 0.75); average
    array([1.5])
    """
    average += (1 - momentum) * (value - average)


@kernel(
    arrays={
        "y": Array("B C", "w"),
        "mean": Array("B", "w", optional=True),
        "rstd": Array("B", "w", optional=True),
        "x": Array("B C"),
        **SCALING,
    },
    flops=per("B C", 7),
    scalars=EPSILONS,
    tolerance=lambda d: 64,
    relative_to="array",
    in_place=(("y", "x"),),
)
@quiet
def layer_norm_fwd(y, mean, rstd, x, gamma, beta, eps):
    """Normalise each row by its own mean and variance, then scale and shift its columns.

    mean = Σ x / C, rstd = 1 / √(Σ (x − mean)² / C + ε) and y = γ (x − mean) rstd + β. Rows are
    scaled by a power of two meanwhile, so no square overflows.

    Parameters
    ----------
    y : ndarray, shape (B, C), real
        Written.
    mean, rstd : ndarray, shape (B,), real, or None
        Written.
    x : ndarray, shape (B, C), real
    gamma, beta : ndarray, shape (C,), real, or None
        None is 1, and 0.
    eps : float

    References
    ----------
    Ba, Kiros, Hinton: Layer normalization. arXiv:1607.06450, 2016.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty((1, 2))
    >>> x = np.array([[1.0, 5.0]])
    >>> fastnn.kernels.layer_norm_fwd(y, None, None, x, None, None, 1e-12); y.round(6)
    array([[-1.,  1.]])
    """
    unit = _power_of_two(np.abs(x).max(axis=1, initial=0))
    wide = x / unit[:, None]
    centre = wide.mean(axis=1)
    spread = np.square(wide - centre[:, None]).mean(axis=1)
    deviation = np.hypot(unit * np.sqrt(spread), np.sqrt(eps))
    normal = (wide - centre[:, None]) / (deviation / unit)[:, None]
    y[...] = scaled(normal, gamma, beta)
    if mean is not None:
        mean[...] = centre * unit
    if rstd is not None:
        rstd[...] = 1 / deviation


def _power_of_two(largest):
    """At most `largest` and more than its half, in float64; of 0, and of what is not finite, 1."""
    usable = np.isfinite(largest) & (largest > 0)
    return np.ldexp(1.0, np.frexp(np.where(usable, largest, 1.0).astype(np.float64))[1] - 1)


@kernel(
    arrays={
        **_GRADIENTS,
        "mean": Array("B"),
        "rstd": Array("B", values="positive"),
        "gamma": Array("C", optional=True),
    },
    flops=per("B C", 12),
    tolerance=lambda d: 64,
    relative_to="array",
    in_place=(("dx", "dy"),),
)
@quiet
def layer_norm_bwd(dx, dgamma, dbeta, dy, x, mean, rstd, gamma):
    """Gradients of `layer_norm_fwd`, through the statistics of each row.

    With x̂ = (x − mean) rstd and g = γ dy: dβ = Σ dy and dγ = Σ dy x̂ over the rows, and
    dx = rstd (g − Σ g / C − x̂ Σ g x̂ / C), summed over the columns.

    Parameters
    ----------
    dx : ndarray, shape (B, C), real, or None
        Written. May be `dy` itself.
    dgamma, dbeta : ndarray, shape (C,), real, or None
        Written.
    dy, x : ndarray, shape (B, C), real
    mean, rstd : ndarray, shape (B,), real
        As written by `layer_norm_fwd`.
    gamma : ndarray, shape (C,), real, or None

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, dbeta = np.array([[1.0, 3.0]]), np.empty(2)
    >>> dy, mean, rstd = np.array([[5.0, 7.0]]), np.array([2.0]), np.array([1.0])
    >>> fastnn.kernels.layer_norm_bwd(None, None, dbeta, dy, x, mean, rstd, None); dbeta
    array([5., 7.])
    """
    normal = (x.astype(np.float64) - mean[:, None]) * rstd[:, None]
    if dgamma is not None:
        dgamma[...] = (dy * normal).sum(axis=0)
    if dbeta is not None:
        dbeta[...] = dy.sum(axis=0, dtype=np.float64)
    if dx is not None:
        g = dy.astype(np.float64) if gamma is None else dy * gamma.astype(np.float64)
        slope = (g * normal).mean(axis=1, keepdims=True)
        dx[...] = rstd[:, None] * (g - g.mean(axis=1, keepdims=True) - normal * slope)
