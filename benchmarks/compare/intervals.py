"""Bootstrap intervals of ratios of times, taken in several pairs of processes.

A pair differs from the next by where its memory lies, and rounds within a pair by what else the
machine does; so both are drawn anew. Efron & Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ALLOWED = 1.05  # a slowdown beyond this one is an alarm
CONFIDENCE = 0.99
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate between its bounds."""

    low: float
    middle: float
    high: float

    @property
    def slower(self) -> bool:
        """Return whether even the lower bound is a slowdown beyond what is allowed."""
        return self.low > ALLOWED

    @property
    def faster(self) -> bool:
        """Return whether even the upper bound is a speedup of that size."""
        return self.high < 1 / ALLOWED


def interval(pairs: Sequence[Sequence[float]], seed: int = 0) -> Interval:
    """Return the interval of the ratio of two times.

    Parameters
    ----------
    pairs : sequence of sequence of float
        Ratios of rounds, for each pair of processes.
    seed : int
        Of the draws.

    Returns
    -------
    Interval
        The geometric mean over pairs of the medians over rounds, and the bounds between which it
        lies in 99 % of the draws.
    """
    random = np.random.default_rng(seed)
    logs = [np.log(rounds) for rounds in pairs]
    # (DRAWS, pairs): medians of rounds drawn with replacement
    medians = np.stack(
        [np.median(random.choice(rounds, (DRAWS, len(rounds))), axis=1) for rounds in logs], axis=1
    )
    drawn = random.integers(0, len(pairs), (DRAWS, len(pairs)))
    means = np.take_along_axis(medians, drawn, axis=1).mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    middle = np.mean([np.median(rounds) for rounds in logs])
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(*(float(np.exp(value)) for value in (low, middle, high)))
