"""A small regression problem and a network for it, for the tests of training and of data."""

import numpy as np

from fastnn import Dense, Dropout, Network


def data(rows=60, features=5, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    return X, X @ rng.normal(size=(features, outputs)) + 0.1 * rng.normal(size=(rows, outputs))


def network(**options):
    settings = {"loss": "mean_squared_error", "seed": 1, "dtype": "float64"} | options
    return Network([Dense(8, "tanh"), Dropout(0.25), Dense(1)], **settings)
