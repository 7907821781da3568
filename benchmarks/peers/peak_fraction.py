"""Shares of the machine's limits: how fast each case is, over what no program can pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .cases import LIMIT, Case, Task
from .results import Results

OURS = "fastnn"
LEAST_FLOPS = 1000  # of a step; below, a share of the peak says nothing
NAMES = {"fma": "FMA peak", "stream": "4R/3W stream", "copy": "copy"}


def peak_fractions(cases: Sequence[Case], results: Results) -> list[dict[str, Any]]:
    """Of every case that ran beside a limit, by threads: the share in each round."""
    return list(_fractions(cases, results))


def _fractions(cases: Sequence[Case], results: Results) -> Iterator[dict[str, Any]]:
    for case in cases:
        tasks = {(c.label, c.threads): c for c in case.tasks}
        for (label, threads), limit in tasks.items():
            ours = tasks.get((OURS, threads))
            if label == LIMIT and ours is not None:
                ratios = results.ratios(case.name, (LIMIT, threads), (OURS, threads))
                work = limit_units(case, ours)
                if ratios and work:
                    rounds = [work * ratio for ratio in ratios]
                    name = NAMES[limit.kind]
                    yield {"case": case.name, "threads": threads, "limit": name, "rounds": rounds}


def limit_units(case: Case, ours: Task) -> float:
    """How many units of the limit's work there are in one of ours: operations, or elements.

    Zero where the small network of the overhead has next to none.
    """
    if case.workload is not None:
        return case.workload.flops if case.workload.flops > LEAST_FLOPS else 0
    return 2 * math.prod(ours.arguments) if ours.kind == "gemm" else 1
