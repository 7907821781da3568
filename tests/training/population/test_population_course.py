"""How a population goes: failures, time, memory, callbacks and threads."""

import math
import threading
import time

import numpy as np
import pytest
from populations import contents, data, network, zoo
from programs import output_of

import fastnn
from fastnn import Callback, Dense, DivergenceError, kernels
from fastnn.training.population import memory
from fastnn.utils.resources import available_memory

X, Y, _ = data()


@pytest.fixture(autouse=True)
def threads_as_before():
    threads = fastnn.get_num_threads()
    yield
    fastnn.set_num_threads(threads)


def networks(count=4, **options):
    return [network(Dense(6 + i, "relu"), seed=i, **options) for i in range(count)]


def diverging():
    return network(Dense(5), dtype="float64", optimizer=fastnn.SGD(1e200), seed=9)


class Fails(Callback):
    """Raises at the end of an epoch."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def on_epoch_end(self, network, epoch, logs):
        if epoch == self.epoch:
            raise self.error


class Notes(Callback):
    """What was called, of which network and by which thread."""

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


# ------------------------------------------------------------------------------------- failures


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


# ----------------------------------------------------------------------------- callbacks, threads


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
    meeting = threading.Barrier(2, timeout=60)

    class Meet(Callback):
        def on_epoch_begin(self, network, epoch):
            if epoch == 1:
                meeting.wait()

    fastnn.fit_population(networks(2), X, Y, epochs=2, callbacks=[Meet()])


def test_callbacks_may_look_through_the_average():
    """In whatever thread they are called."""

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


# Members work alone; the last network is left to a team, no larger than asked for.
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
            self.other.wait(60)
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


# ---------------------------------------------------------------------------------- time, memory


class Slow(Callback):
    def on_epoch_begin(self, network, epoch):
        time.sleep(0.02)


def test_time_ends_at_the_end_of_an_epoch():
    nets, whole = zoo(), zoo()
    first = fastnn.fit_population(nets, X, Y, epochs=4, callbacks=[Slow()], max_time=0.15)
    assert first.out_of_time
    assert "out of time" in repr(first)
    epochs = [len(history.epoch) for history in first.histories]
    assert sum(epochs) < 4 * len(nets)
    assert all(net.state.epoch == count for net, count in zip(nets, epochs, strict=True))
    del nets[5], whole[5], epochs[5]  # L-BFGS begins anew
    for net, twin, count in zip(nets, whole, epochs, strict=True):
        if count < 4:
            fastnn.fit_population([net], X, Y, epochs=4 - count)
        twin.fit(X, Y, epochs=4, verbose=0)
        assert contents(net) == contents(twin)


def test_enough_time():
    result = fastnn.fit_population(networks(2), X, Y, epochs=2, max_time=1e6)
    assert not result.out_of_time
    assert 0 < result.seconds < 1e6


def test_those_whose_turn_does_not_come():
    nets = networks(3)
    result = fastnn.fit_population(nets, X, Y, max_time=1e-9)
    assert result.out_of_time
    assert not any(net.built for net in nets)
    assert [len(history) for history in result.histories] == [0, 0, 0]


class Inside(Callback):
    """How many networks are in training at the same time."""

    def __init__(self):
        self.now = self.most = 0
        self.lock = threading.Lock()

    def on_train_begin(self, network, info):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def on_train_end(self, network):
        self.now -= 1


def need_of(nets, **options):
    """What the refusal of a limit says."""
    with pytest.raises(fastnn.ArgumentError) as error:
        fastnn.fit_population(nets, X, Y, memory_limit=1, **options)
    return int(str(error.value).split()[-1].replace(",", ""))


@pytest.mark.parametrize("more", [0, 1])
def test_memory_limits_those_in_training(more):
    nets, alone = networks(6, metrics=["accuracy"]), networks(6, metrics=["accuracy"])
    least = need_of(nets)
    inside = Inside()
    limit = least + more * 10**9
    fastnn.fit_population(nets, X, Y, epochs=3, callbacks=[inside], memory_limit=limit, threads=2)
    assert inside.most == (6 if more else 1)
    for net, twin in zip(nets, alone, strict=True):
        twin.fit(X, Y, epochs=3, verbose=0)
        assert contents(net) == contents(twin)
        if not more:  # what only training needs was given back
            assert net._model.executors._training is None
            assert net._model.arena._gradients is None
    fastnn.fit_population(nets, X, Y, memory_limit=limit)
    for net, twin in zip(nets, alone, strict=True):
        twin.fit(X, Y, verbose=0)
        assert contents(net) == contents(twin)


@pytest.mark.parametrize("units", [30, 500])
def test_the_estimate_is_near_what_is_allocated(units):
    import tracemalloc

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, 40)).astype(np.float32), rng.integers(0, 3, 4000)
    net = network(
        Dense(units, "relu"), fastnn.Dropout(0.1), Dense(units, "tanh"), metrics=["accuracy"]
    )
    network(Dense(2), metrics=["accuracy"]).fit(x, y, validation_data=(x, y), verbose=0)
    with pytest.raises(fastnn.ArgumentError) as error:
        fastnn.fit_population([net], x, y, batch_size=256, validation_data=(x, y), memory_limit=1)
    estimate = int(str(error.value).split()[-1].replace(",", ""))
    tracemalloc.start()
    fastnn.fit_population([net], x, y, batch_size=256, validation_data=(x, y))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.6 < estimate / peak < 1.6


def test_the_first_that_fits_begins():
    room = memory.MemoryBudget(
        100, [memory.MemoryNeeded(10, 60), memory.MemoryNeeded(10, 50), memory.MemoryNeeded(10, 20)]
    )
    assert room.limited
    assert room.enter(memory.MemoryNeeded(10, 60))
    assert not room.enter(memory.MemoryNeeded(10, 50))
    room.leave(memory.MemoryNeeded(10, 60))
    assert room.enter(memory.MemoryNeeded(10, 50))
    assert room.enter(memory.MemoryNeeded(10, 20))
    alone = memory.MemoryBudget(1, [memory.MemoryNeeded(0, 60)])
    assert alone.enter(memory.MemoryNeeded(0, 60))  # whatever happens, one trains
    assert not memory.MemoryBudget(math.inf, [memory.MemoryNeeded(1, 1)] * 9).limited


def test_memory_that_is_left(tmp_path):
    meminfo, membership = tmp_path / "meminfo", tmp_path / "cgroup"
    root = tmp_path / "groups"

    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def left():
        return available_memory(root, membership, meminfo)

    write(meminfo, "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert left() == 5000 * 1024
    write(membership, "0::/a/b\n")
    write(root / "a" / "memory.max", "3000000\n")
    write(root / "a" / "memory.current", "1000000\n")
    write(root / "a/b" / "memory.max", "max\n")
    write(root / "a/b" / "memory.current", "5\n")
    assert left() == 2000000
    write(root / "a" / "memory.current", "4000000\n")
    assert left() == 0
    write(membership, "7:cpu,cpuacct:/a\n3:memory:/a\n")
    write(root / "memory/a" / "memory.limit_in_bytes", "700\n")
    write(root / "memory/a" / "memory.usage_in_bytes", "200\n")
    assert left() == 500
    meminfo.unlink()
    membership.unlink()
    assert left() is None or left() > 0
