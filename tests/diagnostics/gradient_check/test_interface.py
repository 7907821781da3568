"""The text of a gradient check, and arguments that it refuses."""

import math

import numpy as np
import pytest
from checking import check, data

import fastnn
from fastnn import Activation, Dense, Network, gradient_check


def test_the_table(capsys):
    X, y = data("mean_squared_error")
    net = Network([Dense(1000, "tanh"), Dense(2)], loss="mean_squared_error", seed=0)
    result = gradient_check(net, X, y, n=10)
    assert capsys.readouterr().out == f"{result}\n"
    heading, _, *lines, verdict = str(result).splitlines()
    assert heading.split("  ")[0] == "parameters"
    assert [line.split()[0] for line in lines] == list(result.relative_errors)
    assert "10 of 3,000" in lines[0]
    assert verdict.startswith("no difference above rounding noise; loss ")
    gradient_check(net, X, y, n=10, verbose=0)
    assert capsys.readouterr().out == ""


X, Y = data("mean_squared_error")
NAN = np.where(np.arange(3) == 1, np.nan, X)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epsilon": 0}, ValueError, r"epsilon must be a number in \[1e-08, 0.01\], got 0"),
        ({"epsilon": -1e-6}, ValueError, "epsilon must be"),
        ({"epsilon": 1.0}, ValueError, "epsilon must be"),
        ({"epsilon": math.nan}, ValueError, "epsilon must be"),
        ({"epsilon": "1e-6"}, TypeError, "epsilon must be"),
        ({"n": 0}, ValueError, "n must be an integer >= 1, got 0"),
        ({"n": 2.5}, TypeError, "n must be an integer >= 1, got 2.5"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"verbose": 2}, ValueError, "verbose must be"),
        ({"net": "net"}, TypeError, "net must be a Network, got str"),
        ({"X": NAN}, ValueError, r"X\[0, 1\] is nan"),
        ({"X": X[:5]}, ValueError, "X has 5 rows, but y has 7"),
        ({"X": X[:0]}, ValueError, "X must hold at least one row"),
        ({"y": Y[:, :1]}, ValueError, r"y has shape \(7, 1\)"),
        ({"y": Y.astype(str)}, TypeError, "y must hold numbers"),
        ({"sample_weight": -np.ones(7)}, ValueError, r"sample_weight\[0\] is -1"),
        ({"sample_weight": np.ones(6)}, ValueError, r"sample_weight has shape \(6,\)"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_built(changes, error, message):
    net = Network([Dense(4, "tanh"), Dense(2)], loss="mean_squared_error", seed=0)
    arguments = {"net": net, "X": X, "y": Y} | changes
    with pytest.raises(error, match=message) as caught:
        gradient_check(**arguments)
    assert isinstance(caught.value, fastnn.FastnnError)
    assert not net.built


def test_features_that_do_not_fit_a_built_network():
    net = Network([Dense(2)], loss="mean_squared_error").build(4)
    with pytest.raises(fastnn.ArgumentError, match="X has 3 features, but the network was built"):
        gradient_check(net, X, Y)


def test_a_network_without_parameters():
    net = Network([Activation("tanh")], loss="mean_squared_error")
    with pytest.raises(fastnn.ArgumentError, match="net must have parameters"):
        gradient_check(net, X, X)


def test_a_loss_that_is_not_finite_names_the_layer(backend):
    layers = [Dense(2), Dense(2, "exp", initializer=fastnn.initializers.Constant(1e4), name="wild")]
    with pytest.raises(fastnn.ArgumentError, match=r"loss of X and y must be finite.*'wild'"):
        check(layers, np.ones((1, 3)), np.ones((1, 2)))


def test_a_parameter_that_epsilon_does_not_move():
    with pytest.raises(fastnn.ArgumentError, match=r"epsilon=1e-06 is lost.*1e\+12 in dense_1/w"):
        check([Dense(2, initializer=fastnn.initializers.Constant(1e12))], 1e-12 * X, Y)
