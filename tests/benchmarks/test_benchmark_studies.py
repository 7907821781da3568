"""The studies measure what they say."""

import importlib
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from project import ROOT

from fastnn import Adam, Dense, Network

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        names = ("convolutions", "halving", "native_loops", "scaling")
        modules = {name: importlib.import_module(f"studies.{name}") for name in names}
        yield SimpleNamespace(**modules, workloads=importlib.import_module("workloads"))


@pytest.fixture
def machine(bench):
    """A barrier of 30 ns on two threads, 10 GB/s a core and 40 a socket, 1 MiB for 8 cores."""
    return bench.scaling.Machine(
        1e11, 1e10, {1: [0.0], 2: [40e-9, 30e-9]}, 4e10, 16, 8, 1 << 20, remote=5
    )


def test_halving_spends_fewer_epochs(bench):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 120)
    experiment = bench.halving.Experiment(np.eye(10)[y].astype(np.float32), y, trials=9, epochs=9)
    full = experiment.run(0)
    assert full.epochs == 9 * 9
    for name, found in experiment.halved(0).items():
        first = int(name.split()[-1])
        steps = {1: 9 * 1 + 3 * 2 + 1 * 6, 3: 9 * 3 + 3 * 6}
        assert found.epochs == steps[first]
        assert found.accuracy <= full.accuracy


def test_a_barrier_grows_with_threads_or_with_levels(machine):
    assert machine.barrier(2) == 30e-9
    assert machine.barrier(8) == pytest.approx(90e-9)
    # Of 63 others, 7 share the cache.
    assert machine.barrier(64) == pytest.approx(65 * 10e-9 * (1 / 9 + 5 * 8 / 9))
    two_level = replace(machine, two_level=True)
    assert two_level.barrier(8) == machine.barrier(8)
    assert two_level.barrier(64) == pytest.approx(90e-9 + 5 * 90e-9)


def test_a_step_on_more_threads_than_tasks_idles(bench, machine):
    loops = [
        bench.native_loops.Loop("four", 4, 1e-3, 0),
        bench.native_loops.Loop("one", 1, 1e-3, 0),
    ]
    step = bench.scaling.Step(bench.workloads.TRAINING[0], loops, 1 << 10, {1: 4e-3})
    assert sum(step.modelled(machine, 1).values()) == pytest.approx(4e-3)
    parts = step.modelled(machine, 8)
    # A task of the first loop takes 0.5 ms, that of the second 2 ms; 8 threads would share 4 ms.
    assert parts == pytest.approx(
        {"computing": 0.5e-3, "idle": 2e-3, "memory": 0, "barriers": 2 * 90e-9}
    )
    assert step.modelled(machine, 8, finest=True)["idle"] == pytest.approx(0, abs=1e-8)


def test_the_fastest_team_has_no_more_threads_than_pay(bench, machine):
    loops = [bench.native_loops.Loop(str(i), 4, 1e-6, 0) for i in range(3)]
    step = bench.scaling.Step(bench.workloads.TRAINING[0], loops, 1 << 10, {1: 3e-6})
    assert step.fastest_team(machine, 1) == 1
    assert step.fastest_team(machine, 3) == 2  # three of four tasks need two rounds as well
    assert step.fastest_team(machine, 192) == 4
    cheap = replace(machine, barriers={1: [0.0], 2: [1e-12]})
    assert step.fastest_team(cheap, 192, finest=True) == 192


def test_memory_bounds_what_no_cache_holds(bench, machine):
    loop = bench.native_loops.Loop("stream", 64, 1e-3, 10**7)
    step = bench.scaling.Step(bench.workloads.TRAINING[0], [loop], 3 << 20, {1: 1e-3})
    # 64 tasks of 16 µs; 10 MB take 250 µs at the 40 GB/s of a socket, and the rest is waiting.
    assert step.modelled(machine, 16)["memory"] == pytest.approx(250e-6 - 62.5e-6)
    assert step.modelled(machine, 32)["memory"] == 0  # four caches hold the 3 MiB


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_loops_of_a_step_are_cut_as_the_kernels_cut_them(bench):
    workload = bench.workloads.Workload((64, 300, 300, 10), batch=200, steps=1)
    layers = [Dense(300, "relu"), Dense(300, "relu"), Dense(10)]
    net = Network(layers, loss="softmax_cross_entropy", optimizer=Adam()).build(64)
    executor = net._model.executors.training(workload.batch, labels=True)
    loops = bench.native_loops.step_loops(executor.plan, workload)
    ops = [op.kernel for stage in bench.native_loops.STEP for op in executor.plan.stages[stage]]
    assert list(dict.fromkeys(loop.name for loop in loops)) == list(dict.fromkeys(["gather", *ops]))
    gather, *_, adam = loops
    parameters = executor.arena.parameters.size
    assert 1 < adam.tasks <= 512
    assert adam.bytes == 7 * 4 * parameters  # four arrays read, three written
    assert 1 < gather.tasks < workload.batch
    assert gather.bytes == 2 * 200 * (64 * 4 + 8)
    assert all(loop.tasks > 0 and loop.seconds > 0 for loop in loops)


def test_convolutions_stand_beside_products_of_as_many_sums(bench):
    layer = bench.convolutions.Layer(4, 2, 3, 3)
    assert layer.product == (bench.convolutions.BATCH * 16, 18, 3)
    passes = list(bench.convolutions.works(layer))
    assert [name for name, *_ in passes] == [
        "forward",
        "gradient of the input",
        "gradient of the weights",
    ]
    for _, convolution, product in passes:
        convolution()
        product()
    (y, x, w, *_), (c, a, b, *_) = (work.args for work in passes[0][1:])
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), (3, 3), axis=(1, 2)
    )
    np.testing.assert_allclose(y, np.einsum("bijcuv,uvco->bijo", windows, w), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-4)
