"""What pytest-benchmark times: the work of `workloads`, by back ends and peers in groups.

    pytest benchmarks --benchmark-only

Every test asserts that what it timed is right. Without pytest-benchmark all of them are skipped.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import timed
from engines import Engine

ROUNDS = 15

if importlib.util.find_spec("pytest_benchmark") is None:

    @pytest.fixture
    def benchmark():
        pytest.skip("pytest-benchmark is not installed")


@pytest.fixture(scope="session", autouse=True)
def threads():
    """FASTNN_NUM_THREADS of them, one by default; this process stays on as many processors."""
    count = int(os.environ.get("FASTNN_NUM_THREADS", "1"))
    try:
        Engine(threads=count).start()
    except NotImplementedError as error:
        pytest.skip(str(error))
    return count


@pytest.fixture
def timing(benchmark) -> Callable[..., None]:
    """timing(group, work, check): times work() in rounds of some milliseconds, beside its group.

    check(outcome) asserts that the first call returned what it should; later ones may go on from
    what it left.
    """

    def time(
        group: str, work: Callable[[], Any], check: Callable[[Any], None] = lambda _: None
    ) -> None:
        check(work())
        benchmark.group = group
        calls = 1 if benchmark.disabled else timed.calls_within(timed.SAMPLE, work)
        benchmark.pedantic(work, rounds=ROUNDS, iterations=calls)

    return time
