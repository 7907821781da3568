"""The study: Optuna's record of a search, and how one recognises its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from ..errors import ArgumentError
from .objectives import Objective
from .spaces import Space

#: Where the study keeps what it is a study of, and the seed of the search.
SEARCH, SEED = "fastnn: search", "fastnn: seed"
#: Where a trial keeps the epochs it was trained for, the error that ended it, or that time did.
EPOCHS, ERROR, CUT_SHORT = "epochs", "error", "cut short"


def known_study(storage: Any, name: str) -> optuna.Study | None:
    """The study of that name that the storage has, if it does."""
    if storage is None:
        return None
    try:
        with quiet():
            return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return None


def check_same_search(study: optuna.Study, described: dict[str, Any]) -> None:
    """Raise `ArgumentError` for the study of another search, by what `described` says."""
    known = study.user_attrs.get(SEARCH)
    if known is None:
        raise ArgumentError(
            f"study {study.study_name!r} was not made by fastnn.search; give another study_name"
        )
    for key, wanted in described.items():
        if known.get(key) != wanted:
            raise ArgumentError(
                f"study {study.study_name!r} is of another search: its {key} is {known.get(key)}, "
                f"not {wanted}; give another study_name"
            )


def new_study(
    storage: Any, name: str, objectives: Sequence[Objective], seed: int, described: dict[str, Any]
) -> optuna.Study:
    """A study without trials."""
    directions = [objective.direction for objective in objectives]
    with quiet():
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.set_metric_names([objective.name for objective in objectives])
    study.set_user_attr(SEARCH, described)
    study.set_user_attr(SEED, seed)
    return study


def describe(space: Space, objectives: Sequence[Objective], epochs: int) -> dict[str, Any]:
    """What two searches must have in common to share a study, as JSON."""
    return {
        "space": space.describe(),
        "objective": {objective.name: objective.direction for objective in objectives},
        "epochs": epochs,
    }


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that have ended, in the order of their numbers."""
    return [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]


def best_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The Pareto front; of one objective, the best trial.

    Only where time ran out before any trial was complete do those count that were cut short.
    """
    trials = finished(study)
    candidates = [t for t in trials if t.state == TrialState.COMPLETE]
    if not candidates:
        candidates = [t for t in trials if t.state == TrialState.PRUNED and t.values]
    signs = [1 if d == optuna.study.StudyDirection.MINIMIZE else -1 for d in study.directions]
    points = [tuple(s * v for s, v in zip(signs, t.values, strict=True)) for t in candidates]
    if len(signs) == 1:
        return [candidates[points.index(min(points))]] if points else []
    return [
        trial
        for trial, point in zip(candidates, points, strict=True)
        if not any(dominates(other, point) for other in points)
    ]


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one point is nowhere greater than another, and somewhere less."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna without its lines about new studies, nor its warning that something may change."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
