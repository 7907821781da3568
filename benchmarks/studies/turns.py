"""Works that take turns in one process, and a line of a table for their ratios."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from workloads.timing import Work, duration


def in_turn(works: Mapping[str, Work], rounds: int) -> dict[str, np.ndarray]:
    """Return the seconds of each work in each round, after a round that warms up."""
    for work in works.values():
        work()
    times = [[duration(work, 1) for work in works.values()] for _ in range(rounds)]
    return dict(zip(works, np.transpose(times), strict=True))


def line(label: str, ratios: np.ndarray, target: str = "", rest: str = "") -> str:
    """Return the median and the quartiles of ratios, beside what is wanted."""
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{label:<38}{middle:7.2f} × ({low:.2f} – {high:.2f})  {target:<7} {rest}".rstrip()
