"""The networks that the project is measured by, on made-up data, for tests of equal bits.

Between them they hold every kind of target and weight, dropout, bytes as input, and subnormal
numbers: the first feature of the others is so small that its weights, which start from 0, and the
optimizer's slots stay subnormal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

import fastnn
from fastnn import Dense, Dropout, Network

STEPS = 50


@dataclass(frozen=True)
class Workload:
    """Sizes from features to outputs; `small` is a form that trains in no time."""

    sizes: tuple[int, ...]
    batch: int
    small: tuple[int, ...]
    small_batch: int
    loss: str
    dropout: float = 0.0
    weights: bool = False
    image: bool = False


WORKLOADS = {
    "tiny": Workload((8, 32, 32, 2), 32, (8, 32, 32, 2), 32, "huber", weights=True),
    "digits": Workload(
        (64, 100, 10), 200, (64, 50, 10), 100, "softmax_cross_entropy", dropout=0.2, image=True
    ),
    "table": Workload((20, 256, 256, 2), 256, (20, 70, 65, 2), 96, "sigmoid_cross_entropy"),
    "mnist": Workload(
        (784, 512, 512, 10), 128, (150, 90, 70, 10), 64, "softmax_cross_entropy", image=True
    ),
    "large": Workload(
        (1024, 2048, 2048, 10), 512, (65, 110, 70, 10), 70, "softmax_cross_entropy",
        dropout=0.3, weights=True,
    ),
    "long": Workload((8, 32, 2), 10_000, (8, 20, 2), 7_000, "huber"),
}  # fmt: skip


def problem(name, *, small=True, seed=0):
    """Layer sizes, batch size, and the arguments of `fit`."""
    load = WORKLOADS[name]
    sizes, batch = (load.small, load.small_batch) if small else (load.sizes, load.batch)
    # Five batches an epoch, the last of which is short.
    rows = 5 * batch - batch // 3
    rng = np.random.default_rng(seed)
    if load.image:
        X = rng.integers(0, 4, (rows, sizes[0]), np.uint8)
    else:
        X = rng.normal(size=(rows, sizes[0]))
        X[:, 0] *= 1e-39
    if load.loss == "softmax_cross_entropy":
        y = rng.integers(0, sizes[-1], rows)
    else:
        y = rng.integers(0, 2, (rows, sizes[-1])).astype(float)
    arguments = {"X": X, "y": y, "batch_size": batch, "verbose": 0}
    if load.weights:
        arguments["sample_weight"] = rng.uniform(0, 2, rows)
    return sizes, arguments


def network(name, sizes, dtype="float32"):
    load = WORKLOADS[name]
    dropout = [Dropout(load.dropout)] if load.dropout else []
    hidden = [layer for units in sizes[1:-1] for layer in (Dense(units, "relu"), *dropout)]
    optimizer = fastnn.SGD(1e-3, momentum=0.9) if name == "tiny" else fastnn.Adam(1e-4)
    net = Network([*hidden, Dense(sizes[-1])], loss=load.loss, optimizer=optimizer, seed=3,
                  dtype=dtype)  # fmt: skip
    net.build(sizes[0])
    weights = net.get_weights()
    weights[0][0] = 0
    net.set_weights(weights)
    return net


def train(name, *, small=True, dtype="float32", callbacks=()):
    """The network after `STEPS` updates."""
    sizes, arguments = problem(name, small=small)
    net = network(name, sizes, dtype)
    net.fit(**arguments, epochs=STEPS // 5, callbacks=callbacks)
    assert net.state.step == STEPS
    return net


def digest(net):
    """Return a digest of all that training leaves."""
    parts = (net.parameters, net._model.arena.slots, np.array(net.history["loss"]))
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def has_subnormal(array):
    size = np.abs(array)
    return bool(((size > 0) & (size < np.finfo(array.dtype).tiny)).any())
