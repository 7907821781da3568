"""Initialisers: distributions, dtypes, independence, and which one "auto" takes."""

import math

import numpy as np
import pytest
import scipy.stats

from fastnn import Dense, Network, initializers
from fastnn.initializers import INITIALIZERS

SHAPE = (400, 300)


def draw(name, shape=SHAPE, **settings):
    return INITIALIZERS[name](**settings).draw(shape, seed=11, offset=5)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("normal", 0.05**2),
        ("glorot_normal", 2 / 700),
        ("xavier_normal", 2 / 700),
        ("he_normal", 2 / 400),
        ("lecun_normal", 1 / 400),
    ],
)
def test_normal_ones_are_normal_with_the_published_variance(name, variance):
    values = draw(name).ravel() / math.sqrt(variance)
    assert scipy.stats.kstest(values, "norm").pvalue > 1e-3
    # And the test tells a variance that is 8 % off from the right one.
    assert scipy.stats.kstest(values / math.sqrt(1.08), "norm").pvalue < 1e-3


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("uniform", 0.05),
        ("glorot_uniform", math.sqrt(6 / 700)),
        ("xavier_uniform", math.sqrt(6 / 700)),
        ("he_uniform", math.sqrt(6 / 400)),
        ("lecun_uniform", math.sqrt(3 / 400)),
    ],
)
def test_uniform_ones_fill_the_published_interval(name, limit):
    values = draw(name).ravel()
    assert scipy.stats.kstest(values, "uniform", (-limit, 2 * limit)).pvalue > 1e-3
    assert abs(values).max() <= limit < 1.001 * abs(values).max()


def test_constants():
    assert not draw("zeros").any()
    assert (draw("ones") == 1).all()
    assert (draw("constant", value=0.3) == 0.3).all()


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (25, 25), (1, 5), (5, 1)])
def test_orthogonal(shape):
    matrix = draw("orthogonal", shape, gain=2.0) / 2
    gram = matrix @ matrix.T if shape[0] < shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-14)


def test_every_array_has_numbers_of_its_own():
    net = Network([Dense(5), Dense(5), Dense(5)], loss="huber", seed=0).build(5)
    first, second, third = (w for w in net.get_weights() if w.ndim == 2)
    assert len(np.unique([first, second, third])) == 75


def test_float32_weights_are_the_rounded_float64_ones():
    a, b = (
        Network([Dense(9, "relu")], loss="huber", seed=4, dtype=dtype).build(7)
        for dtype in ("float32", "float64")
    )
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0].astype(np.float32))


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [
        ("relu", initializers.HeNormal),
        ("gelu", initializers.HeNormal),
        ("selu", initializers.LeCunNormal),
        ("tanh", initializers.GlorotUniform),
        ("identity", initializers.GlorotUniform),
    ],
)
def test_auto_follows_the_activation(activation, initializer):
    assert Dense(3, activation).initializer == initializer()
    assert Dense(3, activation, initializer="zeros").initializer == initializers.Zeros()


def test_the_bias_has_an_initialiser_of_its_own():
    net = Network([Dense(4, bias_initializer="ones")], loss="huber").build(2)
    np.testing.assert_array_equal(net.get_weights()[1], 1)


@pytest.mark.parametrize("initializer", sorted(set(INITIALIZERS.values()), key=str))
def test_configurations_round_trip(initializer):
    original = initializer()
    assert initializers.Initializer.from_config(original.to_config()) == original
