"""The losses that training must arrive at, in float64.

Dense networks are trained by NumPy, written without the others. Convolutions are fastnn's
reference back end, whose tests hold it against SciPy and loops.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .convolutions import Convolutional
from .networks import BETA1, BETA2, EPSILON, Workload

# Of an epoch's mean loss. Float32 stays within 1e-5; a learning rate off by a tenth does not.
RELATIVE_TOLERANCE = 1e-4


def epoch_losses(workload: Workload | Convolutional) -> list[float]:
    """Return the mean loss of each epoch, rows in order, each loss from before its update."""
    if isinstance(workload, Convolutional):
        return _reference_losses(workload)
    x, y = workload.data
    parameters = [w.astype(np.float64) for w in workload.weights]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    means, t = [], 0
    for _ in range(workload.epochs):
        losses = []
        for start in range(0, workload.rows, workload.batch):
            rows = slice(start, start + workload.batch)
            loss, gradients = _loss_and_gradients(parameters, x[rows].astype(np.float64), y[rows])
            t += 1
            for p, g, (m, v) in zip(parameters, gradients, moments, strict=True):
                m += (1 - BETA1) * (g - m)
                v += (1 - BETA2) * (g * g - v)
                root = np.sqrt(v / (1 - BETA2**t))
                p -= workload.learning_rate * m / (1 - BETA1**t) / (root + EPSILON)
            losses.append(loss)
        means.append(float(np.mean(losses)))
    return means


def _reference_losses(workload: Convolutional) -> list[float]:
    import fastnn

    from . import our_networks

    settings = {"batch_size": workload.batch, "epochs": workload.epochs, "shuffle": False}
    with fastnn.kernels.use("reference"):
        net = our_networks.built(workload, "float64")
        return net.fit(*workload.data, **settings, verbose=0)["loss"]


def close(losses: Sequence[float], expected: Sequence[float]) -> bool:
    """Return whether a peer's losses, one for each epoch, are those of this module."""
    return len(losses) == len(expected) and np.allclose(losses, expected, RELATIVE_TOLERANCE, 0)


def _loss_and_gradients(parameters, x, y):
    outputs = [x]
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        outputs.append(np.maximum(outputs[-1] @ w + b, 0))
    z = outputs[-1] @ parameters[-2] + parameters[-1]
    loss, dz = _squared_error(z, y) if z.shape[1] == 1 else _cross_entropy(z, y)
    gradients = []
    for w, a in zip(parameters[-2::-2], reversed(outputs), strict=True):
        gradients[:0] = [a.T @ dz, dz.sum(axis=0)]
        dz = (dz @ w.T) * (a > 0)
    return loss, gradients


def _squared_error(z, y):
    error = z - y[:, None]
    return np.mean(error**2), 2 * error / len(y)


def _cross_entropy(z, y):
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    picked = np.arange(len(y)), y
    loss = -np.mean(np.log(p[picked]))
    p[picked] -= 1
    return loss, p / len(y)
