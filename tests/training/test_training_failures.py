"""Training that is interrupted, that fails or diverges: what is left of the network."""

import os
import signal
import threading

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import Callback, Dense, Network
from fastnn.ir.program import RunState


def test_interrupt_keeps_network_and_history():
    class Interrupt(Callback):
        def on_batch_end(self, network, batch, logs):
            if network.state.epoch == 2 and batch == 3:
                os.kill(os.getpid(), signal.SIGINT)

    X, y = data()
    net, twin = network(), network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, batch_size=10, epochs=100, callbacks=[Interrupt()], verbose=0)
    twin.fit(X, y, batch_size=10, epochs=2, verbose=0)
    assert net.history.epoch == [1, 2]
    assert dict(net.history) == dict(twin.history)
    assert net.state.step == 2 * 6 + 3
    assert np.isfinite(net.predict(X)).all()
    net.fit(X, y, verbose=0)
    assert net.history.epoch == [1, 2, 3]


def test_interrupt_never_splits_an_update(monkeypatch):
    """A signal that arrives inside an update is answered when the step is whole."""
    from fastnn.kernels import reference

    X, y = data()
    net, twin = network(optimizer=fastnn.AdamW()), network(optimizer=fastnn.AdamW())
    steps = reference.adam_step
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 2:  # the first of the update's several runs of segments has been done
            os.kill(os.getpid(), signal.SIGINT)
        steps(*arguments)

    with fastnn.kernels.use("reference"):
        twin.train_on_batch(X, y)
        monkeypatch.setattr(reference, "adam_step", interrupted)
        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            net.train_on_batch(X, y)
    assert len(calls) == 4  # two layers, weights and biases
    assert net.state.step == 1
    np.testing.assert_array_equal(net.parameters, twin.parameters)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_is_not_lost_where_types_have_changed():
    """A look-up that Python has not cached would clear an error that is set."""

    def answer(number, frame):
        RunState.__doc__ = RunState.__doc__  # so that nothing is cached of the class
        raise KeyboardInterrupt

    X, y = data(rows=20_000, features=100)
    net = Network([Dense(300, "tanh"), Dense(300, "tanh"), Dense(1)], loss="huber", seed=0)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

    class Begun(Callback):
        def on_train_begin(self, network, info):
            timer.start()

    previous = signal.signal(signal.SIGINT, answer)
    try:
        with pytest.raises(KeyboardInterrupt):  # from C, where training is nearly all the time
            net.fit(X, y, batch_size=128, epochs=1000, verbose=0, callbacks=[Begun()])
    finally:
        timer.join()
        signal.signal(signal.SIGINT, previous)
    assert net.history.epoch == list(range(1, net.state.epoch + 1))
    assert np.isfinite(net.parameters).all()


def test_fit_works_outside_the_main_thread():
    X, y = data()
    net, twin = network(), network()
    thread = threading.Thread(target=net.fit, args=(X, y), kwargs={"verbose": 0})
    thread.start()
    thread.join()
    twin.fit(X, y, verbose=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_a_second_fit_at_the_same_time_is_refused():
    X, y = data()
    errors = []

    class Nested(Callback):
        def on_epoch_end(self, network, epoch, logs):
            try:
                network.fit(X, y, verbose=0)
            except fastnn.NetworkBusyError as error:
                errors.append(error)

    net = network()
    net.fit(X, y, callbacks=[Nested()], verbose=0)
    assert len(errors) == 1
    net.fit(X, y, verbose=0)


def test_a_failing_callback_leaves_the_network_usable():
    class Fail(Callback):
        ended = False

        def on_epoch_end(self, network, epoch, logs):
            raise RuntimeError("mine")

        def on_train_end(self, network):
            self.ended = True

    X, y = data()
    net, fail = network(), Fail()
    with pytest.raises(RuntimeError, match="mine"):
        net.fit(X, y, callbacks=[fail], verbose=0)
    assert fail.ended
    assert net.history.epoch == [1]
    net.fit(X, y, verbose=0)


def test_divergence_names_the_place_and_keeps_finite_weights():
    X, y = data()
    net = network(optimizer=fastnn.SGD(1e200))
    with pytest.raises(fastnn.DivergenceError) as raised:
        net.fit(X, y, batch_size=20, epochs=5, verbose=0)
    error = raised.value
    assert (error.epoch, error.layer) == (1, "dense_2")
    assert error.batch > 1
    assert "epoch 1" in str(error)
    assert "'dense_2'" in str(error)
    assert np.isfinite(net.parameters).all()
    assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize(
    "train",
    [
        lambda net, X, y: net.fit(X, y, batch_size=20, verbose=0),  # the next batch shows it
        lambda net, X, y: net.fit(X, y, batch_size=None, verbose=0),  # no other step follows
        lambda net, X, y: net.fit(X, y, batch_size=None, epochs=3, verbose=0),
        lambda net, X, y: net.train_on_batch(X, y),
    ],
)
def test_an_update_that_overflows_is_undone(train, momentum):
    X, y = data()
    optimizer = fastnn.SGD(1.5e308, momentum=momentum)
    net = Network([Dense(1)], loss="mean_squared_error", optimizer=optimizer, dtype="float64")
    start = net.build(5).parameters.copy()
    with pytest.raises(fastnn.DivergenceError, match="diverged in epoch 1"):
        train(net, 100 * X, 100 * y)
    np.testing.assert_array_equal(net.parameters, start)
    assert not net._model.arena.slots.any()


def test_a_gradient_that_overflows_is_caught_before_the_update():
    """x = w2 = 1e200: the loss is 1, but dw1 = x · dz · w2 is beyond float64."""
    X, y = np.full((4, 1), 1e200), np.ones(4)
    net = Network([Dense(1), Dense(1)], loss="mean_squared_error", dtype="float64").build(1)
    net.set_weights([[[0.0]], [0.0], [[1e200]], [0.0]])
    before = net.parameters.copy()
    with pytest.raises(fastnn.DivergenceError, match=r"gradient is not finite.*'dense_1'"):
        net.fit(X, y, batch_size=None, verbose=0)
    np.testing.assert_array_equal(net.parameters, before)
