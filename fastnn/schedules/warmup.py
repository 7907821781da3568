"""Linear warm-up in front of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..utils import checks
from .base import Schedule, get
from .decay import Constant


@dataclass(frozen=True)
class Warmup(Schedule):
    """A linear warm-up to the first rate of a schedule, which begins when the warm-up ends.

    With w = `steps` and f = `start_factor` the rate is η(0) · (f + (1 − f) t / w) for t < w and
    η(t − w) from there on, η being the schedule.

    Goyal et al.: Accurate, large minibatch SGD: training ImageNet in 1 hour. 2017.

    Parameters
    ----------
    schedule : Schedule or float
        A number stands for that rate for ever.
    steps : int
        Length of the warm-up, in the unit of the schedule.
    start_factor : float
        In [0, 1]; with 0 the first update moves no weights.

    Examples
    --------
    >>> from fastnn.schedules import StepDecay, Warmup
    >>> Warmup(StepDecay(1.0, 2), steps=2, start_factor=0.2)([0, 1, 2, 3, 4])
    array([0.2, 0.6, 1. , 1. , 0.1])
    """

    schedule: Schedule
    steps: int
    start_factor: float = 0.0

    def __post_init__(self) -> None:
        self._set_fields(
            schedule=as_schedule("schedule", self.schedule),
            steps=checks.integer("steps", self.steps, low=1),
            start_factor=checks.number("start_factor", self.start_factor, low=0, high=1),
        )

    @property
    def unit(self) -> str:  # type: ignore[override]
        return self.schedule.unit

    @property
    def plateau(self) -> Schedule | None:
        return self.schedule.plateau

    def rate(self, t: np.ndarray) -> np.ndarray:
        ramp = self.start_factor + (1 - self.start_factor) * np.minimum(t / self.steps, 1)
        return ramp * self.schedule.rate(np.maximum(t - self.steps, 0))


def as_schedule(argument: str, value: Schedule | Mapping | float) -> Schedule:
    """Return `value` itself, the schedule of a config, or a constant one from a number."""
    rate = get(argument, value)
    return rate if isinstance(rate, Schedule) else Constant(rate)
