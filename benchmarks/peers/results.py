"""Times of tasks by case: medians, spread, and ratios within rounds."""

from __future__ import annotations

import statistics
from typing import Any

from .cases import Task

Key = tuple[str, str, int]  # case, label, threads


class Results:
    """Seconds per unit of work of each repeat, or the reason why there are none.

    The i-th repeats of all tasks of a case ran within one round, so that a ratio of two is the
    median of the ratios of rounds: what slows the machine down for a while slows both.
    """

    def __init__(self) -> None:
        self._seconds: dict[Key, list[float]] = {}
        self._missing: dict[Key, str] = {}

    def add(self, case: str, task: Task, seconds: float) -> None:
        """Add a repeat."""
        key = case, task.label, task.threads
        self._seconds.setdefault(key, []).append(seconds)

    def miss(self, case: str, task: Task, reason: str) -> None:
        """Drop a task that failed on the way."""
        key = case, task.label, task.threads
        self._missing[key] = reason
        self._seconds.pop(key, None)

    def seconds(self, case: str, label: str, threads: int) -> list[float]:
        """Return all repeats; empty where there are none."""
        return self._seconds.get((case, label, threads), [])

    def reason(self, case: str, label: str, threads: int) -> str:
        """Return why there are no repeats."""
        return self._missing.get((case, label, threads), "not run")

    def median(self, case: str, label: str, threads: int) -> float | None:
        """Return the median of all repeats."""
        series = self.seconds(case, label, threads)
        return statistics.median(series) if series else None

    def ratio(self, case: str, over: tuple[str, int], under: tuple[str, int]) -> float | None:
        """Return the median of the times of one (label, threads) over another's in each round."""
        ratios = self.ratios(case, over, under)
        return statistics.median(ratios) if ratios else None

    def ratios(self, case: str, over: tuple[str, int], under: tuple[str, int]) -> list[float]:
        """Return the same of each round; empty where one of them is missing."""
        above, below = self.seconds(case, *over), self.seconds(case, *under)
        if not above or not below:
            return []
        return [a / b for a, b in zip(above, below, strict=True)]

    def missing(self) -> dict[str, str]:
        """Return reasons by what is missing."""
        return {_text(key): reason for key, reason in self._missing.items()}

    def as_data(self) -> list[dict[str, Any]]:
        """Return all repeats with medians, for JSON."""
        return [
            {
                "case": case,
                "task": label,
                "threads": threads,
                "median": self.median(case, label, threads),
                "seconds": self.seconds(case, label, threads),
                "missing": self._missing.get((case, label, threads)),
            }
            for case, label, threads in dict.fromkeys([*self._seconds, *self._missing])
        ]


def _text(key: Key) -> str:
    case, label, threads = key
    return f"{case}: {label} on {threads} thread{'s' * (threads > 1)}"
