"""Which trained models a search keeps: those of the trials that no other trial beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..objectives import Objective, dominates


@dataclass(frozen=True)
class Kept:
    """A trial on the front.

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


class Keeper:
    """The front so far; the models of all other trials are let go.

    A trial that was cut short is kept only as long as none is complete.
    """

    def __init__(self, objectives: Sequence[Objective]):
        self._signs = [objective.sign for objective in objectives]
        self._complete = False
        self.front: list[Kept] = []

    def offer(self, trial: Kept, *, complete: bool) -> None:
        """Keep a trial if none that is kept is as good; let go those that it beats."""
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
        return [kept.values for kept in self.front]

    def models(self, number: int) -> list[Any] | None:
        """Those of a trial, if it was trained here and is on the front."""
        return next((kept.models for kept in self.front if kept.number == number), None)

    def _point(self, trial: Kept) -> tuple[float, ...]:
        return tuple(s * v for s, v in zip(self._signs, trial.values, strict=True))
