"""The view of a study for plots and reports: trials, dimensions and importances."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from ..objectives import Objective
from ..space.spaces import Space
from ..study.studies import EPOCHS, ERROR, best_trials, finished, quiet

State = Literal["complete", "pruned", "failed"]

#: Importances need `ENOUGH` trials, and tell the `BEST` from the others.
ENOUGH, BEST = 10, 5
#: Fraction of the trials that must have reported at an epoch, if it is to stand for all.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class TrialView:
    """A trial that has ended.

    Attributes
    ----------
    number : int
    state : {"complete", "pruned", "failed"}
        Trials that were cut short count as pruned.
    values : tuple of float
        One for each objective, of a pruned trial the last; empty where there are none.
    params : dict of str to object
        By name of the dimension; some may be missing.
    chosen : bool
        Whether it is the best, or on the front.
    epochs : int
    seconds : float
    error : str or None
    """

    number: int
    state: State
    values: tuple[float, ...]
    params: dict[str, Any]
    chosen: bool
    epochs: int
    seconds: float
    error: str | None


@dataclass(frozen=True)
class Dimension:
    """A hyper-parameter as plots and reports show it.

    Attributes
    ----------
    name : str
    choices : tuple or None
        The choices of a categorical one.
    low, high : float or None
        Limits of its range; None if unknown.
    log : bool
        Whether its scale is logarithmic.
    whole : bool
        Whether its values are integers.
    """

    name: str
    choices: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Importances:
    """Shares of each hyper-parameter, the greatest first, and the epoch whose values they explain.

    The epoch is None if it is the last, which all trials have reached.
    """

    shares: dict[str, float]
    epoch: int | None


@dataclass(frozen=True)
class StudyView:
    """All trials that have ended, by number, and their dimensions in the order of drawing.

    Importances are None if there are too few trials.
    """

    objectives: tuple[Objective, ...]
    trials: tuple[TrialView, ...]
    dimensions: tuple[Dimension, ...]
    importances: Importances | None

    @classmethod
    def from_study(
        cls, study: optuna.Study, objectives: Sequence[Objective], space: Space
    ) -> StudyView:
        """Return the view of a study."""
        trials = finished(study)
        chosen = {trial.number for trial in best_trials(study)}
        dimensions: dict[str, Dimension] = {}
        for trial in trials:
            for stored, distribution in trial.distributions.items():
                name, _ = space.shown(stored, trial.params[stored])
                found = _dimension(name, None if name != stored else distribution)
                dimensions[name] = _join(dimensions.get(name, found), found)
        return cls(
            tuple(objectives),
            tuple(_trial_view(trial, space, trial.number in chosen) for trial in trials),
            tuple(dimensions.values()),
            _importances(study, trials, space),
        )

    @property
    def chosen(self) -> list[TrialView]:
        """The best trial, or the front."""
        return [trial for trial in self.trials if trial.chosen]

    @property
    def scored(self) -> list[TrialView]:
        """Trials that have values."""
        return [trial for trial in self.trials if trial.values]

    def counts(self) -> dict[str, int]:
        """Return the number of trials by state, without states that have none."""
        found = Counter(trial.state for trial in self.trials)
        return {state: found[state] for state in ("complete", "pruned", "failed") if found[state]}


def _trial_view(trial: FrozenTrial, space: Space, chosen: bool) -> TrialView:
    failed = trial.state == TrialState.FAIL
    complete = trial.state == TrialState.COMPLETE
    return TrialView(
        trial.number,
        "failed" if failed else "complete" if complete else "pruned",
        () if failed else tuple(trial.values or ()),
        dict(space.shown(stored, value) for stored, value in trial.params.items()),
        chosen,
        trial.user_attrs.get(EPOCHS, 0),
        trial.duration.total_seconds() if trial.duration else 0.0,
        trial.user_attrs.get(ERROR),
    )


def _dimension(name: str, distribution: BaseDistribution | None) -> Dimension:
    if distribution is None:
        return Dimension(name)
    if isinstance(distribution, CategoricalDistribution):
        return Dimension(name, choices=tuple(distribution.choices))
    spread: Any = distribution
    whole = isinstance(spread.low, int)
    return Dimension(name, None, spread.low, spread.high, spread.log, whole)


def _join(one: Dimension, other: Dimension) -> Dimension:
    """Merge dimensions of one name whose ranges differ between trials."""
    if one == other or one.low is None or other.low is None:
        return one
    assert one.high is not None
    assert other.high is not None
    low, high = min(one.low, other.low), max(one.high, other.high)
    return Dimension(one.name, None, low, high, one.log and other.log, one.whole and other.whole)


def _importances(
    study: optuna.Study, trials: Sequence[FrozenTrial], space: Space
) -> Importances | None:
    """Return how much each hyper-parameter decides on being among the best (PED-ANOVA, by Optuna).

    With pruned trials, all are compared at the latest epoch that nearly all have reached: the few
    complete trials contain no bad ones.
    """
    epoch = None
    if any(trial.state == TrialState.PRUNED for trial in trials):  # or was cut short
        epoch = _common_epoch(trials)
        study = _at_epoch(study, trials, epoch) if epoch is not None else study
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    if len(complete) < ENOUGH or len({tuple(trial.values) for trial in complete}) == 1:
        return None
    evaluator = optuna.importance.PedAnovaImportanceEvaluator
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parameters that few trials have
        quantile = max(0.1, BEST / len(complete))
        shares = optuna.importance.get_param_importances(
            study, evaluator=evaluator(target_quantile=quantile)
        )
    stored = {name: value for trial in complete for name, value in trial.params.items()}
    return Importances({space.shown(n, stored[n])[0]: s for n, s in shares.items()}, epoch)


def _common_epoch(trials: Sequence[FrozenTrial]) -> int | None:
    """Return the latest epoch at which nearly all trials with reports have reported."""
    reported = [trial.intermediate_values for trial in trials if trial.intermediate_values]
    counts = Counter(step for values in reported for step in values)
    return max((s for s, n in counts.items() if n >= NEARLY_ALL * len(reported)), default=None)


def _at_epoch(study: optuna.Study, trials: Sequence[FrozenTrial], epoch: int) -> optuna.Study:
    """Return a study whose trials are complete, with the values reported at one epoch."""
    with quiet():
        found = optuna.create_study(direction=study.direction)
        found.add_trials(
            [
                optuna.trial.create_trial(
                    params=trial.params,
                    distributions=trial.distributions,
                    value=trial.intermediate_values[epoch],
                )
                for trial in trials
                if epoch in trial.intermediate_values
            ]
        )
    return found
