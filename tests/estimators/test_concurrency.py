"""Fits in threads: they share X, hold no GIL, and give the bits they give alone."""

import threading
import time
import tracemalloc

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
RNG = np.random.default_rng(0)


class Seen(fastnn.Callback):
    """Keeps the rows that a network is trained on, and when its epochs began and ended."""

    def on_epoch_begin(self, network, epoch):
        self.rows, self.began = network._model.session.train.x, time.monotonic()

    def on_epoch_end(self, network, epoch, logs):
        self.ended = time.monotonic()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
def test_fits_share_the_rows(options, dtype):
    X = DIGITS.astype(dtype)
    seen = [Seen() for _ in range(3)]
    joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(MLPClassifier(max_iter=2, callbacks=[callback], **options).fit)(X, DIGIT)
        for callback in seen
    )
    assert all(np.shares_memory(callback.rows, X) for callback in seen)


def test_a_fit_takes_little_memory_beside_its_rows():
    X = RNG.normal(size=(20_000, 100)).astype("f4")
    net = MLPRegressor(hidden_layer_sizes=(8,), max_iter=1)
    net.fit(X[:300], X[:300, 0])
    tracemalloc.start()
    net.fit(X, X[:, 0])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes / 4


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2, "early_stopping": True}])
def test_threads_give_the_bits_of_a_loop(options):
    models = [MLPClassifier(max_iter=4, random_state=seed, **options) for seed in range(6)]
    alone = [model.fit(DIGITS, DIGIT).coefs_[0].copy() for model in models]
    together = joblib.Parallel(n_jobs=3, backend="threading")(
        joblib.delayed(model.fit)(DIGITS, DIGIT) for model in models
    )
    for expected, model in zip(alone, together, strict=True):
        np.testing.assert_array_equal(model.coefs_[0], expected)


def test_python_goes_on_during_an_epoch():
    """A thread that looks at the clock never waits for most of an epoch, which is one call of C."""
    X = RNG.normal(size=(4000, 256))
    seen, stop, ticks = Seen(), threading.Event(), []

    def watch():
        while not stop.wait(0.001):
            ticks.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    net = MLPRegressor(hidden_layer_sizes=(512, 512), max_iter=1, callbacks=[seen])
    net.fit(X, X[:, 0])
    stop.set()
    watcher.join()
    inside = [seen.began, *(t for t in ticks if seen.began < t < seen.ended), seen.ended]
    assert np.diff(inside).max() < (seen.ended - seen.began) / 2
