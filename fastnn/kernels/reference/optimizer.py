"""Optimizers: one pass over a flat array of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..table import Array, kernel, per
from .quiet import quiet

# Terms that dp lacks of the gradient: none, or all.
_WHOLE = {"l1": 0.0, "l2": 0.0, "scale": 1.0, "clip": math.inf}
_PARTIAL = {"l1": 0.01, "l2": 0.1, "scale": 0.5, "clip": 0.75}


def step_kernel(
    flops: float, slots: Mapping[str, str], *settings: dict[str, Any]
) -> Callable[..., Any]:
    """Enter the step of an optimizer in the table; the last settings also with a partial gradient.

    `slots` says how tests fill them; a question mark behind a name makes the slot optional.
    """
    arrays = {"p": Array("*", "rw"), "dp": Array("*")}
    for slot, values in slots.items():
        optional = slot.endswith("?")
        arrays[slot.rstrip("?")] = Array("*", "rw", optional=optional, values=values)
    return kernel(
        arrays=arrays,
        flops=per("*", flops),
        scalars=(*(row | _WHOLE for row in settings), settings[-1] | _PARTIAL),
        relative_to="array",
    )


# weight_decay is decoupled everywhere: p shrinks by lr · weight_decay · p beside the step proper
# (Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019).
#
# Every step takes four more numbers, for what would otherwise be passes of their own over dp: the
# strengths l1 and l2 of a penalty whose gradient is not in dp yet, a scale that brings the norm of
# the gradient down to a limit (see `sum_of_squares`), and a limit for each of its elements.


def whole_gradient(p, dp, l1, l2, scale, clip):
    """Return scale · (dp + l1 sign(p) + l2 p), each element clipped to [−clip, clip]."""
    g = scale * (dp + l1 * np.sign(p) + l2 * p)
    return np.minimum(np.maximum(g, -clip), clip)


@step_kernel(4, {}, {"lr": 0.1, "weight_decay": 0.0}, {"lr": 0.01, "weight_decay": 0.1})
@quiet
def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    """Gradient descent: p ← p − lr (dp + weight_decay p).

    Parameters
    ----------
    p : ndarray, shape (*), real
        Updated.
    dp : ndarray, shape (*), real
        Gradient.
    lr, weight_decay : float
    l1, l2, scale, clip : float
        The step is that of the gradient scale · (dp + l1 sign(p) + l2 p), no element of which is
        larger than clip.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p = np.array([1.0])
    >>> fastnn.kernels.sgd_step(p, np.array([2.0]), lr=0.25, weight_decay=0.0); p
    array([0.5])
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    p[...] = p - lr * weight_decay * p - lr * g


@step_kernel(
    7,
    {"v": "normal"},
    {"lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0},
    {"lr": 0.01, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
)
@quiet
def momentum_step(
    p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf
):
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
    l1, l2, scale, clip : float
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
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    v[...] = momentum * v - lr * g
    if nesterov:
        p[...] = p - lr * weight_decay * p + (momentum * v - lr * g)
    else:
        p[...] = p - lr * weight_decay * p + v


@step_kernel(
    8,
    {"s": "positive"},
    {"lr": 0.1, "eps": 1e-10, "weight_decay": 0.0},
    {"lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
)
@quiet
def adagrad_step(p, dp, s, lr, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    """Adagrad: s ← s + dp², p ← p − lr dp / (√s + ε).

    Parameters
    ----------
    p, s : ndarray, shape (*), real
        Updated; s is the sum of the squared gradients, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, eps, weight_decay : float
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
    optimization. JMLR 12, 2011; the diagonal form, ε (their δ) outside the root.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, s = np.array([1.0]), np.array([5.0])
    >>> fastnn.kernels.adagrad_step(p, np.array([2.0]), s, 0.75, 0.0, 0.0); p, s
    (array([0.5]), array([9.]))
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    s[...] = s + g * g
    p[...] = p - lr * weight_decay * p - lr * g / (np.sqrt(s) + eps)


@step_kernel(
    16,
    {"s": "positive", "mean?": "small", "v?": "normal"},
    {"lr": 0.001, "rho": 0.9, "momentum": 0.9, "eps": 1e-8, "weight_decay": 0.0},
    {"lr": 0.01, "rho": 0.5, "momentum": 0.5, "eps": 1e-3, "weight_decay": 0.1},
)
@quiet
def rmsprop_step(
    p, dp, s, mean, v, lr, rho, momentum, eps, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    """RMSProp: s ← ρ s + (1 − ρ) dp², p ← p − lr dp / (√s + ε); centred and with momentum.

    Centred, the mean is kept too, mean ← ρ mean + (1 − ρ) dp, and s − mean², an estimate of the
    variance, takes the place of s under the root. With momentum, v ← μ v − lr dp / (√s + ε) and
    p ← p + v.

    Parameters
    ----------
    p, s : ndarray, shape (*), real
        Updated; s is the running mean square, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    mean : ndarray, shape (*), real, or None
        Updated; the running mean, zero at the start. None for the plain form.
    v : ndarray, shape (*), real, or None
        Updated; the velocity, zero at the start. None where there is no momentum.
    lr, rho, momentum, eps, weight_decay : float
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Hinton: Neural networks for machine learning, lecture 6e, 2012. Graves: Generating sequences
    with recurrent neural networks. arXiv:1308.0850, 2013 (centred, with momentum), where ε stands
    under the root; here it stands outside in every form. A variance that rounding makes negative
    counts as 0.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, s = np.array([1.0]), np.array([0.0])
    >>> fastnn.kernels.rmsprop_step(p, np.array([2.0]), s, None, None, 0.25, 0.75, 0.0, 0.0, 0.0)
    >>> p, s
    (array([0.5]), array([1.]))
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    s[...] = rho * s + (1 - rho) * (g * g)
    if mean is None:
        step = lr * g / (np.sqrt(s) + eps)
    else:
        mean[...] = rho * mean + (1 - rho) * g
        step = lr * g / (np.sqrt(np.maximum(s - mean * mean, 0)) + eps)
    if v is None:
        p[...] = p - lr * weight_decay * p - step
    else:
        v[...] = momentum * v - step
        p[...] = p - lr * weight_decay * p + v


@step_kernel(
    11,
    {"m": "normal"},
    {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1},
)
@quiet
def lion_step(p, dp, m, lr, beta1, beta2, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    """Lion: p ← p − lr sign(β₁ m + (1 − β₁) dp), then m ← β₂ m + (1 − β₂) dp.

    Parameters
    ----------
    p, m : ndarray, shape (*), real
        Updated; m is the running mean, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, beta1, beta2, weight_decay : float
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Chen et al.: Symbolic discovery of optimization algorithms. NeurIPS 2023.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, m = np.array([1.0]), np.array([-4.0])
    >>> fastnn.kernels.lion_step(p, np.array([2.0]), m, 0.25, 0.5, 0.75, 0.0); p, m
    (array([1.25]), array([-2.5]))
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    p[...] = p - lr * weight_decay * p - lr * np.sign(beta1 * m + (1 - beta1) * g)
    m[...] = beta2 * m + (1 - beta2) * g
