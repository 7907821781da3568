"""EarlyStopping, TerminateOnNonFinite, and the monitor behind them."""

import math

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Callback, EarlyStopping
from fastnn.metrics.monitor import Monitor


class Reported(Callback):
    """Replaces what the epochs report, for the callbacks that come after it."""

    def __init__(self, name, values):
        self.name, self.values = name, iter(values)

    def on_epoch_end(self, network, epoch, logs):
        logs[self.name] = next(self.values)


def fitted(stopping, values, name="val_loss", epochs=None):
    """Train as `values` are reported; returns the network and its parameters after each epoch."""
    X, y = data()
    net, after = network(), []
    note = fastnn.LambdaCallback(on_epoch_end=lambda net, *_: after.append(net.parameters.copy()))
    callbacks = [Reported(name, values), note, stopping]
    options = {"validation_fraction": 0.5, "callbacks": callbacks, "verbose": 0}
    net.fit(X, y, epochs=epochs or len(values), **options)
    return net, after


@pytest.mark.parametrize(
    ("options", "values", "stopped", "best"),
    [
        ({}, [3, 2, 2, 1], 3, 2),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 6, 4),
        ({"patience": 2}, [3, 2, 1, 0], None, 4),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.4, 2.3, 2.2, 0], 5, 3),
        ({"mode": "max"}, [3, 4, 3, 9], 3, 2),
        ({"baseline": 1.5, "patience": 2}, [3, 2, 1], 2, None),
        ({"baseline": 1.5, "patience": 3}, [3, 2, 1, 2, 2, 2, 0], 6, 3),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 3, 3, 0], 6, 5),
        ({}, [math.nan, 1], 1, None),
        ({"patience": 2}, [2, math.nan, math.inf, 0], 3, 1),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_when_it_stops_and_what_it_keeps(options, values, stopped, best, restore):
    stopping = EarlyStopping(restore_best_weights=restore, **options)
    net, after = fitted(stopping, values)
    assert stopping.stopped_epoch == stopped
    assert net.state.epoch == len(after) == (stopped or len(values))
    assert stopping.best_epoch == best
    assert stopping.best == (None if best is None else values[best - 1])
    kept = after[best - 1] if restore and best else after[-1]
    np.testing.assert_array_equal(net.parameters, kept)


@pytest.mark.parametrize(
    ("name", "rises"),
    [("loss", 0), ("val_mae", 0), ("val_accuracy", 1), ("f1", 1), ("r2", 1), ("top_error", 0)],
)
def test_auto_tells_by_the_name(name, rises):
    monitor = Monitor(name)
    assert monitor.improves({name: 1.0})
    assert monitor.improves({name: 2.0}) == bool(rises)


def test_each_fit_starts_over():
    stopping = EarlyStopping("loss", mode="max")
    X, y = data()
    net = network()
    for _ in range(2):
        net.fit(X, y, epochs=9, callbacks=[stopping], verbose=0)
        assert stopping.stopped_epoch == stopping.best_epoch + 1
    assert net.state.epoch == 4


def test_the_best_weights_come_back_however_training_ends():
    X, y = data()
    net, kept = network(), []

    class Fail(Callback):
        def on_epoch_end(self, network, epoch, logs):
            if epoch == 1:
                kept.append(network.parameters.copy())
            if epoch == 3:
                raise RuntimeError("mine")

    stopping = EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)
    with pytest.raises(RuntimeError, match="mine"):
        net.fit(X, y, epochs=9, callbacks=[Fail(), stopping], verbose=0)
    np.testing.assert_array_equal(net.parameters, kept[0])


def test_what_does_not_exist_cannot_be_watched():
    X, y = data()
    net = network()
    with pytest.raises(ArgumentError, match="monitor is 'val_loss', but this fit has neither"):
        net.fit(X, y, callbacks=[EarlyStopping()], verbose=0)
    assert net.state.step == 0
    with pytest.raises(ArgumentError, match="unknown monitor 'mea': did you mean 'mae'"):
        network(metrics=["mae"]).fit(X, y, callbacks=[EarlyStopping("mea")], verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": 1}, "monitor must be the name of a value, got 1"),
        ({"mode": "down"}, "unknown mode 'down'"),
        ({"patience": -1}, "patience must be an integer >= 0"),
        ({"patience": 1.5}, "patience must be an integer >= 0"),
        ({"min_delta": -0.1}, "min_delta must be a finite number >= 0"),
        ({"baseline": math.nan}, "baseline must be a finite number"),
        ({"restore_best_weights": 1}, "restore_best_weights must be True or False"),
        ({"start_from_epoch": -1}, "start_from_epoch must be an integer >= 0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        EarlyStopping(**options)


def test_divergence_ends_training_quietly():
    X, y = data()
    guard = fastnn.TerminateOnNonFinite()
    net = network(optimizer=fastnn.SGD(1e200))
    history = net.fit(X, y, batch_size=20, epochs=5, callbacks=[guard], verbose=0)
    assert history.epoch == []
    assert guard.reason.startswith("training diverged in epoch 1")
    assert np.isfinite(net.parameters).all()
    net = network()
    net.fit(X, y, callbacks=[guard], verbose=0)
    assert guard.reason is None


def test_a_metric_that_is_not_finite_ends_training():
    guard = fastnn.TerminateOnNonFinite()
    net, _ = fitted(guard, [1.0, math.nan, 1.0], name="val_mae")
    assert net.state.epoch == 2
    assert guard.reason == "val_mae is nan in epoch 2"
