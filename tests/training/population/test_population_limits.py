"""A population with limits of time and memory."""

import math
import threading
import time
import tracemalloc

import numpy as np
import pytest
from populations import contents, data, network, networks, zoo

import fastnn
from fastnn import Callback, Dense
from fastnn.training.population import memory
from fastnn.utils.resources import available_memory

X, Y, _ = data()


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
    """Counts the networks in training at the same time."""

    def __init__(self):
        self.now = self.most = 0
        self.lock = threading.Lock()

    def on_train_begin(self, network, info):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def on_train_end(self, network):
        with self.lock:
            self.now -= 1


def need_of(nets, **options):
    """Return the message with which a limit is refused."""
    with pytest.raises(fastnn.ArgumentError) as error:
        fastnn.fit_population(nets, X, Y, memory_limit=1, **options)
    return int(str(error.value).split()[-1].replace(",", ""))


@pytest.mark.parametrize(
    ("more", "threads", "most"),
    [
        (0, 2, [1]),
        (1, 1, [6]),
        (1, 2, [5, 6]),  # a thread that waits for a processor may begin one after others ended
    ],
)
def test_memory_limits_those_in_training(more, threads, most):
    nets, alone = networks(6, metrics=["accuracy"]), networks(6, metrics=["accuracy"])
    least = need_of(nets)
    inside = Inside()
    limit = least + more * 10**9
    limits = {"memory_limit": limit, "threads": threads}
    fastnn.fit_population(nets, X, Y, epochs=3, callbacks=[inside], **limits)
    assert inside.most in most
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
