"""Real images: 784-256-128-10 with dropout on 8,000 MNIST images, tested on the other 2,000."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import Dense, Dropout, Network, kernels
from fastnn.execution.executor import Executor
from fastnn.execution.python_executor import GRADIENT_STAGES, PythonExecutor
from fastnn.ir.program import Batch, Result

FOLDER = os.environ.get("FASTNN_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FASTNN_DATA names no folder with data")

EPOCHS, SEEDS = 20, 3


@pytest.fixture(scope="module")
def mnist():
    """Images as rows of float32 in [0, 1], and labels."""
    folder = Path(FOLDER) / "mnist10k"
    with gzip.open(folder / "images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / "labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.astype(np.float32) / 255, labels


def network(seed=0):
    return Network(
        [Dense(256, "relu"), Dropout(0.2), Dense(128, "relu"), Dropout(0.2), Dense(10)],
        loss="softmax_cross_entropy",
        metrics=["accuracy"],
        seed=seed,
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", kernels.BACKENDS)
def test_accuracy_on_every_back_end(mnist, backend):
    X, y = mnist
    accuracies = []
    with kernels.use(backend):
        for seed in range(SEEDS):
            net = network(seed)
            net.fit(X[:8000], y[:8000], batch_size=128, epochs=EPOCHS, verbose=0)
            accuracies.append(net.evaluate(X[8000:], y[8000:])["accuracy"])
    assert np.mean(accuracies) >= 0.965, accuracies


def test_back_ends_agree_step_by_step(mnist):
    """Every step starts from the native network's weights, so that what differs is the step."""
    X, y = mnist
    labels = y.astype(np.int64)
    native = network().build(784)
    others = {name: network().build(784) for name in ("numba", "reference")}
    plan = native._model.executors.plan(128, training=True, labels=True)

    def stepper(net):
        return PythonExecutor(plan, net._model.arena)

    for step in range(60):
        rows = slice(128 * step, 128 * (step + 1))
        losses, gradients = {}, {}
        for name, net in {"native": native, **others}.items():
            net.parameters[...] = native.parameters
            net.state.step = native.state.step
            executor = stepper(net)
            with kernels.use(name):
                batch = Batch(X[rows], labels[rows])
                losses[name] = executor.run_stages(GRADIENT_STAGES, batch, net.state)[Result.LOSS]
                gradients[name] = net._model.arena.gradients.copy()
        for name in others:
            assert losses[name] == pytest.approx(losses["native"], rel=2e-6)
            difference = gradients[name] - gradients["native"]
            assert np.linalg.norm(difference) <= 1e-5 * np.linalg.norm(gradients["native"])
        with kernels.use("native"):
            stepper(native).run_stages(("update",), batch, native.state)
        native.state.step += 1


def test_back_ends_follow_the_same_path(mnist):
    """Left alone for an epoch, their losses stay together although roundings differ."""
    X, y = mnist
    paths = {}

    class Record(fastnn.Callback):
        def on_batch_end(self, network, batch, logs):
            paths[kernels.active_backend()].append(logs["loss"])

    for backend in kernels.BACKENDS:
        paths[backend] = []
        with kernels.use(backend):
            network().fit(X[:8000], y[:8000], batch_size=128, callbacks=[Record()], verbose=0)
    for backend in ("numba", "reference"):
        np.testing.assert_allclose(paths[backend], paths["native"], rtol=1e-5)


def test_bytes_train_like_floats(mnist):
    """Images as they come, uint8, converted on the way in."""
    X, y = mnist
    images = (X[:512] * 255).round().astype(np.uint8)
    a, b = network(), network()
    a.fit(images, y[:512], verbose=0)
    b.fit(images.astype(np.float32), y[:512], verbose=0)
    np.testing.assert_array_equal(a.parameters, b.parameters)


def test_executor_is_reused(mnist):
    X, y = mnist
    net = network()
    net.fit(X[:256], y[:256], verbose=0)
    executor = net._model.executors.training(32, labels=True)
    net.fit(X[:256], y[:256], verbose=0)
    assert isinstance(executor, Executor)
    assert net._model.executors.training(32, labels=True) is executor
