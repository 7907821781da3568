"""The training that tests/callbacks/test_kills.py interrupts, and a digest of what came of it."""

import hashlib
import json
from pathlib import Path

import numpy as np

import fastnn
from fastnn import BatchNorm, Dense, Dropout, Network
from fastnn.schedules import CosineDecay, ReduceOnPlateau, Warmup


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 20))
    return X, (X[:, :2].prod(axis=1) + 0.5 * rng.normal(size=1200) > 0).astype(int)


def network():
    schedule = Warmup(ReduceOnPlateau(CosineDecay(0.05, 4000), factor=0.5, patience=4), 100)
    return Network(
        [Dense(50, "relu"), Dropout(0.3), BatchNorm(), Dense(20, "tanh"), Dropout(0.1), Dense(2)],
        loss="softmax_cross_entropy",
        optimizer=fastnn.SGD(schedule, momentum=0.9, nesterov=True),
        seed=5,
    )


def callbacks(folder):
    """Early stopping, a log and two checkpoints, the last of which is what a fit resumes from."""
    return [
        fastnn.Checkpoint(f"{folder}/last.safetensors"),
        fastnn.Checkpoint(f"{folder}/best.safetensors", save="best"),
        fastnn.CSVLogger(f"{folder}/log.csv"),
        fastnn.EarlyStopping(patience=10, restore_best_weights=True),
    ]


def trained(folder, epochs=150):
    """Train, from the checkpoint in `folder` if there is one; returns network and callbacks."""
    (X, y), net, own = data(), network(), callbacks(folder)
    options = {"batch_size": 16, "epochs": epochs, "validation_fraction": 0.25, "verbose": 0}
    net.fit(X, y, callbacks=own, resume_from=own[0], **options)
    return net, own


def digest(net, folder):
    """Return a digest of weights, slots, state and history, and of the files."""
    files = [Path(folder, name).read_bytes() for name in ("best.safetensors", "log.csv")]
    told = {"state": vars(net.state), "history": dict(net.history), "epochs": net.history.epoch}
    told["plateau"] = net._model.learning_rates.plateau.state_dict()
    regions = (net.parameters, net._model.arena.buffers, net._model.arena.slots)
    parts = [*map(np.ndarray.tobytes, regions), json.dumps(told).encode(), *files]
    return hashlib.sha256(b"".join(parts)).hexdigest()
