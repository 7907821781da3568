"""The study as samplers see it: failed trials are complete, with the worst value."""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .studies import WORTHLESS


class SamplerStudy(optuna.Study):
    """A study whose failed trials look complete, with the worst value of any trial.

    Optuna's samplers leave out trials that failed, and go on proposing learning rates that diverge.
    The study itself keeps the trials as failed. Trials that failed before any value was reported
    are left out.
    """

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        """Return the trials; every reader of a study calls this, `Study.get_trials` too."""
        trials: Sequence[FrozenTrial] = super()._get_trials(deepcopy=False, use_cache=use_cache)
        if worst := _worst(trials, self.directions):
            trials = [_completed(worst, t) if t.user_attrs.get(WORTHLESS) else t for t in trials]
        chosen = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(chosen) if deepcopy else chosen


def _worst(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> list[float]:
    """Return the worst value that a trial has reached of each objective; empty if none has."""
    reached = [trial.values for trial in trials if trial.state == TrialState.COMPLETE]
    if len(directions) == 1:
        reached += [[value] for trial in trials for value in trial.intermediate_values.values()]
    if not reached:
        return []
    columns = zip(*reached, strict=True)
    return [
        max(column) if direction == StudyDirection.MINIMIZE else min(column)
        for column, direction in zip(columns, directions, strict=True)
    ]


def _completed(worst: list[float], trial: FrozenTrial) -> FrozenTrial:
    """Return a trial that failed as if it had been completed with these values."""
    seen: Any = copy.copy(trial)
    seen.state, seen.values = TrialState.COMPLETE, worst
    return seen
