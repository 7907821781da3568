"""The trained models that a search keeps: those of the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..objectives import Objective, dominates


@dataclass(frozen=True)
class ScoredModel:
    """The values of a trial, and its trained models.

    Attributes
    ----------
    number : int
    values : tuple of float
        One for each objective.
    models : list or None
        One for each fold; None if another process trained them.
    """

    number: int
    values: tuple[float, ...]
    models: list[Any] | None


class BestModels:
    """The Pareto front so far, with models; those of dominated trials are dropped.

    A trial that was cut short counts only as long as no trial is complete.
    """

    def __init__(self, objectives: Sequence[Objective]):
        self._signs = [objective.sign for objective in objectives]
        self._complete = False
        self.front: list[ScoredModel] = []

    def offer(self, trial: ScoredModel, *, complete: bool) -> None:
        """Add a trial unless one of the front is as good; drop those that it dominates."""
        if complete > self._complete:
            self._complete, self.front = True, []
        if complete < self._complete:
            return
        point = self._point(trial)
        if any(
            self._point(other) == point or dominates(self._point(other), point)
            for other in self.front
        ):
            return
        self.front = [k for k in self.front if not dominates(point, self._point(k))]
        self.front.append(trial)

    @property
    def values(self) -> list[tuple[float, ...]]:
        """The values of the front, one for each objective."""
        return [scored.values for scored in self.front]

    def models(self, number: int) -> list[Any] | None:
        """Return the models of a trial on the front; None if it was not trained in this process."""
        return next((scored.models for scored in self.front if scored.number == number), None)

    def _point(self, trial: ScoredModel) -> tuple[float, ...]:
        return tuple(s * v for s, v in zip(self._signs, trial.values, strict=True))
