"""Pruners by name, and the rungs at which they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.study import StudyDirection

from ...errors import ArgumentError, ArgumentTypeError
from ...utils import checks

NAMES = ("none", "median", "halving", "hyperband")


class SuccessiveHalving(BasePruner):
    """Successive halving among those that have reported at a rung, in one or several brackets.

    A trial goes on if it is among the best 1 / `reduction_factor` of its bracket that have reported
    at its rung so far, or the best. If all report before the first decision, that is the algorithm
    of Jamieson and Talwalkar; if each is decided as it reports, ASHA. Optuna's own pruner compares
    with earlier decisions only, so that the first trial of each round would always go on.

    Parameters
    ----------
    brackets : list of list of int
        The rungs of each bracket, in epochs, ascending; the last of a bracket prunes nothing.
    reduction_factor : int

    References
    ----------
    Jamieson, Talwalkar: Non-stochastic best arm identification and hyperparameter optimization.
    AISTATS 2016. Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband: a novel bandit-based
    approach to hyperparameter optimization. JMLR 18, 2018. Li et al.: A system for massively
    parallel hyperparameter tuning. MLSys 2020.
    """

    def __init__(self, brackets: Sequence[Sequence[int]], reduction_factor: int):
        self._brackets = [frozenset(rungs[:-1]) for rungs in brackets]
        self._factor = reduction_factor
        self._turns = _turns([len(rungs) - 1 for rungs in brackets], reduction_factor)

    def bracket(self, number: int) -> int:
        """Return the bracket of a trial, in proportion to the trials that each bracket needs."""
        return self._turns[number % len(self._turns)]

    def prune(self, study: Any, trial: Any) -> bool:
        """Return whether a trial ends here; equal values are ranked by trial number."""
        step, bracket = trial.last_step, self.bracket(trial.number)
        if step not in self._brackets[bracket]:
            return False
        sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
        ranked = sorted(
            (sign * other.intermediate_values[step], other.number)
            for other in study.get_trials(deepcopy=False)
            if step in other.intermediate_values and self.bracket(other.number) == bracket
        )
        n_promoted = max(1, len(ranked) // self._factor)
        return ranked.index((sign * trial.intermediate_values[step], trial.number)) >= n_promoted


def _turns(promotions: Sequence[int], factor: int) -> list[int]:
    """Return the bracket of each trial of a cycle.

    A bracket with s promotions begins with ⌈(s_max + 1) / (s + 1) · factor^s⌉ trials, so that all
    spend about the same number of epochs (Li et al., algorithm 1).
    """
    most = max(promotions)
    needed = [-(-(most + 1) * factor**s // (s + 1)) for s in promotions]
    cycle: list[int] = []
    while any(needed):
        bracket = max(range(len(needed)), key=lambda i: needed[i])
        cycle.append(bracket)
        needed[bracket] -= 1
    return cycle


@dataclass(frozen=True)
class Pruning:
    """A pruner, and the epochs after which it is called; the last one completes a trial."""

    pruner: BasePruner
    rungs: tuple[int, ...]


def geometric(first: int, last: int, factor: int) -> list[int]:
    """Return first, first · factor … as long as they are below last; then last."""
    rungs = []
    while first < last:
        rungs.append(first)
        first *= factor
    return [*rungs, last]


def pruning_of(
    pruner: Any,
    epochs: int,
    *,
    rungs: Sequence[int] | None = None,
    min_epochs: int = 1,
    reduction_factor: int = 3,
) -> Pruning:
    """Return the pruner of a name, or one of Optuna as it is, with its rungs.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is neither, or the rungs are not ascending numbers of epochs.
    """
    min_epochs = checks.integer("min_epochs", min_epochs, low=1, high=epochs)
    factor = checks.integer("reduction_factor", reduction_factor, low=2)
    if rungs is not None:
        rungs = _check_rungs(rungs, epochs)
    if isinstance(pruner, BasePruner):
        return Pruning(pruner, tuple(rungs or range(1, epochs + 1)))
    if not isinstance(pruner, str):
        raise ArgumentTypeError(f"pruner must be a name or a pruner of Optuna, got {pruner!r}")
    checks.one_of("pruner", pruner, dict.fromkeys(NAMES))
    if pruner == "none":
        return Pruning(optuna.pruners.NopPruner(), tuple(rungs or [epochs]))
    if pruner == "median":
        return Pruning(optuna.pruners.MedianPruner(), tuple(rungs or range(1, epochs + 1)))
    steps = list(rungs or geometric(min_epochs, epochs, factor))
    brackets = [steps[i:] for i in range(len(steps) if pruner == "hyperband" else 1)]
    return Pruning(SuccessiveHalving(brackets, factor), tuple(steps))


def _check_rungs(rungs: Any, epochs: int) -> list[int]:
    """Return rungs as ascending numbers of epochs with `epochs` at their end."""
    if not isinstance(rungs, Sequence | range) or isinstance(rungs, str):
        raise ArgumentTypeError(f"rungs must be a list of numbers of epochs, got {rungs!r}")
    steps = [checks.integer("rungs", rung, low=1, high=epochs) for rung in rungs]
    if steps != sorted(set(steps)) or not steps:
        raise ArgumentError(f"rungs must be ascending numbers of epochs, got {rungs!r}")
    return steps if steps[-1] == epochs else [*steps, epochs]
