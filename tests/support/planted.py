"""Networks and data with a known illness, for the tests of diagnosis."""

import numpy as np
from sklearn.datasets import make_circles

import fastnn
from fastnn import Dense, Network


def noise(rows=300, features=20, seed=0):
    """Standard normal features; the class is the sign of the first."""
    X = np.random.default_rng(seed).normal(size=(rows, features))
    return X, (X[:, 0] > 0).astype(int)


def stack(layer, depth, units=50, **options):
    """Return a network of equal layers, and a softmax over two classes."""
    layers = [Dense(units, layer, **options) for _ in range(depth)]
    return Network([*layers, Dense(2)], loss="softmax_cross_entropy", seed=0)


def circles(rows, seed):
    return make_circles(rows, noise=0.08, factor=0.5, random_state=seed)


def underfitting():
    """A line cannot part circles."""
    X, y = circles(600, 0)
    net = Network([Dense(1)], loss="sigmoid_cross_entropy", seed=0)
    net.fit(X[:300], y[:300], epochs=30, verbose=0)
    return net, X[:300], y[:300], X[300:], y[300:]


def overfitting():
    """200 rows whose labels are half chance, learned by heart."""
    X, y = noise(600)
    flipped = np.random.default_rng(1).random(600) < 0.25
    y = np.where(flipped, 1 - y, y)
    net = Network([Dense(256, "relu"), Dense(2)], loss="softmax_cross_entropy", seed=0)
    net.fit(X[:200], y[:200], epochs=60, verbose=0)
    return net, X[:200], y[:200], X[200:], y[200:]


def both():
    """Noisy labels, not yet learned by heart."""
    X, y = noise(2200, 40)
    flipped = np.random.default_rng(1).random(len(y)) < 0.25
    y = np.where(flipped, 1 - y, y)
    net = Network([Dense(64, "relu"), Dense(2)], loss="softmax_cross_entropy", seed=0)
    net.fit(X[:200], y[:200], epochs=5, verbose=0)
    return net, X[:200], y[:200], X[200:], y[200:]


def healthy():
    """Circles, and a network that can part them."""
    X, y = make_circles(1200, noise=0.03, factor=0.4, random_state=0)
    net = Network(
        [Dense(32, "relu"), Dense(1)],
        loss="sigmoid_cross_entropy",
        optimizer=fastnn.Adam(1e-2),
        seed=0,
    )
    net.fit(X[:800], y[:800], epochs=15, verbose=0)
    return net, X[:800], y[:800], X[800:], y[800:]
