"""Functions that compute the same share what Numba made of them; what differs is seen."""

import enum
import functools
import math
from collections import namedtuple

import numba
import numpy as np
import pytest

import fastnn
from fastnn import Dense, Network
from fastnn.kernels import functions
from fastnn.kernels.numba import functions as compiling
from fastnn.kernels.numba.fingerprint import fingerprint

X = np.linspace(-2, 2, 7).reshape(-1, 1)


@pytest.fixture
def compilations(monkeypatch):
    """Names of the arguments whose functions Numba compiled."""
    found = []
    real = compiling._compile

    def count(function, dtype):
        found.append(function.argument)
        return real(function, dtype)

    monkeypatch.setattr(compiling, "_compile", count)
    monkeypatch.setattr(compiling, "_compiled", {})
    return found


def scaled(factor):
    return fastnn.activation(lambda x: factor * x, lambda x, y: factor, name="scaled")


def half_squared(factor):
    def value(y, target):
        return factor * (y[0] - target[0]) ** 2

    def gradient(y, target, out):
        out[0] = 2 * factor * (y[0] - target[0])

    return fastnn.loss(value, gradient, name="half_squared", outputs=1)


def test_an_activation_made_again_is_not_compiled_again(compilations):
    for _ in range(50):
        scaled(2.0)
    assert sorted(compilations) == ["derivative", "function"]


def test_networks_of_an_activation_made_again_share_its_code(compilations):
    for seed in range(4):
        net = Network([Dense(3, scaled(2.0)), Dense(1)], loss=half_squared(0.5), seed=seed)
        net.fit(X, X[:, 0], verbose=0)
    assert len(compilations) == 8  # four functions, in float64 to check and in float32


def test_a_changed_closure_is_seen(compilations):
    values = []
    for factor in (2.0, 3.0, 3):
        net = Network([Dense(1, scaled(factor), initializer="ones")], loss="huber", seed=0)
        values.append(net.build(1).predict([[1.0]])[0, 0])
    assert values == [2, 3, 3]
    assert len(compilations) == 9  # also 3 and 3.0; the slope is needed in float64 alone


factor_of_the_module = 2.0


def test_a_changed_global_is_seen(compilations, monkeypatch):
    def make():
        return fastnn.activation(
            lambda x: factor_of_the_module * x, lambda x, y: factor_of_the_module, name="f"
        )

    def value(activation):
        net = Network([Dense(1, activation, initializer="ones")], loss="huber", seed=0)
        return net.build(1).predict([[1.0]])[0, 0]

    before = make()
    assert value(before) == 2
    monkeypatch.setitem(globals(), "factor_of_the_module", 5.0)
    assert value(make()) == 5
    assert value(before) == 2


def text(body, **names):
    """A function of that text and those globals."""
    names["math"] = math
    exec(f"def f(x):\n    return {body}", names)
    return names["f"]


def test_what_makes_a_difference_is_in_the_key():
    twice, thrice = (numba.njit(text(f"{n} * x")) for n in (2, 3))
    table = np.arange(3.0)
    different = [
        text("x"),
        text("x + 1"),
        text("x + 1.0"),
        text("x + True"),
        text("x + 0.0"),
        text("x + -0.0"),
        text("math.exp(x)"),
        text("math.sin(x)"),
        text("g(x)", g=twice),
        text("g(x)", g=thrice),
        text("g(x)", g=numba.njit(fastmath=True)(twice.py_func)),
        text("g(x)", g=abs),
        text("t[0]", t=table),
        text("t[0]", t=table + 1),
        text("t[0]", t=table.astype("f4")),
        text("c", c=1),
        text("c", c=1.0),
        text("c", c=np.float32(1)),
        text("c[0]", c=(1, 2)),
        text("c[0]", c=(1, 3)),
        functools.wraps(np.sin)(text("x - 1")),
    ]
    keys = [fingerprint(function) for function in different]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert fingerprint(text("g(x)", g=numba.njit(text("2 * x")))) == keys[8]
    assert fingerprint(text("t[0]", t=table.copy())) == keys[12]


Line = namedtuple("Line", ["slope", "start"])
Unit = enum.IntEnum("Unit", "ONE TWO")
record = np.zeros(1, [("a", float), ("b", float)])


@pytest.mark.parametrize(
    "thing",
    [
        [1.0],
        {"a": 1},
        object(),
        functools,
        np.array([None]),
        Line(1.0, 2.0),
        Unit.ONE,
        record,
        record[0],
    ],
)
def test_what_is_not_known_is_not_shared(thing):
    assert fingerprint(text("c", c=thing)) is None


def test_named_tuples_of_the_same_numbers_are_told_apart():
    def straight(line):
        return fastnn.activation(
            lambda x: line.slope * x + line.start, lambda x, y: 1.0 * line.slope, name="straight"
        )

    for line in (Line(1.0, 2.0), Line(2.0, 1.0)):
        net = Network([Dense(1, straight(line), initializer="ones")], loss="huber", seed=0)
        assert net.build(1).predict([[3.0]])[0, 0] == 3 * line.slope + line.start


def test_a_function_of_itself_has_a_key():
    names = {}
    exec("def f(x):\n    return f(x - 1.0) if x > 0 else x", names)
    assert fingerprint(names["f"]) is not None


def test_the_number_of_kept_functions_is_bounded(compilations, monkeypatch):
    monkeypatch.setattr(compiling, "MOST_COMPILED", 3)
    double = np.dtype("float64")
    for number in range(5):
        functions.ElementFunction(text(f"x + {number}")).compiled(double)
    assert len(compiling._compiled) == 3
