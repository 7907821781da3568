"""Parts of a training step that peers do too: inputs, and checks of outputs.

A check is called with the outcome of the first call and with the arguments of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .networks import Workload

RATE = 0.2  # of dropout
ROUNDED = 1e-4  # relative: what deciding by words of 16 bits makes of a rate
LEARNING_RATE = 1e-3
SINGLE = np.finfo(np.float32).eps
FORMS = ("x w", "dy wᵀ", "xᵀ dy")  # the three products of a step
FUNCTIONS = {"exp": np.exp, "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}


def matrices(
    m: int, k: int, n: int, form: str = FORMS[0], dtype: str = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of a product (m, n) with sums over k, as they are stored.

    A transposed one is stored as (k, m) on the left, and as (n, k) on the right.
    """
    _, left, right = FORMS
    random = np.random.default_rng(0)
    shapes = (k, m) if form == right else (m, k), (n, k) if form == left else (k, n)
    a, b = (random.standard_normal(shape, dtype) for shape in shapes)
    return a, b


def operands(
    m: int, k: int, n: int, form: str = FORMS[0], dtype: str = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same as views (m, k) and (k, n)."""
    a, b = matrices(m, k, n, form, dtype)
    return a.T if form == FORMS[2] else a, b.T if form == FORMS[1] else b


def numbers(size: int) -> np.ndarray:
    """Return the input of an activation, (size,)."""
    return np.random.default_rng(0).standard_normal(size, np.float32)


def check_gemm(y: np.ndarray, m: int, k: int, n: int, *form_and_dtype: str) -> None:
    """Check a product: values are of size √k, errors hardly add up to k roundings."""
    expected, rounding = _product(m, k, n, *form_and_dtype), np.finfo(np.asarray(y).dtype).eps
    np.testing.assert_allclose(y, expected, rtol=0, atol=4 * k * rounding)


def check_dense_dropout(y: np.ndarray, m: int, k: int, n: int) -> None:
    """Check relu(x w), of which some are kept and enlarged."""
    kept = y != 0
    whole = np.maximum(_product(m, k, n), 0)
    scaled, slack = whole[kept] / (1 - RATE), 2 * k * SINGLE
    np.testing.assert_allclose(y[kept], scaled, rtol=ROUNDED, atol=slack)
    _check_share(np.count_nonzero(kept), np.count_nonzero(whole))


def check_adam(p: np.ndarray, size: int) -> None:
    """Check that a gradient of one moves p = 0 with zero moments by the learning rate."""
    np.testing.assert_allclose(p, np.full(size, -LEARNING_RATE), rtol=1e-5)


def check_dropout(y: np.ndarray, size: int) -> None:
    """Check dropout of ones."""
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / (1 - RATE), rtol=ROUNDED)
    _check_share(np.count_nonzero(kept), size)


def check_activation(y: np.ndarray, name: str, size: int) -> None:
    expected = FUNCTIONS[name](numbers(size).astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=1e-5)


def check_prediction(p: np.ndarray, workload: Workload) -> None:
    """Check probabilities (1, classes) of the first row by the first weights."""
    x = workload.data[0][:1].astype(np.float64)
    for w, b in zip(workload.weights[:-2:2], workload.weights[1:-2:2], strict=True):
        x = np.maximum(x @ w + b, 0)
    z = x @ workload.weights[-2] + workload.weights[-1]
    np.testing.assert_allclose(p, np.exp(z) / np.exp(z).sum(), rtol=1e-3, atol=1e-6)


def check_losses(losses: Sequence[float], workload: Workload, *_: object) -> None:
    """Check that each epoch has a mean loss; `oracle` knows what they must be exactly."""
    assert len(losses) == workload.epochs
    assert np.isfinite(losses).all()


def check_first_step(figures: Mapping[str, float], workload: Workload) -> None:
    """Check for a loss no worse than guessing, by a factor of what first weights may do."""
    assert 0 < figures["loss"] < 10 * np.log(workload.sizes[-1])


#: By the kind of work, as adapters name it.
CHECKS: dict[str, Callable[..., None]] = {
    "trainer": check_losses,
    "compiled_trainer": check_losses,
    "channels_last_trainer": check_losses,
    "scan_trainer": check_losses,
    "predictor": check_prediction,
    "build": check_first_step,
    "gemm": check_gemm,
    "dense_dropout": check_dense_dropout,
    "adam": check_adam,
    "public_adam": check_adam,
    "dropout": check_dropout,
    "activation": check_activation,
}


def _product(m: int, k: int, n: int, *form_and_dtype: str) -> np.ndarray:
    a, b = operands(m, k, n, *form_and_dtype)
    return a.astype(np.float64) @ b


def _check_share(kept: int, size: int) -> None:
    """Check the share of what is kept, within six standard deviations."""
    assert abs(kept / size - (1 - RATE)) < 6 * np.sqrt(RATE * (1 - RATE) / size)
