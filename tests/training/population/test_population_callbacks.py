"""Callbacks, the progress bar and the threads of a population."""

import threading
import time

import numpy as np
import pytest
from populations import contents, data, diverging, networks
from programs import output_of

import fastnn
from fastnn import Callback, kernels

X, Y, _ = data()


class Notes(Callback):
    """Records calls, with their network and thread."""

    def __init__(self):
        self.calls, self.threads = [], set()

    def note(self, network, what):
        self.calls.append((network.seed, what))
        self.threads.add(threading.get_ident())

    def on_train_begin(self, network, info):
        self.note(network, "train")

    def on_epoch_begin(self, network, epoch):
        self.note(network, epoch)

    def on_epoch_end(self, network, epoch, logs):
        self.note(network, -epoch)

    def on_train_end(self, network):
        self.note(network, "end")


def test_hooks_of_one_network_come_in_order():
    notes = Notes()
    fastnn.fit_population(networks(5), X, Y, epochs=[1, 2, 3, 2, 1], callbacks=[notes])
    for seed, epochs in enumerate([1, 2, 3, 2, 1]):
        own = [what for network, what in notes.calls if network == seed]
        rounds = [sign * epoch for epoch in range(1, epochs + 1) for sign in (1, -1)]
        assert own == ["train", *rounds, "end"]


@pytest.mark.skipif(kernels.active_backend() != "native", reason="pools are the native back end's")
def test_networks_train_at_the_same_time():
    """Each waits, in its first epoch, for another one."""
    fastnn.set_num_threads(2)
    meeting = threading.Barrier(2, timeout=600)

    class Meet(Callback):
        def on_epoch_begin(self, network, epoch):
            if epoch == 1:
                meeting.wait()

    fastnn.fit_population(networks(2), X, Y, epochs=2, callbacks=[Meet()])


def test_callbacks_may_look_through_the_average():
    """Callbacks are called for their own network, in any thread."""

    class Look(Callback):
        seen = 0

        def on_epoch_end(self, network, epoch, logs):
            with network.averaged():
                network.predict(X)
            self.seen += 1

    looks = [Look() for _ in range(4)]
    nets = networks(weight_average=fastnn.EMA(0.9))
    fastnn.fit_population(nets, X, Y, epochs=3, callbacks=[[look] for look in looks])
    assert [look.seen for look in looks] == [3, 3, 3, 3]


def test_hooks_see_the_surroundings_of_the_call():
    class Overflow(Callback):
        def on_epoch_end(self, network, epoch, logs):
            np.float32(1e38) * np.float32(10)

    with np.errstate(over="raise"):
        result = fastnn.fit_population(
            networks(3), X, Y, callbacks=[Overflow()], on_error="record", threads=2
        )
    assert all(isinstance(error, FloatingPointError) for error in result.errors)


def test_progress_of_each_network():
    class Watch(Callback):
        def __init__(self):
            self.rows = []

        def on_batch_end(self, network, batch, logs):
            time.sleep(0.03)

        def on_progress(self, network, logs):
            self.rows.append(logs["rows"])

    watches = [Watch() for _ in range(3)]
    nets = networks(3)
    fastnn.fit_population(nets, X, Y, batch_size=100, callbacks=[[watch] for watch in watches])
    assert [watch.rows for watch in watches] == [[100, 200, 300, 301]] * 3


def test_a_population_within_a_population():
    inner = []

    class Nested(Callback):
        def on_epoch_end(self, network, epoch, logs):
            nets = networks(2)
            fastnn.fit_population(nets, X, Y, epochs=2)
            inner.append([contents(net) for net in nets])

    fastnn.fit_population(networks(3), X, Y, callbacks=[Nested()], threads=2)
    alone = networks(2)
    for net in alone:
        net.fit(X, Y, epochs=2, verbose=0)
    assert inner == [[contents(net) for net in alone]] * 3


def test_a_bar(capsys):
    fastnn.fit_population([*networks(2), diverging()], X, Y, verbose=1, on_error="record")
    assert "3/3 networks" in capsys.readouterr().err
    fastnn.fit_population(networks(2), X, Y)
    assert capsys.readouterr().err == ""


# One thread trains a network; all of them train the last one, as many as `threads` allows.
TEAMS = """
    import threading
    import time
    import fastnn
    from fastnn.kernels import native
    from populations import data, network
    X, y, _ = data()
    teams = []

    class Note(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            teams.append(native.last_team())

    class Last(fastnn.Callback):
        "Has long epochs, all but the first of them after the end of the other network."
        other = threading.Event()

        def on_epoch_end(self, network, epoch, logs):
            self.other.wait(600)
            time.sleep(0.005)
            teams.append(native.last_team())

    class First(Note):
        def on_train_end(self, network):
            Last.other.set()

    fastnn.set_num_threads(4)
    for threads, epochs in [(3, [1]), (None, [1]), (9, [1]), (1, [1, 1]), (2, [60, 1])]:
        nets = [network(fastnn.Dense(40), seed=i) for i in range(len(epochs))]
        callbacks = [[Last()], [First()]] if epochs == [60, 1] else [Note()]
        fastnn.fit_population(nets, X, y, epochs=epochs, callbacks=callbacks, threads=threads)
        print(*sorted(teams))
        teams.clear()
    print(fastnn.get_num_threads())
    nets[0].fit(X, y, callbacks=[Note()], verbose=0)
    print(*teams)
"""


@pytest.mark.skipif(kernels.active_backend() != "native", reason="teams are the native back end's")
def test_teams():
    lines = output_of(TEAMS, FASTNN_TEAM="force").splitlines()
    assert lines[:4] == ["3", "4", "4", "1 1"]
    last = [int(team) for team in lines[4].split()]
    assert set(last) <= {1, 2}
    assert len(last) == 61
    assert last.count(1) >= 2
    assert last.count(2) >= 30
    assert lines[5:] == ["4", "4"]
