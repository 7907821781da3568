"""Samples of many calls, for asv, which takes a call in a fresh setup for a sample."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

SAMPLE = 0.01  # seconds


def calls_within(seconds: float, work: Callable[[], object]) -> int:
    """How often to do `work` so that it takes about so long, having done it once."""
    work()
    calls = 1
    while (taken := duration(work, calls)) < seconds:
        calls = max(2 * calls, round(calls * seconds / max(taken, 1e-9)))
    return calls


def duration(work: Callable[[], object], calls: int) -> float:
    """Seconds of all calls together."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - start


def median_ratio(
    over: Callable[[], object], under: Callable[[], object], repeats: int = 15
) -> float:
    """Time of a call of one over that of another, taken in turn."""
    counts = [calls_within(SAMPLE, work) for work in (over, under)]
    return median(
        (duration(over, counts[0]) / counts[0]) / (duration(under, counts[1]) / counts[1])
        for _ in range(repeats)
    )


class Timed:
    """An asv benchmark of `work(*parameters)`, which a subclass prepares once in a process.

    A sample is a loop of calls; asv sees the time of one of them, by a clock that runs as much
    slower.
    """

    _work: Callable[[], object] | None = None

    def work(self, *parameters: str) -> Callable[[], object]:
        """What to time; NotImplementedError where it is not to be had."""
        raise NotImplementedError

    def setup(self, *parameters: str) -> None:
        if self._work is None:
            self._work = self.work(*parameters)
            self._calls = calls_within(SAMPLE, self._work)
            self.timer = lambda: time.perf_counter() / self._calls

    def time_call(self, *parameters: str) -> None:
        for _ in range(self._calls):
            self._work()
