"""Two hundred steps of every optimizer: by hand, number by number, and against PyTorch."""

import math

import numpy as np
import pytest

from fastnn import kernels
from fastnn.kernels.reference.adam import nadam_momentum, nadam_product

STEPS = 200
SIZE = 37  # two vectors of float32 and a part
LR, DECAY, EPS = 0.01, 0.1, 1e-8


def gradients():
    return np.random.default_rng(3).normal(0.3, 1, size=(STEPS, SIZE))


def start():
    return np.random.default_rng(4).normal(size=SIZE)


# Each hand-written recurrence: the state of one number, as zeros of a dict, and the change of p.


def sgd(state, g, t):
    return LR * g


def momentum(state, g, t):
    state["v"] = 0.9 * state["v"] - LR * g
    return -state["v"]


def nesterov(state, g, t):
    state["v"] = 0.9 * state["v"] - LR * g
    return LR * g - 0.9 * state["v"]


def adagrad(state, g, t):
    state["s"] += g**2
    return LR * g / (math.sqrt(state["s"]) + EPS)


def rmsprop(state, g, t, *, centred=False, velocity=False):
    state["s"] = 0.9 * state["s"] + 0.1 * g**2
    state["mean"] = 0.9 * state["mean"] + 0.1 * g
    square = state["s"] - centred * state["mean"] ** 2
    step = LR * g / (math.sqrt(square) + EPS)
    state["v"] = 0.8 * velocity * state["v"] - step
    return -state["v"]


def moments(state, g, t):
    state["m"] = 0.9 * state["m"] + (1 - 0.9) * g
    state["v"] = 0.99 * state["v"] + (1 - 0.99) * g**2
    return state["m"] / (1 - 0.9**t), state["v"] / (1 - 0.99**t)


def adam(state, g, t):
    mean, square = moments(state, g, t)
    return LR * mean / (math.sqrt(square) + EPS)


def amsgrad(state, g, t):
    mean, _ = moments(state, g, t)
    state["largest"] = max(state["largest"], state["v"])
    return LR * mean / (math.sqrt(state["largest"] / (1 - 0.99**t)) + EPS)


def nadam(state, g, t):
    _, square = moments(state, g, t)
    mu = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in range(1, t + 2)]
    look_ahead = mu[t] * state["m"] / (1 - math.prod(mu))
    now = (1 - mu[t - 1]) * g / (1 - math.prod(mu[:t]))
    return LR * (look_ahead + now) / (math.sqrt(square) + EPS)


def radam(state, g, t):
    mean, square = moments(state, g, t)
    final = 2 / (1 - 0.99) - 1
    length = final - 2 * t * 0.99**t / (1 - 0.99**t)
    if length <= 5:
        return LR * mean
    r = (length - 4) * (length - 2) * final / ((final - 4) * (final - 2) * length)
    return LR * math.sqrt(r) * mean / (math.sqrt(square) + EPS)


def lion(state, g, t):
    blend = 0.9 * state["m"] + (1 - 0.9) * g
    state["m"] = 0.95 * state["m"] + (1 - 0.95) * g
    return LR * math.copysign(1, blend)


# name: (recurrence, kernel, slots, scalars before the weight decay; t stands for the step)
CASES = {
    "sgd": (sgd, "sgd_step", "", (LR,)),
    "momentum": (momentum, "momentum_step", "v", (LR, 0.9, False)),
    "nesterov": (nesterov, "momentum_step", "v", (LR, 0.9, True)),
    "adagrad": (adagrad, "adagrad_step", "s", (LR, EPS)),
    "rmsprop": (rmsprop, "rmsprop_step", "s..", (LR, 0.9, 0.0, EPS)),
    "rmsprop centred": (lambda *a: rmsprop(*a, centred=True), "rmsprop_step", "sm.",
                        (LR, 0.9, 0.0, EPS)),
    "rmsprop moving": (lambda *a: rmsprop(*a, velocity=True), "rmsprop_step", "s.v",
                       (LR, 0.9, 0.8, EPS)),
    "rmsprop both": (lambda *a: rmsprop(*a, centred=True, velocity=True), "rmsprop_step", "smv",
                     (LR, 0.9, 0.8, EPS)),
    "adam": (adam, "adam_step", "mv", (LR, 0.9, 0.99, EPS, "t")),
    "amsgrad": (amsgrad, "amsgrad_step", "mvu", (LR, 0.9, 0.99, EPS, "t")),
    "nadam": (nadam, "nadam_step", "mv", (LR, 0.9, 0.99, 0.004, EPS, "t")),
    "radam": (radam, "radam_step", "mv", (LR, 0.9, 0.99, EPS, "t")),
    "lion": (lion, "lion_step", "m", (LR, 0.9, 0.95)),
}  # fmt: skip


def by_hand(recurrence):
    """The path of every number by itself, shape (STEPS, SIZE)."""
    path = np.empty((STEPS, SIZE))
    for i, p in enumerate(start().tolist()):
        state = dict.fromkeys(("s", "mean", "m", "v", "largest"), 0.0)
        for t, g in enumerate(gradients()[:, i].tolist(), 1):
            p -= recurrence(state, g, t) + LR * DECAY * p
            path[t - 1, i] = p
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_steps_are_those_written_by_hand(backend, name, dtype):
    recurrence, kernel, slots, scalars = CASES[name]
    p = start().astype(dtype)
    arrays = [None if slot == "." else np.zeros_like(p) for slot in slots]
    path = np.empty((STEPS, SIZE))
    for t, g in enumerate(gradients().astype(dtype), 1):
        numbers = [t if value == "t" else value for value in scalars]
        getattr(kernels, kernel)(p, g, *arrays, *numbers, DECAY)
        path[t - 1] = p
    # relative to the size of p; in float32 each step may round by an epsilon
    tolerance = 1e-10 if dtype is np.float64 else STEPS * np.finfo(np.float32).eps
    np.testing.assert_allclose(path, by_hand(recurrence), rtol=tolerance, atol=tolerance)


