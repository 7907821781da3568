"""Signals and forks while a population trains."""

import os
import sys

import pytest
from programs import output_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
RUNS = 20 if os.environ.get("FASTNN_FULL") == "1" else 3

SETTING = """
    import os, signal, sys, threading, time
    import numpy as np
    import fastnn
    from fastnn import Dense, Dropout
    from populations import data, network

    threads = int(sys.argv[1])
    fastnn.set_num_threads(threads)
    X, y, _ = data()

    def networks(count=5):
        return [network(Dense(10 + 20 * i, "relu"), Dropout(0.2), seed=i) for i in range(count)]

    def later(seconds, number=signal.SIGINT, nets=()):
        "Send a signal so long after all the networks have begun."
        def send():
            while not all(net.state.step for net in nets):
                time.sleep(0.001)
            time.sleep(seconds)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), number)
        sent = []
        timer = threading.Thread(target=send)
        timer.start()
        return timer, sent
"""

# After Ctrl-C each network is that of as many updates as its step tells, made alone.
CTRL_C = (
    SETTING
    + """
    class Stop(fastnn.Callback):
        def __init__(self, step):
            self.step = step
        def on_batch_end(self, network, batch, logs):
            if network.state.step == self.step:
                raise KeyError

    for run in range(int(sys.argv[2])):
        ends = []
        class End(fastnn.Callback):
            def on_train_end(self, network):
                ends.append(network.seed)
        nets = networks(1 if run == 1 else 5)
        timer, sent = later(0.05 + 0.037 * run, nets=nets)
        try:
            fastnn.fit_population(nets, X, y, epochs=10**6, callbacks=[End()], on_error="record")
        except KeyboardInterrupt:
            delay = time.perf_counter() - sent[0]
        timer.join()
        assert delay < 5, delay
        assert sorted(ends) == list(range(len(nets)))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        for net, twin in zip(nets, networks()):
            assert net._model.session is None
            try:
                twin.fit(X, y, epochs=10**6, callbacks=[Stop(net.state.step)], verbose=0)
            except KeyError:
                pass
            assert twin.state.step == net.state.step > 0
            np.testing.assert_array_equal(net.parameters, twin.parameters)
            np.testing.assert_array_equal(net._model.arena.slots, twin._model.arena.slots)
        fastnn.fit_population(nets, X, y)
    print("done")
"""
)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_ctrl_c_leaves_finished_updates(threads):
    assert output_of(CTRL_C, threads, RUNS) == "done"


# The calling thread has nothing to do but to wait while the other one trains.
WAITING = (
    SETTING
    + """
    big = np.random.default_rng(0).normal(size=(300000, 9))
    labels = np.zeros(300000, np.int64)
    class Slow(fastnn.Callback):
        def on_epoch_begin(self, network, epoch):
            if threading.current_thread() is threading.main_thread():
                raise RuntimeError("mine")

    nets = [network(Dense(300, "relu"), Dense(300, "relu"), seed=i) for i in range(2)]
    timer, sent = later(0.3)
    try:
        fastnn.fit_population(nets, big, labels, epochs=10**4, callbacks=[Slow()],
                              batch_size=16, on_error="record", threads=2)
    except KeyboardInterrupt:
        print(time.perf_counter() - sent[0])
    timer.join()
"""
)


def test_ctrl_c_is_heard_while_others_work(record_property):
    delay = float(output_of(WAITING, 2))
    record_property("delay", delay)
    assert delay < 5


# What another signal's handler raises ends all; a handler that returns is only called.
HANDLERS = (
    SETTING
    + """
    class Alarm(Exception):
        pass

    def ring(number, frame):
        raise Alarm

    signal.signal(signal.SIGUSR1, ring)
    for count in (5, 1):
        timer, _ = later(0.1, signal.SIGUSR1)
        try:
            fastnn.fit_population(networks(count), X, y, epochs=10**6)
        except Alarm:
            print("alarm")
        timer.join()

    heard = []
    signal.signal(signal.SIGUSR1, lambda *_: heard.append(threading.current_thread().name))
    timer, _ = later(0.02, signal.SIGUSR1)
    alone, together = networks(), networks()
    fastnn.fit_population(together, X, y, epochs=50)
    timer.join()
    for net, twin in zip(together, alone):
        twin.fit(X, y, epochs=50, verbose=0)
        assert net.parameters.tobytes() == twin.parameters.tobytes()
    print(*heard)
"""
)


@pytest.mark.parametrize("threads", [1, 2])
def test_handlers_of_other_signals(threads):
    assert output_of(HANDLERS, threads).split() == ["alarm", "alarm", "MainThread"]


FORKS = (
    SETTING
    + """
    def trained():
        nets = networks()
        fastnn.fit_population(nets, X, y, epochs=2)
        return b"".join(net.parameters.tobytes() for net in nets)

    expected = trained()

    def in_child(work):
        child = os.fork()
        if not child:
            os._exit(0 if work() == expected else 1)
        return os.waitpid(child, 0)[1]

    class Fork(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            statuses.append(in_child(trained))

    statuses = [in_child(trained) for _ in range(3)]
    fastnn.fit_population(networks(3), X, y, epochs=2, callbacks=[Fork()])
    assert statuses == [0] * 9, statuses
    assert trained() == expected
    print("done")
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_forks(threads):
    """A child trains by itself, also one of a callback, whatever threads of its parent did."""
    assert output_of(FORKS, threads) == "done"
