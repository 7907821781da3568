"""Adam and its descendants: one pass over a flat array of parameters."""

from __future__ import annotations

import math

import numpy as np

from .optimizer import step_kernel, whole_gradient
from .quiet import quiet

_MOMENTS = {"m": "normal", "v": "positive"}
_FIRST = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 1, "weight_decay": 0.0}
_LATE = {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "eps": 1e-6, "t": 10**9, "weight_decay": 0.1}
_NADAM = _FIRST | {"momentum_decay": 0.004}

# All keep running moments of the gradient, m ← β₁ m + (1 − β₁) dp and v ← β₂ v + (1 − β₂) dp², and
# correct their bias towards the zeros of the start: m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). ε is
# added to √v̂, after the correction, as in Algorithm 1 of Kingma and Ba (ICLR 2015).

NADAM_BASE = 0.96  # of the schedule of NAdam's momentum
NADAM_TERMS = 52  # of its series: the next one is below 2⁻⁵² of the first
RADAM_LEAST = 5.0  # length of the average from which on RAdam trusts the second moment


def update_moments(m, v, g, beta1, beta2):
    """Update the running mean and mean square of the gradient with g."""
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * (g * g)


@step_kernel(14, _MOMENTS, _FIRST, _LATE)
@quiet
def adam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
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
    l1, l2, scale, clip : float
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
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    update_moments(m, v, g, beta1, beta2)
    step = lr / (1 - beta1**t)
    root = 1 / np.sqrt(1 - beta2**t)
    p[...] = p - lr * weight_decay * p - step * m / (np.sqrt(v) * root + eps)