# name: (class of torch.optim, its settings)
TORCH = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"eps": EPS}),
    "rmsprop": ("RMSprop", {"alpha": 0.9, "eps": EPS}),
    "rmsprop centred": ("RMSprop", {"alpha": 0.9, "eps": EPS, "centered": True}),
    "rmsprop moving": ("RMSprop", {"alpha": 0.9, "eps": EPS, "momentum": 0.8}),
    "rmsprop both": ("RMSprop", {"alpha": 0.9, "eps": EPS, "momentum": 0.8, "centered": True}),
    "adam": ("AdamW", {"betas": (0.9, 0.99), "eps": EPS, "weight_decay": DECAY}),
    "amsgrad": ("AdamW", {"betas": (0.9, 0.99), "eps": EPS, "amsgrad": True,
                          "weight_decay": DECAY}),
    "nadam": ("NAdam", {"betas": (0.9, 0.99), "eps": EPS, "weight_decay": DECAY,
                        "decoupled_weight_decay": True}),
    # PyTorch adds epsilon before the correction of the bias: alike while it is small
    "radam": ("RAdam", {"betas": (0.9, 0.99), "eps": EPS, "weight_decay": DECAY,
                        "decoupled_weight_decay": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_steps_are_those_of_pytorch(backend, name):
    """Steps are compared in float64, along gradients that depend on the point."""
    torch = pytest.importorskip("torch")
    kind, settings = TORCH[name]
    _, kernel, slots, scalars = CASES[name]
    centre, curvature = np.random.default_rng(5).normal(size=SIZE), np.linspace(0.1, 3, SIZE)
    p = start()
    q = torch.tensor(p.copy(), requires_grad=True)
    oracle = getattr(torch.optim, kind)([q], lr=LR, **settings)
    arrays = [None if slot == "." else np.zeros_like(p) for slot in slots]
    for t, noise in enumerate(gradients(), 1):
        q.grad = torch.tensor((q.detach().numpy() - centre) * curvature + noise)
        oracle.step()
        numbers = [t if value == "t" else value for value in scalars]
        g = (p - centre) * curvature + noise
        getattr(kernels, kernel)(p, g, *arrays, *numbers, settings.get("weight_decay", 0.0))
    np.testing.assert_allclose(p, q.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("momentum_decay", [0.0, 1e-6, 0.004, 1.0, 1e4])
def test_the_product_of_momenta_without_its_factors(beta1, momentum_decay):
    product = 1.0
    for t in range(1, 400):
        product *= nadam_momentum(beta1, momentum_decay, t)
        if product > 1e-290:  # below, products of denormal numbers have few digits
            assert nadam_product(beta1, momentum_decay, t) == pytest.approx(product, rel=1e-11)


@pytest.mark.parametrize("clip", [0.5, math.inf])
@pytest.mark.parametrize("kernel", sorted({case[1] for case in CASES.values()}))
def test_what_a_gradient_lacks_is_added_scaled_and_limited(backend, kernel, clip):
    """A step of an incomplete gradient is that of the whole one, worked out in advance."""
    _, _, slots, scalars = next(case for case in CASES.values() if case[1] == kernel)
    dp = gradients()[0]
    whole = np.clip(0.5 * (dp + 0.3 * np.sign(start()) + 0.2 * start()), -clip, clip)
    results = []
    for g, rest in ((dp, (0.3, 0.2, 0.5, clip)), (whole, ())):
        p = start()
        arrays = [None if slot == "." else np.full_like(p, 0.1) for slot in slots]
        numbers = [7 if value == "t" else value for value in scalars]
        getattr(kernels, kernel)(p, g, *arrays, *numbers, DECAY, *rest)
        results.append(np.concatenate([p, *(a for a in arrays if a is not None)]))
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_frozen_weights_get_no_gradient(backend):
    """dw may be left out with and without dx, and nothing else changes."""
    rng = np.random.default_rng(6)
    x, w, dy = rng.normal(size=(9, 5)), rng.normal(size=(5, 7)), rng.normal(size=(9, 7))
    y = np.tanh(x @ w)
    whole = np.empty((9, 5)), np.empty((5, 7)), np.empty(7), dy.copy()
    kernels.dense_bwd(*whole, y, x, w, "tanh")
    dx, dz = np.empty((9, 5)), dy.copy()
    kernels.dense_bwd(dx, None, None, dz, y, x, w, "tanh")
    np.testing.assert_array_equal(dx, whole[0])
    np.testing.assert_array_equal(dz, whole[3])
    dz = dy.copy()
    kernels.dense_bwd(None, None, None, dz, y, x, w, "tanh")
    np.testing.assert_array_equal(dz, whole[3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("units", [1, 127, 128, 129, 300])
def test_units_are_no_longer_than_the_limit(backend, units, dtype):
    w = np.random.default_rng(7).normal(size=(20, units)).astype(dtype)
    w[:, ::2] *= 0.1  # short ones among the long
    before = w.copy()
    kernels.max_norm(w, 2.0)
    norms = np.linalg.norm(before.astype(float), axis=0)
    np.testing.assert_array_equal(w[:, norms <= 2], before[:, norms <= 2])
    expected = before[:, norms > 2] * (2 / norms[norms > 2])
    np.testing.assert_allclose(w[:, norms > 2], expected, rtol=4 * np.finfo(dtype).eps)
