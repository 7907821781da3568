"""The study, Optuna's record of a search: create, find, check and read it."""

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
from ...utils.warn import warn_caller
from ..objectives import Objective, dominates
from .identity import DATA

#: Study attributes: the description of the search, and its seed.
SEARCH, SEED = "fastnn: search", "fastnn: seed"
#: Trial attributes: trained epochs, the error that ended it, the time at which it was cut short.
EPOCHS, ERROR, CUT_SHORT = "epochs", "error", "cut short"
#: Trial attribute: its parameters led to the error, so that samplers give it the worst value.
WORTHLESS = "worthless"

#: Seconds to wait for another search to describe a study that it has just created.
CREATION_SECONDS = 5.0


def find_study(storage: BaseStorage, name: str) -> optuna.Study | None:
    """Return the study of a storage by name; None if there is none.

    Wait while another search creates it: its description is written last.
    """
    deadline = time.monotonic() + CREATION_SECONDS
    try:
        with quiet():
            study = optuna.load_study(study_name=name, storage=storage)
        while is_blank(study) and time.monotonic() < deadline:
            time.sleep(0.1)
    except KeyError:
        return None
    return study


def is_blank(study: optuna.Study) -> bool:
    """Return whether a study has neither description nor trials: its creator came no further."""
    return not study.user_attrs.keys() - {SEED} and not study.get_trials(deepcopy=False)


def check_same_search(study: optuna.Study, described: dict[str, Any]) -> None:
    """Raise `ArgumentError` if the description of a study differs from `described`.

    Accept a study of an earlier version, without digests of the data, with a warning.
    """
    known = study.user_attrs.get(SEARCH)
    if known is None:
        raise ArgumentError(
            f"study {study.study_name!r} was not made by fastnn.search; give another study_name"
        )
    old = "data" in known and "X" in described
    for key, wanted in (_without_digests(described) if old else described).items():
        if known.get(key) != wanted:
            what = "other data" if key in DATA else "another search"
            raise ArgumentError(
                f"study {study.study_name!r} is of {what}: its {key} is {known.get(key)}, "
                f"not {wanted}; give another study_name"
            )
    if old:
        warn_caller(
            f"study {study.study_name!r} is of an earlier version, which kept no digest of the "
            "data: make sure that they are the same",
        )


def _without_digests(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description in the form of earlier versions, which had no digests."""
    x, y, validation = (described[key].partition(", digest")[0] for key in ("X", "y", "validation"))
    kept = {key: described[key] for key in ("space", "objective", "epochs")}
    return kept | {"data": f"X {x}, y {y}", "validation": validation}


def new_study(
    storage: BaseStorage, name: str, objectives: Sequence[Objective]
) -> optuna.Study | None:
    """Create a study without description; return None if another search has just created it."""
    directions = [objective.direction for objective in objectives]
    try:
        with quiet():
            return optuna.create_study(storage=storage, study_name=name, directions=directions)
    except optuna.exceptions.DuplicatedStudyError:
        return None


def write_metadata(
    study: optuna.Study, objectives: Sequence[Objective], seed: int, described: dict[str, Any]
) -> None:
    """Write the description into a study, last, since other searches wait for it."""
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
    """Return the trials that have ended or were cut short, ordered by number."""
    trials = [_as_ended(t) if cut_short(t) else t for t in study.get_trials(deepcopy=False)]
    return [t for t in trials if t.state.is_finished()]


def cut_short(trial: FrozenTrial) -> bool:
    """Return whether a trial waits to be run again after a timeout or Ctrl-C."""
    return trial.state == TrialState.WAITING and bool(trial.user_attrs.get(CUT_SHORT))


def _as_ended(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial that was cut short as if it had been pruned."""
    ended = copy.copy(trial)
    ended.state = TrialState.PRUNED
    ended.datetime_complete = datetime.fromisoformat(trial.user_attrs[CUT_SHORT])
    if trial.last_step is not None:
        ended.values = [trial.intermediate_values[trial.last_step]]
    return ended


def best_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the Pareto front; with one objective, the best trial.

    Trials that were pruned or cut short count only if none is complete.
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
    """Silence Optuna's messages about new studies and its warnings of experimental features."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
