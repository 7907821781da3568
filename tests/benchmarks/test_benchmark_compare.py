"""benchmarks/compare tells a slowdown from noise."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from project import ROOT

import fastnn

BENCHMARKS = ROOT / "benchmarks"
PLANTED = """


def _slowed(function, calls=[0]):
    def slowed(*arguments):
        calls[0] += 1
        if calls[0] % 20 < 3:  # 15 % more work
            function(*arguments)
        return function(*arguments)

    return slowed


_load_unchanged = _load


def _load(backend):
    module = _load_unchanged(backend)
    if not hasattr(module, "unchanged"):
        module.unchanged = module.sum_of_squares
        module.sum_of_squares = _slowed(module.unchanged)
    return module
"""


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        names = ("intervals", "instructions", "__main__")
        modules = {name: importlib.import_module(f"compare.{name}") for name in names}
        yield SimpleNamespace(**modules, main=modules["__main__"].main)


def pairs_of_rounds(slowdown, seed):
    """Ratios of a loaded machine: pairs differ by 1 %, rounds by 5 %, and some are far off."""
    random = np.random.default_rng(seed)
    for _ in range(5):
        rounds = slowdown * np.exp(random.normal(0, 0.01) + random.normal(0, 0.05, 40))
        rounds[random.random(40) < 0.1] *= random.choice([0.3, 3.0])
        yield list(rounds)


def test_noise_raises_no_alarm_and_a_slowdown_does(bench):
    for seed in range(50):
        unchanged = bench.intervals.interval(list(pairs_of_rounds(1.0, seed)))
        assert not unchanged.slower
        assert unchanged.low < unchanged.middle < unchanged.high
        assert bench.intervals.interval(list(pairs_of_rounds(1.15, seed))).slower


def test_speedups_are_told_too(bench):
    assert bench.intervals.interval(list(pairs_of_rounds(0.8, 0))).faster


def test_interval_holds_the_truth_about_as_often_as_it_says(bench):
    found = [bench.intervals.interval(list(pairs_of_rounds(1.0, seed))) for seed in range(100)]
    assert sum(i.low <= 1 <= i.high for i in found) >= 90  # few pairs make it a little short


def built(folder, planted=""):
    """A copy of the package as it is installed here, with something planted into it."""
    shutil.copytree(
        Path(fastnn.__file__).parent,
        folder / "fastnn",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    path = folder / "fastnn" / "kernels" / "__init__.py"
    path.write_text(path.read_text(encoding="utf-8") + planted, encoding="utf-8")
    return str(folder)


def compared(*arguments):
    """Exit status, and what was written as JSON."""
    target = Path(arguments[0]) / "compared.json"
    program = [sys.executable, str(BENCHMARKS / "compare"), *arguments, "--json", str(target)]
    outcome = subprocess.run(  # a program finds the modules beside it
        [*program, "--only", "sum_of_squares, small", "--no-instructions", "--rounds", "15"],
        env={k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert outcome.stderr == ""
    return outcome.returncode, json.loads(target.read_text())


def test_planted_slowdown_is_caught_and_nothing_else(tmp_path):
    base, slow = built(tmp_path / "base"), built(tmp_path / "slow", PLANTED)
    status, data = compared(base, slow)
    [workload] = data["workloads"].values()
    assert (status, workload["slower"]) == (1, True)
    assert 1.05 < workload["low"] < workload["middle"] < 1.4
    status, data = compared(base, base)
    [workload] = data["workloads"].values()
    assert (status, workload["slower"]) == (0, False)


def test_what_cannot_be_had_is_said(bench, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert bench.main([str(tmp_path / "empty"), str(tmp_path)]) == 2
    assert "is not built" in capsys.readouterr().err


FAKE_PERF = """#!/bin/sh
# Ten million for the interpreter, and a thousand instructions a call.
while [ "$1" != -o ]; do shift; done
case $3 in true) calls=0 ;; *) calls=$5 ;; esac
echo "$((10000000 + 1000 * calls)),,instructions:u,1,100.00,," > "$2"
"""


def test_perf_counts_where_it_may(bench, tmp_path, monkeypatch):
    perf = tmp_path / "perf"
    perf.write_text(FAKE_PERF)
    perf.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    hide = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "valgrind" else hide(name))
    assert bench.instructions.count(["scale"], {}) == {"scale": 1000}
    perf.write_text('#!/bin/sh\necho "<not supported>,,instructions:u" > "$6"\n')
    with pytest.raises(bench.instructions.NoCountError, match="may not count"):
        bench.instructions.count(["scale"], {})


@pytest.mark.slow  # valgrind imports NumPy, twice
def test_instructions_are_those_of_the_kernel(bench):
    if shutil.which("valgrind") is None:
        pytest.skip("there is no valgrind")
    package = {"PYTHONPATH": str(Path(fastnn.__file__).parents[1])}
    names = ["sum_of_squares", "adam_step", "custom_loss"]
    first, second = (bench.instructions.count(names, package) for _ in range(2))
    assert first == second
    assert set(first) == {"sum_of_squares", "adam_step"}  # the other is Numba's
    # 10,000 elements in vectors of at most 8: more than two for each of them.
    assert 2500 < first["sum_of_squares"] < first["adam_step"] < 10_000 * 30
