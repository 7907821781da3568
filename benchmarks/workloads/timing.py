"""Times of many calls together: a clock around a call of 2 µs measures the clock."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from statistics import median

SAMPLE = 0.01  # seconds

Work = Callable[[], object]
Clock = Callable[[], float]


def processor_time() -> float:
    """Return the seconds of a processor that this process had, and its children that ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def calls_within(seconds: float, work: Work, clock: Clock | None = None) -> int:
    """Return how often to do `work` so that it takes about so long, having done it once."""
    work()
    calls = 1
    while (taken := duration(work, calls, clock)) < seconds:
        calls = max(2 * calls, math.ceil(calls * seconds / max(taken, 1e-9)))
    return calls


def duration(work: Work, calls: int, clock: Clock | None = None) -> float:
    """Return the seconds of all calls together, by default those of a clock on the wall."""
    clock = clock or time.perf_counter
    start = clock()
    for _ in range(calls):
        work()
    return clock() - start


def median_ratio(over: Work, under: Work, repeats: int = 15) -> float:
    """Return the time of a call of one over that of another, taken in turn."""
    counts = [calls_within(SAMPLE, work) for work in (over, under)]
    return median(
        (duration(over, counts[0]) / counts[0]) / (duration(under, counts[1]) / counts[1])
        for _ in range(repeats)
    )


class Timed:
    """An asv benchmark of `work(*parameters)`, which a subclass prepares once in a process.

    asv takes a call in a fresh setup for a sample. Here a sample is a loop of calls; asv sees the
    time of one of them, by a clock that runs as much slower.
    """

    _work: Work | None = None

    def work(self, *parameters: str) -> Work:
        """Return what to time; NotImplementedError where it is not to be had."""
        raise NotImplementedError

    def setup(self, *parameters: str) -> None:
        """Prepare the work and choose how many calls a sample has."""
        if self._work is None:
            self._work = self.work(*parameters)
            self._calls = calls_within(SAMPLE, self._work)
            self.timer = lambda: time.perf_counter() / self._calls

    def time_call(self, *parameters: str) -> None:
        """Do the work as often as a sample has calls."""
        for _ in range(self._calls):
            self._work()
