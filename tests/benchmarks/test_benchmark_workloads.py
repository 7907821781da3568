"""Assertions of benchmarks on the work that they time notice a wrong outcome."""

import importlib
import time
from types import SimpleNamespace

import numpy as np
import pytest
from project import ROOT

BENCHMARKS = ROOT / "benchmarks"
WORK = {
    "gemm": (5, 64, 7),
    "dense_dropout": (40, 64, 50),
    "adam": (100,),
    "public_adam": (100,),
    "dropout": (10_000,),
    "activation": ("tanh", 100),
}


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        names = (
            "workloads.parts",
            "workloads.kernels",
            "workloads.networks",
            "workloads.calls",
            "workloads.timing",
        )
        modules = {name.split(".")[-1]: importlib.import_module(name) for name in names}
        adapters = ("fastnn_native", "numpy_blas", "torch_mlp", "mkl_blas", "blis_blas")
        yield SimpleNamespace(**modules, adapters=[f"peers.adapters.{name}" for name in adapters])


@pytest.mark.parametrize("kind", WORK)
def test_parts_of_all_peers_are_right_and_others_are_not(bench, kind):
    check = bench.parts.CHECKS[kind]
    for name in bench.adapters:
        try:
            adapter = importlib.import_module(name)
        except ImportError:
            continue
        if not hasattr(adapter, kind):
            continue
        outcome = np.asarray(getattr(adapter, kind)(*WORK[kind])())
        check(outcome, *WORK[kind])
        with pytest.raises(AssertionError):
            check(1.01 * outcome, *WORK[kind])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["x w", "dy wᵀ", "xᵀ dy"])
@pytest.mark.parametrize("size", [(16, 16, 16), (5, 64, 7)])
def test_products_of_all_peers_are_right_in_every_form(bench, size, form, dtype):
    a, b = bench.parts.operands(*size, form, dtype)
    assert (a.shape, b.shape) == (size[:2], size[1:])
    stored = bench.parts.matrices(*size, form, dtype)
    assert all(array.flags.c_contiguous and array.dtype == dtype for array in stored)
    for name in bench.adapters:
        try:
            adapter = importlib.import_module(name)
        except ImportError:
            continue
        try:
            outcome = np.asarray(adapter.gemm(*size, form, dtype)())
        except NotImplementedError:
            continue
        bench.parts.check_gemm(outcome, *size, form, dtype)
        with pytest.raises(AssertionError):
            bench.parts.check_gemm(1.01 * outcome, *size, form, dtype)


def test_predictions_are_those_of_the_first_weights(bench):
    adapter = importlib.import_module("peers.adapters.fastnn_native")
    workload = bench.networks.TRAINING[1]
    p = adapter.predictor(workload)()
    bench.parts.check_prediction(p, workload)
    with pytest.raises(AssertionError):
        bench.parts.check_prediction(np.roll(p, 1), workload)


def test_kernels_are_held_against_the_reference(bench):
    work = bench.kernels.work("scale", "small", "float32")
    call = work.call()
    call()
    work.check(call)
    right = call._function
    call._function = lambda x, factor: right(x, 1.01 * factor)
    with pytest.raises(AssertionError, match="epsilons off"):
        work.check(call)


def test_arguments_begin_on_a_cache_line(bench):
    copy = bench.calls.aligned(np.arange(7.0))
    assert copy.ctypes.data % 64 == 0
    assert copy.tolist() == list(range(7))


def test_a_sample_of_many_calls_counts_as_one(bench, monkeypatch):
    class Work(bench.timing.Timed):
        """Takes a millisecond of a clock that nothing else moves."""

        now = 0.0

        def work(self):
            return self.move

        def move(self):
            Work.now += 1e-3

    monkeypatch.setattr(time, "perf_counter", lambda: Work.now)
    benchmark = Work()
    benchmark.setup()
    start = benchmark.timer()
    benchmark.time_call()
    assert benchmark.timer() - start == pytest.approx(1e-3)
    assert benchmark._calls == pytest.approx(bench.timing.SAMPLE / 1e-3, rel=0.5)
