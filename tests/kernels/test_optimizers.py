"""Optimizers against scikit-learn, PyTorch where it is, and the papers' recurrences by hand."""

import math

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from fastnn import kernels

STEPS = 25


def problem():
    """Start, and gradients of a convex function, alike for every optimizer."""
    rng = np.random.default_rng(0)
    centre, start = rng.normal(size=19), rng.normal(size=19)
    return start, lambda p: (p - centre) * np.linspace(0.1, 3, 19)


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_momentum_is_scikit_learns(backend, momentum, nesterov):
    p, gradient = problem()
    q, v = p.copy(), np.zeros_like(p)
    oracle = SGDOptimizer([q], 0.03, momentum=momentum, nesterov=nesterov)
    for _ in range(STEPS):
        oracle.update_params([q], [gradient(q)])
        kernels.momentum_step(p, gradient(p), v, 0.03, momentum, nesterov, 0.0)
    np.testing.assert_allclose(p, q, rtol=1e-11)


def test_sgd_is_momentum_without_momentum(backend):
    p, gradient = problem()
    q, v = p.copy(), np.zeros_like(p)
    for _ in range(STEPS):
        kernels.sgd_step(p, gradient(p), 0.03, 0.1)
        kernels.momentum_step(q, gradient(q), v, 0.03, 0.0, False, 0.1)
    np.testing.assert_allclose(p, q, rtol=1e-11)


def test_adam_is_scikit_learns_for_small_epsilon(backend):
    """scikit-learn adds epsilon before the correction of the bias: alike as epsilon vanishes."""
    p, gradient = problem()
    q, m, v = p.copy(), np.zeros_like(p), np.zeros_like(p)
    oracle = AdamOptimizer([q], 0.03, beta_1=0.8, beta_2=0.99, epsilon=1e-16)
    for t in range(1, STEPS + 1):
        oracle.update_params([q], [gradient(q)])
        kernels.adam_step(p, gradient(p), m, v, 0.03, 0.8, 0.99, 1e-16, t, 0.0)
    np.testing.assert_allclose(p, q, rtol=1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_adam_follows_the_paper(backend, decay):
    """Kingma and Ba's Algorithm 1 for each number by itself, with decoupled weight decay."""
    p, gradient = problem()
    m, v = np.zeros_like(p), np.zeros_like(p)
    numbers = [[x, 0.0, 0.0] for x in p.tolist()]
    for t in range(1, STEPS + 1):
        for number, g in zip(numbers, gradient(np.array([x[0] for x in numbers])), strict=True):
            number[1] += (1 - 0.9) * (g - number[1])
            number[2] += (1 - 0.99) * (g * g - number[2])
            corrected = number[1] / (1 - math.pow(0.9, t))
            root = math.sqrt(number[2] / (1 - math.pow(0.99, t)))
            number[0] -= 0.05 * (corrected / (root + 1e-3) + decay * number[0])
        kernels.adam_step(p, gradient(p), m, v, 0.05, 0.9, 0.99, 1e-3, t, decay)
    np.testing.assert_allclose(p, [x[0] for x in numbers], rtol=1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_rmsprop_follows_the_lecture(backend, decay):
    p, gradient = problem()
    s = np.zeros_like(p)
    numbers = [[x, 0.0] for x in p.tolist()]
    for _ in range(STEPS):
        for number, g in zip(numbers, gradient(np.array([x[0] for x in numbers])), strict=True):
            number[1] += (1 - 0.9) * (g * g - number[1])
            number[0] -= 0.05 * (g / (math.sqrt(number[1]) + 1e-3) + decay * number[0])
        kernels.rmsprop_step(p, gradient(p), s, None, None, 0.05, 0.9, 0.0, 1e-3, decay)
    np.testing.assert_allclose(p, [x[0] for x in numbers], rtol=1e-10)


@pytest.mark.parametrize("name", ["AdamW", "RMSprop"])
def test_steps_are_those_of_pytorch(backend, name):
    torch = pytest.importorskip("torch")
    p, gradient = problem()
    q = torch.tensor(p.copy(), requires_grad=True)
    slots = [np.zeros_like(p), np.zeros_like(p)]
    settings = {"AdamW": {"betas": (0.9, 0.99), "weight_decay": 0.2}, "RMSprop": {"alpha": 0.9}}
    oracle = getattr(torch.optim, name)([q], lr=0.05, eps=1e-3, **settings[name])
    for t in range(1, STEPS + 1):
        q.grad = torch.tensor(gradient(q.detach().numpy()))
        oracle.step()
        if name == "AdamW":
            kernels.adam_step(p, gradient(p), *slots, 0.05, 0.9, 0.99, 1e-3, t, 0.2)
        else:
            kernels.rmsprop_step(p, gradient(p), slots[0], None, None, 0.05, 0.9, 0.0, 1e-3, 0.0)
    np.testing.assert_allclose(p, q.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_adam_step_is_the_sign_of_the_gradient(backend, dtype):
    p, gradient = problem()
    p = p.astype(dtype)
    m, v = np.zeros_like(p), np.zeros_like(p)
    start, dp = p.copy(), gradient(p).astype(dtype)
    kernels.adam_step(p, dp, m, v, 0.01, 0.9, 0.999, 0.0, 1, 0.0)
    expected = start - dtype(0.01) * np.sign(dp)
    np.testing.assert_allclose(p, expected, rtol=0, atol=8 * np.finfo(dtype).eps)
