"""A small classification problem, networks for it, and searches that take no time."""

import numpy as np

from fastnn import SGD, Dense, Network
from fastnn.search import log_uniform, search

SPACE = {"units": [2, 4, 8], "rate": [0.01, 0.1]}
RATES = {"rate": log_uniform(1e-4, 1.0)}
HALVING = {"space": RATES, "trials": 9, "pruner": "halving", "epochs": 9}


def data(rows=90, features=4, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features)).astype(np.float32)
    noise = 0.3 * rng.normal(size=(rows, classes))
    return X, (X @ rng.normal(size=(features, classes)) + noise).argmax(axis=1)


X, Y = data()


def build(params):
    layers = [Dense(params.get("units", 4), "tanh"), Dense(3)]
    optimizer = SGD(params.get("rate", 0.1), momentum=params.get("momentum", 0.0))
    return Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, metrics=["accuracy"])


def fails_for_two_units(params):
    if params["units"] == 2:
        raise OSError("no room for two")
    return build(params)


def run(space=SPACE, build=build, **options):
    settings = {"trials": 6, "sampler": "random", "epochs": 2, "seed": 0, "verbose": 0} | options
    return search(build, space, X, Y, **settings)


def outcomes(result):
    """Return what two searches must agree on exactly: parameters, values, epochs, best weights."""
    frame = result.trials.drop(columns="seconds")
    return frame, [kept.models[0].parameters.copy() for kept in result.pareto_front]


def assert_same(one, other):
    (frame, weights), (other_frame, other_weights) = outcomes(one), outcomes(other)
    assert frame.equals(other_frame)
    for a, b in zip(weights, other_weights, strict=True):
        assert np.array_equal(a, b)
