"""The overhead of short calls, counted in calls of Python functions, without a clock."""

import sys

import numpy as np
import pytest

from fastnn import Dense, EarlyStopping, LambdaCallback, Network, kernels
from fastnn.execution.batches import BatchPass

X = np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32)
y = np.arange(32) % 2


@pytest.fixture
def network():
    with kernels.use("native"):
        layers = [Dense(32, "relu"), Dense(32, "relu"), Dense(2)]
        net = Network(layers, loss="softmax_cross_entropy", seed=0)
        net.train_on_batch(X, y)
        yield net


def python_calls(function):
    """Count the Python functions that a call runs, once what it keeps has been made."""
    function()
    function()
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def test_prediction_of_one_row_takes_few_calls_of_python(network):
    assert python_calls(lambda: network.predict(X[:1])) <= 55


def test_evaluation_of_a_batch_takes_few_calls_of_python(network):
    assert python_calls(lambda: network.evaluate(X, y)) <= 90


def test_a_step_on_a_batch_takes_few_calls_of_python(network):
    assert python_calls(lambda: network.train_on_batch(X, y)) <= 170


def test_callbacks_of_fastnn_add_few_calls_of_python_to_a_fit(network):
    def fit(callbacks):
        return python_calls(lambda: network.fit(X, y, callbacks=callbacks, verbose=0))

    assert fit([EarlyStopping("loss")]) - fit([]) <= 100


def test_what_is_done_for_each_batch_does_not_depend_on_their_number(network, monkeypatch):
    """The sizes of all batches are as many numbers as there are batches."""
    asked, sizes, real = [], [], BatchPass.sizes
    monkeypatch.setattr(BatchPass, "sizes", lambda batches: asked.append(batches) or real(batches))
    note = LambdaCallback(on_batch_end=lambda net, batch, logs: sizes.append(logs["size"]))
    counts = []
    for batch_size in (10, 3):
        asked.clear()
        network.fit(X, y, batch_size=batch_size, callbacks=[note], verbose=0)
        counts.append(len(asked))
    assert sizes == [10] * 3 + [2] + [3] * 10 + [2]
    assert counts[0] == counts[1]
