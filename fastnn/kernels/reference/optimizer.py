"""Optimizers: one pass over a flat array of parameters."""

from __future__ import annotations

import numpy as np

from .quiet import quiet

# weight_decay is decoupled everywhere: p shrinks by lr · weight_decay · p beside the step proper
# (Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019).
#
# Every step takes three more numbers, for what would otherwise be passes of their own over dp: the
# strengths l1 and l2 of a penalty whose gradient is not in dp yet, and a scale that brings the norm
# of the gradient down to a limit (see `sum_of_squares`).


def whole_gradient(p, dp, l1, l2, scale):
    """scale · (dp + l1 sign(p) + l2 p)."""
    return scale * (dp + l1 * np.sign(p) + l2 * p)


@quiet
def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    """Gradient descent: p ← p − lr (dp + weight_decay p).

    Parameters
    ----------
    p : ndarray, shape (*), real
        Updated.
    dp : ndarray, shape (*), real
        Gradient.
    lr, weight_decay : float
    l1, l2, scale : float
        The step is that of the gradient scale · (dp + l1 sign(p) + l2 p).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p = np.array([1.0])
    >>> fastnn.kernels.sgd_step(p, np.array([2.0]), lr=0.25, weight_decay=0.0); p
    array([0.5])
    """
    g = whole_gradient(p, dp, l1, l2, scale)
    p[...] = p - lr * weight_decay * p - lr * g


@quiet
def momentum_step(p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    """Momentum: v ← μ v − lr dp, then p ← p + v, or p ← p + μ v − lr dp for Nesterov's form.

    Parameters
    ----------
    p, v : ndarray, shape (*), real
        Updated; v is the velocity, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, momentum : float
    nesterov : bool
    weight_decay : float
    l1, l2, scale : float
        As for `sgd_step`.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep
    learning. ICML 2013. The velocity holds the learning rate, as in Keras and scikit-learn.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, v = np.array([1.0]), np.array([0.5])
    >>> fastnn.kernels.momentum_step(p, np.array([1.0]), v, 0.25, 0.5, False, 0.0); p, v
    (array([1.]), array([0.]))
    """
    g = whole_gradient(p, dp, l1, l2, scale)
    v[...] = momentum * v - lr * g
    if nesterov:
        p[...] = p - lr * weight_decay * p + (momentum * v - lr * g)
    else:
        p[...] = p - lr * weight_decay * p + v


@quiet
def rmsprop_step(p, dp, s, lr, rho, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    """RMSProp: s ← ρ s + (1 − ρ) dp², p ← p − lr dp / (√s + ε).

    Parameters
    ----------
    p, s : ndarray, shape (*), real
        Updated; s is the running mean square, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, rho, eps, weight_decay : float
    l1, l2, scale : float
        As for `sgd_step`.

    References
    ----------
    Hinton: Neural networks for machine learning, lecture 6e, 2012; ε outside the root.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, s = np.array([1.0]), np.array([0.0])
    >>> fastnn.kernels.rmsprop_step(p, np.array([2.0]), s, 0.25, 0.75, 0.0, 0.0); p, s
    (array([0.5]), array([1.]))
    """
    g = whole_gradient(p, dp, l1, l2, scale)
    s[...] = rho * s + (1 - rho) * (g * g)
    p[...] = p - lr * weight_decay * p - lr * g / (np.sqrt(s) + eps)


@quiet
def adam_step(p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    """Adam, and AdamW with a weight decay: p ← p − lr m̂ / (√v̂ + ε).

    m ← β₁ m + (1 − β₁) dp and v ← β₂ v + (1 − β₂) dp²; m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).

    Parameters
    ----------
    p, m, v : ndarray, shape (*), real
        Updated; m and v are the running moments, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, beta1, beta2, eps : float
    t : int
        Number of this step, counted from 1.
    weight_decay : float
    l1, l2, scale : float
        As for `sgd_step`.

    References
    ----------
    Kingma, Ba: Adam. ICLR 2015; ε is added after the bias correction, as in their Algorithm 1.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> fastnn.kernels.adam_step(p, np.array([8.0]), m, v, 0.25, 0.5, 0.5, 0.0, 1, 0.0); p
    array([0.75])
    """
    g = whole_gradient(p, dp, l1, l2, scale)
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * (g * g)
    step = lr / (1 - beta1**t)
    root = 1 / np.sqrt(1 - beta2**t)
    p[...] = p - lr * weight_decay * p - step * m / (np.sqrt(v) * root + eps)
