"""A population in which networks diverge or callbacks raise."""

import numpy as np
import pytest
from populations import contents, data, diverging, network, networks

import fastnn
from fastnn import Callback, Dense, DivergenceError

X, Y, _ = data()


class Fails(Callback):
    """Raises at the end of an epoch."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def on_epoch_end(self, network, epoch, logs):
        if epoch == self.epoch:
            raise self.error


@pytest.mark.parametrize("threads", [1, 2])
def test_others_go_on_when_failures_are_recorded(threads):
    fastnn.set_num_threads(2)
    nets, alone = networks(), networks()
    for net in alone:
        net.fit(X, Y, epochs=3, verbose=0)
    nets[1:1] = [diverging()]
    nets.append(network(Dense(3), seed=8))
    error = RuntimeError("mine")
    callbacks = [[] for _ in nets]
    callbacks[-1].append(Fails(2, error))
    result = fastnn.fit_population(
        nets, X, Y, epochs=3, callbacks=callbacks, on_error="record", threads=threads
    )
    assert result.failed == (1, 5)
    assert isinstance(result.errors[1], DivergenceError)
    assert result.errors[5] is error
    assert [len(history.epoch) for history in result.histories] == [3, 0, 3, 3, 3, 2]
    assert np.isfinite(nets[1].parameters).all()
    assert [contents(nets[i]) for i in (0, 2, 3, 4)] == [contents(net) for net in alone]
    assert "2 failed" in repr(result)
    assert len(result) == 6


@pytest.mark.parametrize("error", [RuntimeError("mine"), StopIteration(), SystemExit(3)])
def test_an_error_ends_all(error):
    nets = networks()
    with pytest.raises(type(error)) as caught:
        fastnn.fit_population(
            nets, X, Y, epochs=50, callbacks=lambda i: [Fails(2, error)] * (i == 2)
        )
    assert caught.value is error
    if not isinstance(error, SystemExit):
        assert "networks[2]" in error.__notes__[0]
    for net in nets:
        assert net._model.session is None
        net.fit(X, Y, verbose=0)


def test_divergence_may_be_an_end_like_others():
    nets = [diverging(), *networks(2)]
    guards = [fastnn.TerminateOnNonFinite() for _ in nets]
    result = fastnn.fit_population(nets, X, Y, callbacks=[[guard] for guard in guards])
    assert result.errors == (None, None, None)
    assert "diverged" in guards[0].reason
    with pytest.raises(DivergenceError):
        fastnn.fit_population([diverging(), *networks(2)], X, Y)


def test_every_network_has_exactly_its_finished_updates():
    class Stop(Callback):
        def on_batch_end(self, network, batch, logs):
            if network.state.step == step:
                raise KeyError

    nets = networks(3)
    with pytest.raises(RuntimeError, match="mine"):
        fastnn.fit_population(
            nets, X, Y, epochs=900, callbacks=[[Fails(3, RuntimeError("mine"))], [], []]
        )
    for net, twin in zip(nets, networks(3), strict=True):
        step = net.state.step
        if step:
            with pytest.raises(KeyError):
                twin.fit(X, Y, epochs=900, callbacks=[Stop()], verbose=0)
            np.testing.assert_array_equal(net.parameters, twin.parameters)
            np.testing.assert_array_equal(net._model.arena.slots, twin._model.arena.slots)
