"""A search as plots and reports see it: what was tried, what came of it, and what mattered."""

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

#: Importances tell the best few from the rest: of how many, at least, and how many are the best.
ENOUGH, BEST = 10, 5
#: An epoch stands for all trials if so many of them have reported there.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Observation:
    """A trial that has ended.

    Attributes
    ----------
    number : int
    state : {"complete", "pruned", "failed"}
        What was cut short for lack of time counts as pruned.
    values : tuple of float
        One for each objective, of a pruned trial the last; empty where there are none.
    params : dict of str to object
        By the names of the dimensions, of which it may lack some.
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
    """A hyper-parameter as it is shown.

    Attributes
    ----------
    name : str
    choices : tuple or None
        Of a categorical one.
    low, high : float or None
        What it was drawn from; None where that is not known.
    log : bool
        Whether ratios count.
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
    """Shares of each hyper-parameter, the greatest first, and the epoch that is judged.

    The epoch is None where it is the last, which all have reached.
    """

    shares: dict[str, float]
    epoch: int | None


@dataclass(frozen=True)
class Observed:
    """All trials that have ended, by number, and the dimensions in the order they were asked for.

    Importances are None where they cannot be told.
    """

    objectives: tuple[Objective, ...]
    trials: tuple[Observation, ...]
    dimensions: tuple[Dimension, ...]
    importances: Importances | None

    @property
    def chosen(self) -> list[Observation]:
        """The best trial, or the front."""
        return [trial for trial in self.trials if trial.chosen]

    @property
    def judged(self) -> list[Observation]:
        """Trials of which the values are known."""
        return [trial for trial in self.trials if trial.values]

    def counts(self) -> dict[str, int]:
        """Trials by state, those of which there are."""
        found = Counter(trial.state for trial in self.trials)
        return {state: found[state] for state in ("complete", "pruned", "failed") if found[state]}


def observe(study: optuna.Study, objectives: Sequence[Objective], space: Space) -> Observed:
    """Look at a study."""
    trials = finished(study)
    chosen = {trial.number for trial in best_trials(study)}
    dimensions: dict[str, Dimension] = {}
    for trial in trials:
        for stored, distribution in trial.distributions.items():
            name, _ = space.shown(stored, trial.params[stored])
            found = _dimension(name, None if name != stored else distribution)
            dimensions[name] = _join(dimensions.get(name, found), found)
    return Observed(
        tuple(objectives),
        tuple(_observation(trial, space, trial.number in chosen) for trial in trials),
        tuple(dimensions.values()),
        _importances(study, trials, space),
    )


def _observation(trial: FrozenTrial, space: Space, chosen: bool) -> Observation:
    failed = trial.state == TrialState.FAIL
    complete = trial.state == TrialState.COMPLETE
    return Observation(
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
    """Where a function of a trial asks for other ranges in other trials, all that they cover."""
    if one == other or one.low is None or other.low is None:
        return one
    assert one.high is not None
    assert other.high is not None
    low, high = min(one.low, other.low), max(one.high, other.high)
    return Dimension(one.name, None, low, high, one.log and other.log, one.whole and other.whole)


def _importances(
    study: optuna.Study, trials: Sequence[FrozenTrial], space: Space
) -> Importances | None:
    """How much each hyper-parameter decides on being among the best (PED-ANOVA, by Optuna).

    Where trials were pruned, all are compared at the latest epoch that nearly all have reached: the
    few that were trained to the end tell nothing of what is bad.
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
    """The latest epoch at which nearly all that have reported at all have."""
    reported = [trial.intermediate_values for trial in trials if trial.intermediate_values]
    counts = Counter(step for values in reported for step in values)
    return max((s for s, n in counts.items() if n >= NEARLY_ALL * len(reported)), default=None)


def _at_epoch(study: optuna.Study, trials: Sequence[FrozenTrial], epoch: int) -> optuna.Study:
    """A study in which all trials are complete, with what they reported at one epoch."""
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
