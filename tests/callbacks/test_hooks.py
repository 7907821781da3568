"""The arguments and the order of callbacks' hooks, and their cost."""

import pickle

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Callback, LambdaCallback
from fastnn.execution.native_executor import NativeExecutor
from fastnn.execution.python_executor import PythonExecutor

HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


@pytest.fixture
def ranges(monkeypatch):
    """Batches of each call of the executor in C."""
    calls = []
    original = NativeExecutor.run

    def spy(self, batch_range, interrupt=None):
        if batch_range.learning_rates is not None:
            calls.append(batch_range.stop - batch_range.start)
        return original(self, batch_range, interrupt)

    monkeypatch.setattr(NativeExecutor, "run", spy)
    return calls


@pytest.mark.parametrize("hook", HOOKS)
def test_only_batch_hooks_cut_epochs_into_batches(hook, ranges):
    X, y = data()
    net = network(optimizer=fastnn.SGD(fastnn.schedules.CosineDecay(0.01, 100)))
    net.fit(X, y, batch_size=6, callbacks=[LambdaCallback(**{hook: lambda *_: None})], verbose=0)
    assert ranges == ([1] * 10 if "batch" in hook else [10])


def test_no_callback_of_ours_cuts_epochs_into_batches(ranges, tmp_path):
    X, y = data()
    callbacks = [
        fastnn.EarlyStopping(),
        fastnn.Checkpoint(tmp_path / "net.safetensors"),
        fastnn.LearningRateScheduler(lambda epoch, rate: rate),
        fastnn.CSVLogger(tmp_path / "log.csv"),
        fastnn.TerminateOnNonFinite(),
        Callback(),
    ]
    net = network()
    net.fit(X, y, batch_size=6, validation_fraction=0.5, callbacks=callbacks, verbose=0)
    assert ranges == [5]


def test_functions_are_called_as_methods_would_be():
    calls = []
    hooks = {name: (lambda *a, name=name: calls.append((name, len(a)))) for name in HOOKS}
    X, y = data()
    net = network()
    net.fit(X, y, batch_size=None, callbacks=[LambdaCallback(**hooks)], verbose=0)
    assert calls == [
        ("on_train_begin", 2),
        ("on_epoch_begin", 2),
        ("on_batch_begin", 2),
        ("on_batch_end", 3),
        ("on_progress", 2),
        ("on_epoch_end", 3),
        ("on_train_end", 1),
    ]


def test_functions_for_hooks_that_do_not_exist_are_refused():
    with pytest.raises(ArgumentError, match="unknown hook 'on_epoch_stop': did you mean"):
        LambdaCallback(on_epoch_stop=print)
    with pytest.raises(ArgumentTypeError, match="on_epoch_end must be callable, got 3"):
        LambdaCallback(on_epoch_end=3)


def test_only_true_hides_a_divergence():
    X, y = data()
    for answer, hidden in ((True, True), (None, False), (1, False)):
        net = network(optimizer=fastnn.SGD(1e200))
        callback = LambdaCallback(on_divergence=lambda net, error, answer=answer: answer)
        if hidden:
            net.fit(X, y, epochs=5, callbacks=[callback], verbose=0)
        else:
            with pytest.raises(fastnn.DivergenceError):
                net.fit(X, y, epochs=5, callbacks=[callback], verbose=0)


def test_checkpoints_come_last_and_the_latest_state_after_the_best(tmp_path):
    order = []

    def noted(callback, name):
        original = callback.on_epoch_end
        callback.on_epoch_end = lambda *a: (order.append(name), original(*a))
        return callback

    last = noted(fastnn.Checkpoint(tmp_path / "last"), "last")
    best = noted(fastnn.Checkpoint(tmp_path / "best", save="best", monitor="loss"), "best")
    other = noted(Callback(), "other")
    X, y = data()
    network().fit(X, y, callbacks=[last, best, other], verbose=0)
    assert order == ["other", "best", "last"]


def test_callbacks_travel_to_other_processes(tmp_path):
    X, y = data()
    net = network(optimizer=fastnn.SGD(fastnn.schedules.ReduceOnPlateau(0.1, "loss")))
    callbacks = [
        fastnn.EarlyStopping("loss", mode="max", patience=2),
        fastnn.Checkpoint(tmp_path / "net", save="best", monitor="loss"),
        fastnn.CSVLogger(tmp_path / "log.csv"),
        fastnn.TerminateOnNonFinite(),
        fastnn.LearningRateScheduler(abs),
    ]
    net.fit(X, y, epochs=2, callbacks=callbacks[:-1], verbose=0)
    net, *callbacks = pickle.loads(pickle.dumps([net, *callbacks]))
    assert callbacks[0].best_epoch == 1
    assert net._model.learning_rates.plateau.monitor.best == net.history["loss"][1]
    net.fit(X, y, callbacks=callbacks[:-1], verbose=0)


# --- learning rates -------------------------------------------------------------------------------


@pytest.mark.parametrize("native", [True, False])
def test_a_function_sets_the_rate_of_each_epoch(native, monkeypatch):
    if not native:
        monkeypatch.setattr(
            "fastnn.execution.selection.executor_class", lambda plan: PythonExecutor
        )
    X, y = data()
    asked = []

    def rate(epoch, present):
        asked.append((epoch, present))
        return 0.1 / (1 + epoch)

    nets = [network(optimizer=fastnn.SGD(r)) for r in (0.5, 0.1)]
    scheduler = fastnn.LearningRateScheduler(rate)
    nets[0].fit(X, y, epochs=2, callbacks=[scheduler], verbose=0)
    nets[0].fit(X, y, epochs=1, callbacks=[scheduler], verbose=0)
    assert asked == [(0, 0.5), (1, 0.1), (2, 0.05)]
    for epoch in range(3):
        nets[1].learning_rate = 0.1 / (1 + epoch)
        nets[1].fit(X, y, verbose=0)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_rates_that_cannot_be_used():
    X, y = data()
    with pytest.raises(ArgumentTypeError, match=r"function must be callable, got 0\.1"):
        fastnn.LearningRateScheduler(0.1)
    negative = fastnn.LearningRateScheduler(lambda epoch, rate: -rate)
    with pytest.raises(ArgumentError, match="learning_rate must be a finite number >= 0"):
        network().fit(X, y, callbacks=[negative], verbose=0)
    net = network(optimizer=fastnn.SGD(fastnn.schedules.Constant(0.1)))
    with pytest.raises(ArgumentError, match=r"cannot be set: the optimizer has the schedule"):
        net.fit(X, y, callbacks=[fastnn.LearningRateScheduler(lambda e, r: 0.1)], verbose=0)
    assert net.state.step == 0