@step_kernel(15, {**_MOMENTS, "largest": "positive"}, _FIRST, _LATE)
@quiet
def amsgrad_step(
    p, dp, m, v, largest, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    """AMSGrad: Adam with the largest second moment so far in the place of the current one.

    m and v as in `adam_step`; u ← max(u, v), p ← p − lr m̂ / (√(u / (1 − β₂ᵗ)) + ε).

    Parameters
    ----------
    p, m, v, largest : ndarray, shape (*), real
        Updated; m and v are the running moments and u, `largest`, the maximum of v; zero at the
        start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, beta1, beta2, eps : float
    t : int
        Number of this step, counted from 1.
    weight_decay : float
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Reddi, Kale, Kumar: On the convergence of Adam and beyond. ICLR 2018. Their algorithm corrects
    no bias; here both corrections of Adam stay, as in Keras and PyTorch.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, m, v, u = np.array([1.0]), np.zeros(1), np.zeros(1), np.array([128.0])
    >>> fastnn.kernels.amsgrad_step(p, np.array([8.0]), m, v, u, 0.5, 0.5, 0.5, 0.0, 1, 0.0); p
    array([0.75])
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    update_moments(m, v, g, beta1, beta2)
    largest[...] = np.maximum(largest, v)
    step = lr / (1 - beta1**t)
    root = 1 / np.sqrt(1 - beta2**t)
    p[...] = p - lr * weight_decay * p - step * m / (np.sqrt(largest) * root + eps)


def nadam_momentum(beta1, momentum_decay, t):
    """Return μ_t = β₁ (1 − ½ 0.96^(ψ t)), where ψ is `momentum_decay`."""
    return beta1 * (1 - 0.5 * NADAM_BASE ** (momentum_decay * t))


def nadam_product(beta1, momentum_decay, t):
    """Return μ₁ μ₂ … μ_t, without the t factors.

    With r = 0.96^ψ, the sum of the logarithms of 1 − ½ rⁱ is −Σₖ 2⁻ᵏ / k · Σᵢ rᵏⁱ, whose inner sum
    is geometric: rᵏ (1 − rᵏᵗ) / (1 − rᵏ). Both differences come from recurrences that add positive
    numbers alone, so nothing cancels although r is close to 1.
    """
    rate = momentum_decay * math.log(NADAM_BASE)
    one_step, all_steps = -math.expm1(rate), -math.expm1(rate * t)  # 1 − r, 1 − rᵗ
    gap, whole = one_step, all_steps  # 1 − rᵏ, 1 − rᵏᵗ
    half = 1.0
    total = 0.0
    for k in range(1, NADAM_TERMS + 1):
        half = half / 2
        total += half / k * (1 - gap) * (whole / gap if gap > 0 else t)
        gap += (1 - gap) * one_step
        whole += (1 - whole) * all_steps
    return beta1**t * math.exp(-total)


@step_kernel(
    16,
    _MOMENTS,
    _NADAM,
    _NADAM | {"t": 300},
    _NADAM | {"t": 10**9, "beta1": 0.5, "momentum_decay": 0.0, "weight_decay": 0.1},
)
@quiet
def nadam_step(
    p, dp, m, v, lr, beta1, beta2, momentum_decay, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    """NAdam: Adam with Nesterov's look ahead and a momentum that grows with the steps.

    With m, v and v̂ as in `adam_step` and μ_t = β₁ (1 − ½ 0.96^(ψ t)),
    p ← p − lr [μ_{t+1} m / (1 − Π_{i≤t+1} μ_i) + (1 − μ_t) dp / (1 − Π_{i≤t} μ_i)] / (√v̂ + ε).

    Parameters
    ----------
    p, m, v : ndarray, shape (*), real
        Updated; m and v are the running moments, zero at the start.
    dp : ndarray, shape (*), real
        Gradient.
    lr, beta1, beta2 : float
    momentum_decay : float
        ψ, not negative.
    eps : float
    t : int
        Number of this step, counted from 1.
    weight_decay : float
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Dozat: Incorporating Nesterov momentum into Adam. ICLR 2016 workshop. As in Keras and PyTorch, m
    decays by β₁ (by μ_t there) and v̂ is Adam's (β₂ times that there).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> fastnn.kernels.nadam_step(p, np.array([8.0]), m, v, 0.25, 0.0, 0.5, 0.004, 0.0, 1, 0.0); p
    array([0.75])
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    update_moments(m, v, g, beta1, beta2)
    momentum = nadam_momentum(beta1, momentum_decay, t)
    following = nadam_momentum(beta1, momentum_decay, t + 1)
    product = nadam_product(beta1, momentum_decay, t)
    step = lr * following / (1 - product * following)
    ahead = lr * (1 - momentum) / (1 - product)
    root = 1 / np.sqrt(1 - beta2**t)
    p[...] = p - lr * weight_decay * p - (step * m + ahead * g) / (np.sqrt(v) * root + eps)


def radam_rectifier(beta2, t):
    """Return the factor that corrects the variance of an early second moment; 0 at first.

    ρ_∞ = 2 / (1 − β₂) − 1, ρ_t = ρ_∞ − 2 t β₂ᵗ / (1 − β₂ᵗ).
    """
    final = 2 / (1 - beta2) - 1
    power = beta2**t
    length = final - 2 * t * power / (1 - power)
    if length <= RADAM_LEAST:
        return 0.0
    numerator = (length - 4) * (length - 2) * final
    return math.sqrt(numerator / ((final - 4) * (final - 2) * length))


@step_kernel(14, _MOMENTS, _FIRST | {"t": 5}, _FIRST | {"t": 6}, _LATE)
@quiet
def radam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    """RAdam: p ← p − lr r_t m̂ / (√v̂ + ε) and, for the first few steps, p ← p − lr m̂.

    m̂ and v̂ as in `adam_step`. With ρ_∞ = 2 / (1 − β₂) − 1 and ρ_t = ρ_∞ − 2 t β₂ᵗ / (1 − β₂ᵗ),
    r_t = √((ρ_t − 4) (ρ_t − 2) ρ_∞ / ((ρ_∞ − 4) (ρ_∞ − 2) ρ_t)) as soon as ρ_t > 5.

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
    l1, l2, scale, clip : float
        As for `sgd_step`.

    References
    ----------
    Liu et al.: On the variance of the adaptive learning rate and beyond. ICLR 2020. Their text has
    ρ_t > 4 and no ε; the authors' program, like PyTorch, waits for ρ_t > 5.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> fastnn.kernels.radam_step(p, np.array([2.0]), m, v, 0.25, 0.5, 0.999, 0.0, 1, 0.0); p
    array([0.5])
    """
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    update_moments(m, v, g, beta1, beta2)
    step = lr / (1 - beta1**t)
    rectifier = radam_rectifier(beta2, t)
    shrunk = p - lr * weight_decay * p
    if rectifier > 0:
        root = 1 / np.sqrt(1 - beta2**t)
        p[...] = shrunk - step * rectifier * m / (np.sqrt(v) * root + eps)
    else:
        p[...] = shrunk - step * m
