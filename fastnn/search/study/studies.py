"""The study: Optuna's record of a search, and how one recognises its own."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from ...errors import ArgumentError
from ..objectives import Objective, dominates
from .identity import DATA

#: Where the study keeps what it is a study of, and the seed of the search.
SEARCH, SEED = "fastnn: search", "fastnn: seed"
#: Where a trial keeps the epochs it was trained for, the error that ended it, or when time did.
EPOCHS, ERROR, CUT_SHORT = "epochs", "error", "cut short"
#: Where a trial keeps that its parameters led to the error: samplers learn that they are worthless.
WORTHLESS = "worthless"

#: Seconds for which a study may say nothing while another searcher makes it.
PATIENCE = 5.0


def known_study(storage: BaseStorage, name: str) -> optuna.Study | None:
    """The study of that name that the storage has, if it does.

    Another searcher may just be making it: it says only at the end what it is a study of.
    """
    deadline = time.monotonic() + PATIENCE
    try:
        with quiet():
            study = optuna.load_study(study_name=name, storage=storage)
        while is_blank(study) and time.monotonic() < deadline:
            time.sleep(0.1)
    except KeyError:
        return None
    return study


def is_blank(study: optuna.Study) -> bool:
    """Whether a study says nothing: the searcher that made it came no further."""
    return not study.user_attrs.keys() - {SEED} and not study.get_trials(deepcopy=False)


def check_same_search(study: optuna.Study, described: dict[str, Any]) -> None:
    """Raise `ArgumentError` for the study of another search, by what `described` says.

    One of an earlier version that says less of its data is taken, with a warning.
    """
    known = study.user_attrs.get(SEARCH)
    if known is None:
        raise ArgumentError(
            f"study {study.study_name!r} was not made by fastnn.search; give another study_name"
        )
    old = "data" in known and "X" in described
    for key, wanted in (_earlier(described) if old else described).items():
        if known.get(key) != wanted:
            what = "other data" if key in DATA else "another search"
            raise ArgumentError(
                f"study {study.study_name!r} is of {what}: its {key} is {known.get(key)}, "
                f"not {wanted}; give another study_name"
            )
    if old:
        warnings.warn(
            f"study {study.study_name!r} is of an earlier version, which kept no digest of the "
            "data: make sure that they are the same",
            UserWarning,
            stacklevel=2,
        )


def _earlier(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description as studies had it before they kept digests."""
    x, y, validation = (described[key].partition(", digest")[0] for key in ("X", "y", "validation"))
    kept = {key: described[key] for key in ("space", "objective", "epochs")}
    return kept | {"data": f"X {x}, y {y}", "validation": validation}


def new_study(
    storage: BaseStorage, name: str, objectives: Sequence[Objective]
) -> optuna.Study | None:
    """A study that says nothing yet; None if another searcher has made one of that name."""
    directions = [objective.direction for objective in objectives]
    try:
        with quiet():
            return optuna.create_study(storage=storage, study_name=name, directions=directions)
    except optuna.exceptions.DuplicatedStudyError:
        return None


def inscribe(
    study: optuna.Study, objectives: Sequence[Objective], seed: int, described: dict[str, Any]
) -> None:
    """Write into a study what it is a study of, at the end, since searchers look for that."""
    directions = [direction.name.lower() for direction in study.directions]
    if directions != [objective.direction for objective in objectives]:
        raise ArgumentError(
            f"study {study.study_name!r} was not made by fastnn.search; give another study_name"
        )
    with quiet():
        study.set_metric_names([objective.name for objective in objectives])
    study.set_user_attr(SEED, seed)
    study.set_user_attr(SEARCH, described)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that have ended or were cut short, in the order of their numbers."""
    trials = [_as_ended(t) if cut_short(t) else t for t in study.get_trials(deepcopy=False)]
    return [t for t in trials if t.state.is_finished()]


def cut_short(trial: FrozenTrial) -> bool:
    """Whether a trial waits to be run again, because time was up or Ctrl-C ended the search."""
    return trial.state == TrialState.WAITING and bool(trial.user_attrs.get(CUT_SHORT))


def _as_ended(trial: FrozenTrial) -> FrozenTrial:
    """A trial that was cut short, as if it had been pruned there."""
    ended = copy.copy(trial)
    ended.state = TrialState.PRUNED
    ended.datetime_complete = datetime.fromisoformat(trial.user_attrs[CUT_SHORT])
    if trial.last_step is not None:
        ended.values = [trial.intermediate_values[trial.last_step]]
    return ended


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
