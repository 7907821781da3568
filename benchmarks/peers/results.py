"""Times of tasks by case: medians, spread, and ratios within rounds."""

from __future__ import annotations

import statistics
from typing import Any

from .cases import Task

Key = tuple[str, str, int]  # case, label, threads


class Results:
    """Seconds per unit of work of each repeat, or the reason why there are none.

    The i-th repeats of all tasks of a case ran within one round, so that a ratio of two is
    the median of the ratios of rounds: what slows the machine down for a while slows both.
    """

    def __init__(self) -> None:
        self._seconds: dict[Key, list[float]] = {}
        self._missing: dict[Key, str] = {}

    def add(self, case: str, task: Task, seconds: float) -> None:
        key = case, task.label, task.threads
        self._seconds.setdefault(key, []).append(seconds)

    def miss(self, case: str, task: Task, reason: str) -> None:
        """Nothing of a task counts that failed on the way."""
        key = case, task.label, task.threads
        self._missing[key] = reason
        self._seconds.pop(key, None)

    def seconds(self, case: str, label: str, threads: int) -> list[float]:
        """All repeats; empty where there are none."""
        return self._seconds.get((case, label, threads), [])

    def reason(self, case: str, label: str, threads: int) -> str:
        """Why there are no repeats."""
        return self._missing.get((case, label, threads), "not run")

    def median(self, case: str, label: str, threads: int) -> float | None:
        series = self.seconds(case, label, threads)
        return statistics.median(series) if series else None

    def ratio(self, case: str, over: tuple[str, int], under: tuple[str, int]) -> float | None:
        """Median over rounds of the time of one (label, threads) over that of another."""
        ratios = self.ratios(case, over, under)
        return statistics.median(ratios) if ratios else None

    def ratios(self, case: str, over: tuple[str, int], under: tuple[str, int]) -> list[float]:
        """The same, of each round; empty where one of them is missing."""
        above, below = self.seconds(case, *over), self.seconds(case, *under)
        if not above or not below:
            return []
        return [a / b for a, b in zip(above, below, strict=True)]

    def missing(self) -> dict[str, str]:
        return {_text(key): reason for key, reason in self._missing.items()}

    def as_data(self) -> list[dict[str, Any]]:
        """All repeats with medians and quartiles, for JSON."""
        series = self._seconds
        return [
            {
                "case": key[0],
                "task": key[1],
                "threads": key[2],
                **_spread(series.get(key, [])),
                "seconds": series.get(key, []),
                "missing": self._missing.get(key),
            }
            for key in [*series, *(key for key in self._missing if key not in series)]
        ]


def _spread(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"lower_quartile": None, "median": None, "upper_quartile": None}
    quartiles = (
        statistics.quantiles(seconds, method="inclusive") if len(seconds) > 1 else seconds * 3
    )
    return dict(zip(("lower_quartile", "median", "upper_quartile"), quartiles, strict=True))


def _text(key: Key) -> str:
    case, label, threads = key
    return f"{case}: {label} on {threads} thread{'s' * (threads > 1)}"
