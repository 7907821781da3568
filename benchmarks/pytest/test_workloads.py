"""The workloads timed by pytest-benchmark, those that do the same side by side in a group.

    pytest benchmarks/pytest --benchmark-only

A group has fastnn's back ends and the peers that are installed, all in this one process. Every test
asserts that what it times is right; with --benchmark-disable each runs once. Without
pytest-benchmark all are skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from peers import cases
from peers.adapters import PEERS, VARIABLES
from workloads import engines, fits, kernels, oracle, package, parts, searches, timing

from fastnn.kernels import BACKENDS, use

ROUNDS = 15
OURS = "fastnn"
DIGITS = fits.PROBLEMS[0]
SEARCH = searches.Search(rows=1000, epochs=5, trials=8)
WAYS = {
    **searches.WAYS,
    "scikit-learn": searches.scikit_learn,
    "Optuna over torch": searches.optuna_over_torch,
}

if importlib.util.find_spec("pytest_benchmark") is None:

    @pytest.fixture
    def benchmark():
        pytest.skip("pytest-benchmark is not installed")


@pytest.fixture(scope="session", autouse=True)
def threads():
    """Pin this process to FASTNN_NUM_THREADS processors, one by default; return their number."""
    count = int(os.environ.get("FASTNN_NUM_THREADS", "1"))
    try:
        engines.Engine(threads=count).start()
    except NotImplementedError as error:
        pytest.skip(str(error))
    return count


@pytest.fixture
def timed(benchmark) -> Callable[..., None]:
    """Return timed(group, work, check), which times work() in rounds of some milliseconds.

    check(outcome) asserts that the first call returned what it should; later ones may go on from
    what it left.
    """

    def time(
        group: str, work: Callable[[], Any], check: Callable[[Any], None] = lambda _: None
    ) -> None:
        check(work())
        benchmark.group = group
        calls = 1 if benchmark.disabled else timing.calls_within(timing.SAMPLE, work)
        benchmark.pedantic(work, rounds=ROUNDS, iterations=calls)

    return time


def kernel_runs() -> Iterator[Any]:
    """Yield each kernel by size, dtype and back end; NumPy would take minutes for large ones."""
    for subject in kernels.subjects():
        for size in kernels.SIZES:
            marks = [pytest.mark.slow] if size == "large" else []
            for backend in BACKENDS if size == "small" else BACKENDS[:2]:
                for dtype in kernels.DTYPES:
                    name = f"{subject.name}-{dtype}-{size}-{backend}"
                    yield pytest.param(subject, size, dtype, backend, id=name, marks=marks)


@pytest.mark.parametrize(("subject", "size", "dtype", "backend"), list(kernel_runs()))
def test_kernel(timed, subject, size, dtype, backend):
    work = kernels.KernelWork(subject, size, dtype)
    try:
        call = work.call(backend)
    except NotImplementedError as error:
        pytest.skip(str(error))
    timed(work.name, call)
    work.check(call)


def peer_runs() -> Iterator[Any]:
    """Yield short runs of the cases of benchmarks/peers, but for the limits of the machine.

    Networks and products on the other back ends, too.
    """
    for case in cases.all_cases([1], smoke=True):
        for task in case.tasks:
            if task.peer == cases.MACHINE or task.peer in VARIABLES:  # needs its own process
                continue
            several = task.peer == OURS and task.kind in ("trainer", "predictor", "gemm")
            for backend in BACKENDS if several else BACKENDS[:1]:
                suffix = "" if backend == BACKENDS[0] else f" {backend}"
                yield pytest.param(case, task, backend, id=f"{case.name}-{task.label}{suffix}")


@pytest.mark.parametrize(("case", "task", "backend"), list(peer_runs()))
def test_case(timed, threads, case, task, backend):
    try:
        adapter = importlib.import_module(f"peers.adapters.{PEERS[task.peer]}")
    except ImportError as error:
        pytest.skip(str(error))
    if not hasattr(adapter, task.kind):
        pytest.skip(f"{task.peer} has no {task.kind}")
    getattr(adapter, "initialize", lambda _: None)(threads)
    with use(backend) if task.peer == OURS else nullcontext():
        if task.kind.endswith("trainer"):
            check_training(adapter, task.kind, case.workload)
        check = parts.CHECKS.get(task.kind, lambda *_: None)  # importing checks itself
        work = getattr(adapter, task.kind)(*task.arguments)
        timed(case.name, work, lambda outcome: check(outcome, *task.arguments))


def check_training(adapter, kind, workload):
    """Assert that rows in their order lead to the losses of the oracle."""
    check = workload.for_check()
    if getattr(adapter, "comparable", lambda _: True)(check):
        losses = getattr(adapter, kind)(check, shuffle=False)()
        assert oracle.close(losses, oracle.epoch_losses(check))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", fits.SIDES)
def test_fit_of_digits(timed, side, dtype):
    fit, score = fits.whole_fit(side, DIGITS, dtype)
    timed(f"fit {DIGITS.name}, {dtype}", fit)
    assert score() > 0.95


@pytest.mark.parametrize("way", WAYS)
def test_search(timed, threads, way):
    def check(accuracies):
        assert len(accuracies) == SEARCH.trials
        assert max(accuracies) > 0.75

    try:
        timed(f"search, {SEARCH.trials} networks", lambda: WAYS[way](SEARCH, threads), check)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", package.IMPORTS)
def test_import(timed, name):
    timed("import", lambda: package.import_in_a_fresh_interpreter(name))  # raises if it fails
