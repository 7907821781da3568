"""The cases of peers.py in one process: fastnn's back ends and its peers, a group for each case."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import cases
import oracle
import pytest
from adapters import PEERS
from workloads import parts

import fastnn
from fastnn.kernels import BACKENDS

OURS = "fastnn"
# With other back ends, what takes them seconds tells nothing.
MOST_FLOPS = 10**9


@dataclass(frozen=True)
class Entry:
    """A contestant of a case, and the back end that is active meanwhile."""

    case: cases.Case
    contestant: cases.Contestant
    backend: str = BACKENDS[0]

    @property
    def name(self) -> str:
        suffix = "" if self.backend == BACKENDS[0] else f" {self.backend}"
        return f"{self.case.name}-{self.contestant.label}{suffix}"


def entries():
    """Short runs; the machine's limits are no contestants."""
    for case in cases.all_cases([1], smoke=True):
        for contestant in case.contestants:
            if contestant.peer == cases.MACHINE:
                continue
            yield Entry(case, contestant)
            if contestant.peer == OURS and contestant.kind in ("trainer", "predictor", "gemm"):
                yield from (Entry(case, contestant, other) for other in BACKENDS[1:])


@pytest.fixture
def adapter(entry, threads):
    """The peer's module; skips where it is not installed."""
    try:
        module = importlib.import_module(f"adapters.{PEERS[entry.contestant.peer]}")
    except ImportError as error:
        pytest.skip(str(error))
    if hasattr(module, "initialize"):
        module.initialize(threads)
    with fastnn.kernels.use(entry.backend):
        yield module


@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name)
def test_case(timing, adapter, entry):
    kind, arguments = entry.contestant.kind, entry.contestant.arguments
    if not hasattr(adapter, kind):
        pytest.skip(f"{entry.contestant.peer} has no {kind}")
    if kind == "trainer":
        check_training(adapter, entry.case.workload)
    check = parts.CHECKS.get(kind, lambda *_: None)  # importing checks itself
    work = getattr(adapter, kind)(*arguments)
    timing(entry.case.name, work, lambda outcome: check(outcome, *arguments))


def check_training(adapter, workload):
    """The same function with rows in their order arrives at the losses of the oracle."""
    check = workload.for_check()
    if getattr(adapter, "comparable", lambda _: True)(check):
        losses = adapter.trainer(check, shuffle=False)()
        assert oracle.close(losses, oracle.epoch_losses(check))
