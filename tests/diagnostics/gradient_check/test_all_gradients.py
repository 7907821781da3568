"""Every gradient of the package is right."""

import itertools

import numpy as np
import pytest
from checking import assert_right, check, data

import fastnn
from fastnn import Activation, Dense, Dropout, Flatten, kernels
from fastnn.losses import LOSSES


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_every_activation_and_loss_with_and_without_dropout_and_penalties(
    backend, activation, loss
):
    X, y = data(loss)
    for rate, l1, l2 in itertools.product((None, 0.4), (0.0, 0.01), (0.0, 0.1)):
        dropout = [] if rate is None else [Dropout(rate)]
        layers = [
            Dense(4, activation, l1=l1, l2=l2),
            *dropout,
            Dense(3, use_bias=False, l1=l1, l2=l2),
            Activation(activation),
            Dense(2),
        ]
        assert_right(check(layers, X, y, loss))


@pytest.mark.parametrize("units", [1, 2, 15, 16, 17, 33])
@pytest.mark.parametrize("activation", ["leaky_relu", "gelu", "tanh"])
def test_widths_around_those_of_vectors(backend, activation, units):
    X, y = data("mean_squared_error", rows=9, features=units)
    bias = fastnn.initializers.Constant(0.3)  # a zero would be a kink where dropout leaves no input
    first, second = (Dense(units, activation, bias_initializer=bias) for _ in range(2))
    assert_right(check([first, Dropout(0.2), second, Dense(2)], X, y, n=20))


def test_images_and_a_deep_net(backend):
    X, y = data("softmax_cross_entropy", features=12)
    hidden = [Dense(5, name) for name in ("tanh", "silu", "selu", "softplus", "leaky_relu")]
    layers = [Dropout(0.1), Flatten(), *hidden, Activation("tanh"), Dropout(0.3), Dense(2)]
    assert_right(check(layers, X.reshape(7, 2, 3, 2), y, "softmax_cross_entropy"))


def test_the_activation_of_the_last_layer(backend):
    X, y = data("mean_squared_error")
    for activation in kernels.ACTIVATIONS:
        assert_right(check([Dense(2, activation)], X, y))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
def test_targets_of_softmax_cross_entropy(backend, kind, smoothing):
    X, labels = data("softmax_cross_entropy", outputs=4)
    soft = np.random.default_rng(0).dirichlet(np.ones(4), len(X))
    y = {"labels": labels, "one-hot": np.eye(4)[labels], "soft": soft}[kind]
    loss = fastnn.SoftmaxCrossEntropy(label_smoothing=smoothing)
    assert_right(check([Dense(6, "tanh"), Dense(4)], X, y, loss))


@pytest.mark.parametrize("loss", LOSSES)
def test_sample_weights(backend, loss):
    X, y = data(loss)
    weight = np.array([0.5, 2, 0, 1, 3, 0, 0.25])
    layers = [Dense(4, "tanh"), Dropout(0.3), Dense(2)]
    result = check(layers, X, y, loss, sample_weight=weight)
    assert_right(result)
    kept = weight > 0
    without = [Dense(4, "tanh"), Dense(2)]
    expected = check(without, X[kept], y[kept], loss, sample_weight=weight[kept]).loss
    actual = check(without, X, y, loss, sample_weight=weight).loss
    assert actual == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [fastnn.Huber(0.2), fastnn.Quantile(0.1), fastnn.Quantile(0.9), fastnn.Quantile((0.1, 0.9))],
)
def test_settings_of_losses(backend, loss):
    X, y = data(loss.kernel)
    assert_right(check([Dense(4, "tanh"), Dense(2)], X, y, loss))
