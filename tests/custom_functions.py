"""Functions of a user in a module of their own, which workers and other processes can import."""

import math

import numpy as np

import fastnn
from fastnn import Dense, Network


def clipped_cubic(x):
    t = min(max(x, -1.5), 1.5)
    return t - 4.0 / 27.0 * t * t * t


def clipped_cubic_slope(x, y):
    return 1.0 - 4.0 / 9.0 * x * x if abs(x) < 1.5 else 0.0


def soft(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def soft_slope(x, y):
    return 1.0 - math.exp(-y)


def squared(output, target):
    total = 0.0
    for i in range(len(output)):
        total += (output[i] - target[i]) ** 2
    return total / len(output)


def squared_gradient(output, target, out):
    for i in range(len(output)):
        out[i] = 2 * (output[i] - target[i]) / len(output)


TABLE = np.zeros(4)


def looks_up(x):
    return x if abs(x) < 100 else TABLE[int(x)]


CUBIC = fastnn.activation(clipped_cubic, clipped_cubic_slope)
SOFT = fastnn.activation(soft, soft_slope, initializer="he_normal")
LOOKS_UP = fastnn.activation(looks_up, lambda x, y: 1.0)
SQUARED = fastnn.loss(squared, squared_gradient)


def unbuilt_network():
    return Network([Dense(4, CUBIC), Dense(3, SOFT)], loss=SQUARED, seed=3)


def trained(network):
    """The parameters after two epochs, as bytes."""
    rng = np.random.default_rng(0)
    network.fit(rng.normal(size=(50, 6)), rng.normal(size=(50, 3)), epochs=2, verbose=0)
    return network.parameters.tobytes()
