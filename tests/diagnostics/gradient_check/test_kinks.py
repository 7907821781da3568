"""Differences across kinks, of activations, losses and penalties, are not counted."""

import math

import numpy as np
import pytest
from checking import LIMIT, check, data, one_layer

import fastnn
from fastnn import Activation, Dense, Dropout, Network, gradient_check


@pytest.mark.parametrize("offset", [0.0, 4e-7, -4e-7])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
def test_kinks_of_activations_are_not_counted(backend, activation, offset):
    X, y = np.array([[1.0, -1, 0], [1, 2, 3]]), [-3.0, 2.0]
    _, result, naive = one_layer([0.5, 0.5 + offset, 1], "mean_squared_error", X, y, activation)
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    # The third weight does not move the first row, the one with the kink.
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (2, 1)


def test_the_corner_of_elu_is_a_kink_of_its_curvature():
    X, y = np.array([[1.0, -1], [1, 2]]), [-3.0, 2.0]
    _, result, _ = one_layer([0.5, 0.5], "mean_squared_error", X, y, "elu")
    assert result.kinks == {"dense_1/weights": 2}


def test_a_kink_farther_than_epsilon_is_none():
    X, y = np.array([[1.0, -1], [1, 2]]), [-3.0, 2.0]
    net, result, naive = one_layer([0.5, 0.500003], "mean_squared_error", X, y, "relu")
    assert (result.kinks, naive < LIMIT) == ({"dense_1/weights": 0}, True)
    wider = gradient_check(net, X, y, epsilon=1e-5, verbose=0)
    assert wider.kinks == {"dense_1/weights": 2}


def test_a_kink_of_a_later_layer(backend):
    net = Network(
        [Dense(1), Dropout(0.0), Activation("relu"), Dense(1)],
        loss="mean_squared_error",
        dtype="float64",
    ).build(2)
    net.set_weights([[[1.0], [1.0]], [0.0], [[1.0]], [1.0]])
    result = gradient_check(net, [[1.0, -1.0], [1.0, 2.0]], [-2.0, 2.0], verbose=0)
    assert list(result.kinks.values()) == [2, 1, 0, 0]
    assert result.max_relative_error <= LIMIT


@pytest.mark.parametrize("residual", [4e-7, -4e-7])
@pytest.mark.parametrize("loss", ["mean_absolute_error", fastnn.Quantile(0.2)])
def test_kinks_of_losses_are_not_counted(backend, loss, residual):
    X = np.array([[1.0, 0], [1, 2]])
    _, result, naive = one_layer([0.5, 0.5], loss, X, [0.5 + residual, -3.0])
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize("loss", ["mean_absolute_error", fastnn.Quantile(0.2)])
def test_a_target_hit_exactly_is_a_kink(backend, loss):
    _, result, _ = one_layer([0.5, 0.5], loss, np.array([[1.0, 0], [1, 2]]), [0.5, -3.0])
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize("error", [0.2, -0.2, 0.2005, -0.1995])
def test_the_corner_of_huber_is_a_kink(backend, error):
    X = np.array([[1.0, 0], [1, 2]])
    net, close, _ = one_layer([0.5, 0.5], fastnn.Huber(0.2), X, [0.5 - error, -3.0])
    assert close.arrays[0].kinks == (abs(error) == 0.2)
    wide = gradient_check(net, X, [0.5 - error, -3.0], epsilon=1e-3, verbose=0)
    assert (wide.arrays[0].kinks, wide.max_relative_error <= LIMIT) == (1, True)


@pytest.mark.parametrize("weight", [4e-7, -4e-7])
def test_kinks_of_l1_penalties_are_not_counted(backend, weight):
    X, y = np.array([[1.0, 0.5], [1, 2]]), [0.5, -3.0]
    _, result, naive = one_layer([weight, 0.5], "mean_squared_error", X, y, l1=5.0)
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize(("penalty", "kinks"), [("l1", 1), ("l2", 0)])
def test_a_weight_of_zero_is_a_kink_under_an_l1_penalty_only(penalty, kinks):
    X, y = np.array([[1.0, 0.5], [1, 2]]), [0.5, -3.0]
    _, result, _ = one_layer([0.0, 0.5], "mean_squared_error", X, y, **{penalty: 5.0})
    assert result.kinks == {"dense_1/weights": kinks}


def test_an_array_at_kinks_only_is_not_compared():
    X, y = data("mean_squared_error")
    layers = [Dense(4, "relu", initializer="zeros", name="still"), Dense(2, name="last")]
    result = check(layers, X, y)
    assert math.isnan(result.relative_errors["still/weights"])
    assert result.kinks == {"still/weights": 12, "still/bias": 4, "last/weights": 0, "last/bias": 0}
    assert (result.worst[:4], result.max_relative_error) == ("last", 0.0)
    assert str(result).count("not compared") == 2


def test_a_network_at_kinks_only_is_not_right():
    X, y = data("mean_squared_error")
    result = check([Dense(2, "relu", initializer="zeros")], X, y)
    assert math.isnan(result.max_relative_error)
    assert not result.max_relative_error <= LIMIT
    assert result.worst is None
    assert "nothing could be compared" in str(result)
