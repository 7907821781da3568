"""Wrong gradients are found and located."""

import math

import numpy as np
import pytest
from checking import LIMIT, check, data

from fastnn import Dense, Dropout, kernels

LAYERS = [
    Dense(4, "tanh", name="first", l2=0.1),
    Dropout(0.5),
    Dense(5, "sigmoid", name="second"),
    Dense(2, name="third"),
]
FIRST, SECOND = {"first/weights", "first/bias"}, {"second/weights", "second/bias"}


def bias_gradient_of_a_mean(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)
        if len(db) == 5:
            db /= len(x)

    return broken


def one_weight_off(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)
        if len(db) == 5:
            dw[2, 3] *= 1.01

    return broken


def slope_of_another_activation(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        activation = "softplus" if activation == "sigmoid" else activation
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)

    return broken


def no_scale(dense_dropout_bwd):
    """Break the kernel of a dense layer and the dropout behind it by leaving out a factor."""

    def broken(dx, dw, db, dy, y, mask, x, w, activation, rate, z=None):
        dy *= 1 - rate
        dense_dropout_bwd(dx, dw, db, dy, y, mask, x, w, activation, rate, z)

    return broken


def twice_the_gradient(penalty):
    def broken(dp, p, l1, l2):
        if dp is not None:
            dp += l1 * np.sign(p) + l2 * p
        return penalty(dp, p, l1, l2)

    return broken


@pytest.mark.parametrize(
    ("kernel", "breakage", "wrong"),
    [
        ("dense_bwd", bias_gradient_of_a_mean, {"second/bias"}),
        ("dense_bwd", one_weight_off, {"second/weights"}),
        ("dense_bwd", slope_of_another_activation, FIRST | SECOND),
        ("dense_dropout_bwd", no_scale, FIRST),
        ("penalty", twice_the_gradient, {"first/weights"}),
    ],
)
def test_a_broken_backward_is_found_and_located(monkeypatch, kernel, breakage, wrong):
    X, y = data("mean_squared_error")
    with kernels.use("reference"):
        assert check(LAYERS, X, y).max_relative_error <= LIMIT
        monkeypatch.setattr(kernels.reference, kernel, breakage(getattr(kernels.reference, kernel)))
        result = check(LAYERS, X, y)
    assert {name for name, e in result.relative_errors.items() if e > LIMIT} == wrong
    assert all(result.relative_errors[name] > 1e-4 for name in wrong)
    assert result.worst in wrong
    assert result.max_relative_error == result.relative_errors[result.worst]
    assert f"{result.max_relative_error:.1e} in {result.worst}" in str(result)


def test_the_size_of_an_error(monkeypatch):
    X, y = data("mean_squared_error")
    broken = no_scale(kernels.reference.dense_dropout_bwd)
    monkeypatch.setattr(kernels.reference, "dense_dropout_bwd", broken)
    with kernels.use("reference"):
        result = check([Dense(4), Dropout(0.5), Dense(2)], X, y)
    # Half the gradient: |g - 2 g| / (|g| + |2 g|).
    assert result.relative_errors["dense_1/weights"] == pytest.approx(1 / 3, rel=1e-6)


def test_a_gradient_that_is_not_finite_is_an_infinite_error(monkeypatch):
    def broken(dp, p, l1, l2):
        if dp is not None:
            dp[0, 0] = np.nan
        return 0.0

    X, y = data("mean_squared_error")
    monkeypatch.setattr(kernels.reference, "penalty", broken)
    with kernels.use("reference"):
        result = check(LAYERS, X, y)
    assert (result.worst, result.max_relative_error) == ("first/weights", math.inf)
