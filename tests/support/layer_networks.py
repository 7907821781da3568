"""Networks for tests of layers, and the reference of normalisation."""

import numpy as np

from fastnn import Network


def network(layers, **options):
    settings = {"loss": "softmax_cross_entropy", "seed": 1, "dtype": "float64"} | options
    return Network(layers, **settings)


def normalized(x, axes, epsilon=1e-3):
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    return (x - x.mean(axis=axes, keepdims=True)) / deviation
