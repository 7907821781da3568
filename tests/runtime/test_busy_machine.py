"""Teams on a machine that is busy with something else: threads that would wait are not taken."""

import ctypes
import sys

import pytest
from programs import output_of, shared_library
from project import ROOT

from fastnn.kernels import native

CSRC = ROOT / "csrc"
MILLISECOND = 1_000_000


class Contention(ctypes.Structure):
    """The structure of csrc/parallel/contention.h."""

    _fields_ = [
        (name, ctypes.c_int64) for name in ("cap", "pause", "end", "threads", "elapsed", "lost")
    ]


class Machine:
    """A clock, and teams that find so many processors taken."""

    def __init__(self, library, limit):
        self._library, self._limit = library, limit
        self._state = Contention()
        self.now = 1_000 * MILLISECOND

    @property
    def team(self):
        """The largest team that may work now."""
        address = ctypes.byref(self._state)
        return self._library.fastnn_contention_limit(address, self._limit, ctypes.c_int64(self.now))

    def work(self, milliseconds, lost):
        """The largest team works, and its first thread waits for a share of the time."""
        threads, address = self.team, ctypes.byref(self._state)
        self.now += milliseconds * MILLISECOND
        numbers = milliseconds * MILLISECOND, int(lost * milliseconds * MILLISECOND), self.now
        self._library.fastnn_contention_note(address, threads, *map(ctypes.c_int64, numbers))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    source, folder = '#include "parallel/contention.c"', tmp_path_factory.mktemp("contention")
    return ctypes.CDLL(str(shared_library(source, folder, "contention", f"-I{CSRC}")))


def test_a_team_with_a_processor_for_each_thread_goes_on(library):
    machine = Machine(library, 8)
    for _ in range(100):
        machine.work(10, lost=0.1)
        assert machine.team == 8


def test_a_team_that_waits_is_halved_and_tried_again_later(library):
    machine = Machine(library, 8)
    machine.work(30, lost=0.5)
    assert machine.team == 4
    machine.work(30, lost=0.1)
    assert machine.team == 4
    machine.now += 100 * MILLISECOND
    assert machine.team == 8


def test_short_stretches_count_together(library):
    machine = Machine(library, 2)
    for _ in range(30):
        assert machine.team == 2
        machine.work(1, lost=0.5)
    assert machine.team == 1


def test_trials_become_rarer_where_they_fail(library):
    """Teams that wait get less than half a second of ten."""
    machine, tried = Machine(library, 2), 0
    while machine.now < 11_000 * MILLISECOND:
        tried += machine.team > 1
        machine.work(10, lost=0.5 if machine.team > 1 else 0.0)
    assert 5 < tried < 50


def test_nothing_is_tried_while_even_one_thread_waits(library):
    machine = Machine(library, 2)
    machine.work(30, lost=0.5)
    for _ in range(100):
        assert machine.team == 1
        machine.work(30, lost=0.5)


def test_a_machine_that_was_crowded_and_is_quiet_gets_teams_again(library):
    machine = Machine(library, 4)
    while machine.now < 5_000 * MILLISECOND:
        machine.work(10, lost=0.5)
    while machine.now < 8_000 * MILLISECOND:
        machine.work(10, lost=0.0)
    assert machine.team == 4


CROWDED = """
    import os
    import numpy as np
    import fastnn
    from fastnn import Dense, Network
    from fastnn.kernels import native

    class Crowd(fastnn.Callback):
        "Has all threads share one processor from the sixth epoch on."
        def on_epoch_end(self, network, epoch, logs):
            if epoch == 5:
                one = {min(os.sched_getaffinity(0))}
                for thread in os.listdir("/proc/self/task"):
                    os.sched_setaffinity(int(thread), one)
            print(native.last_team())

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1024, 256)).astype("f"), rng.integers(0, 10, 1024)
    layers = [Dense(512, "relu"), Dense(512, "relu"), Dense(10)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0)
    net.fit(X, y, epochs=50, batch_size=128, callbacks=[Crowd()], verbose=0)
"""


@pytest.mark.skipif(not native.openmp_version(), reason="built without OpenMP")
@pytest.mark.skipif(sys.platform != "linux", reason="processors as Linux counts them")
def test_a_team_that_loses_its_processors_ends():
    """Long before the next trial of team sizes, which comes after two seconds of work."""
    environment = {"FASTNN_TEAM": "auto", "FASTNN_NUM_THREADS": "2"}
    teams = output_of(CROWDED, **environment).split()
    assert len(teams) == 50
    later = teams[10:]
    assert later.count("1") > 0.8 * len(later)
