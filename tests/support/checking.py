"""Problems, networks to check, and what a right check looks like."""

import copy

import numpy as np

import fastnn
from fastnn import Dense, Network, gradient_check

LIMIT = 1e-7


def data(loss, rows=7, features=3, outputs=2):
    """Inputs, and targets that suit a loss."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(rows, features))
    targets = {
        "softmax_cross_entropy": rng.integers(0, outputs, rows),
        "sigmoid_cross_entropy": rng.uniform(size=(rows, outputs)),
        "poisson": rng.poisson(2.0, size=(rows, outputs)),
    }
    return X, targets.get(loss, rng.normal(size=(rows, outputs)))


def check(layers, X, y, loss="mean_squared_error", *, seed=1, sample_weight=None, **options):
    net = Network(layers, loss=loss, seed=seed, dtype="float64")
    return gradient_check(net, X, y, sample_weight=sample_weight, verbose=0, **options)


def assert_right(result):
    """No error, and neither kinks nor noise could have hidden one."""
    assert result.max_relative_error <= LIMIT, str(result)
    for array in result.arrays:
        assert array.kinks == 0, str(result)
        assert array.noise < 1e-4 * array.scale, str(result)


def one_layer(weights, loss, X, y, activation="identity", **options):
    """The check of a layer without bias whose weights are given, and the same by hand."""
    weights = np.array(weights, float).reshape(len(X[0]), -1)
    layer = Dense(weights.shape[1], activation, use_bias=False, **options)
    net = Network([layer], loss=loss, optimizer=fastnn.SGD(1.0), dtype="float64")
    net.build(weights.shape[0]).set_weights([weights])
    return net, gradient_check(net, X, y, verbose=0), naive_relative_error(net, X, y)


def naive_relative_error(net, X, y, epsilon=1e-6):
    """Return the error of the first array's gradient, by the public interface alone."""
    [p, *rest] = net.get_weights()
    estimate = np.empty_like(p)
    for entry in np.ndindex(p.shape):
        losses = []
        for sign in (-1, 1):
            moved = p.copy()
            moved[entry] += sign * epsilon
            net.set_weights([moved, *rest])
            losses.append(net.evaluate(X, y)["loss"])
        estimate[entry] = (losses[1] - losses[0]) / (2 * epsilon)
    net.set_weights([p, *rest])
    twin = copy.deepcopy(net)
    twin.train_on_batch(X, y)  # with a learning rate of 1, the step is the gradient
    g = p - twin.get_weights()[0]
    return np.linalg.norm(g - estimate) / (np.linalg.norm(g) + np.linalg.norm(estimate))
