"""Run a search: from its arguments to its result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length

from ..errors import ArgumentError, ArgumentTypeError, ExecutorError, SearchError
from ..network import Network
from ..runtime.random_streams import check_seed
from ..utils import checks
from .arguments import Arguments, checked
from .loops import Limits, run_asynchronous, run_synchronous
from .objectives import as_estimator, objectives_of
from .report.progress import Progress
from .result import SearchResult
from .space.probe import probe
from .space.samplers import NON_ADAPTIVE, sampler_of
from .space.spaces import Space, space_of
from .splits import split_of
from .study.best_models import BestModels
from .study.heartbeats import Heartbeats
from .study.identity import describe
from .study.leases import TrialLeases
from .study.storages import storage_error, storage_errors_translated
from .study.studies import (
    ERROR,
    SEED,
    best_trials,
    check_same_search,
    find_study,
    finished,
    is_blank,
    new_study,
    write_metadata,
)
from .trials import Trials
from .workers.jobs import Build, Task, Workers
from .workers.local import refit
from .workers.pool import workers_for

#: Trials of a round with an adaptive sampler. Few, so that it adapts often; fixed, so that the
#: result does not depend on the machine.
LEARNING_ROUND = 8
#: Trials of a round for each worker with other samplers: few, so that a timeout
#: loses little.
ROUND_PER_WORKER = 8

#: Arguments of `Network.fit` that are passed on.
FIT_PARAMS = ("augmentation", "class_weight", "sample_weight", "shuffle")


def run(
    build: Build, space: Any, X: Any, y: Any, given: Arguments, settings: dict[str, str]
) -> SearchResult:
    """Check everything, open the study, search."""
    if not callable(build):
        raise ArgumentTypeError(f"build must be a function of the parameters, got {build!r}")
    known_space = space_of(space)
    arguments = checked(given, known_space)
    with storage_errors_translated(arguments.storage):
        return _run(build, known_space, X, y, arguments, settings)


def _run(
    build: Build, known_space: Space, X: Any, y: Any, arguments: Arguments, settings: dict[str, str]
) -> SearchResult:
    storage, name = arguments.storage.base, arguments.study_name
    study = find_study(storage, name)
    task, described = _task(build, known_space, X, y, arguments, _seed(arguments.seed, study))
    if study is not None and not is_blank(study):
        check_same_search(study, described)
    if len(task.objectives) > 1 and len(arguments.pruner.rungs) > 1:
        raise ArgumentError(
            "trials cannot be pruned by several objectives at once: "
            "give pruner='none' or one objective"
        )
    if len(task.objectives) > 1 and arguments.refit:
        raise ArgumentError("refit=True trains by the best trial: it needs a single objective")
    with workers_for(task, arguments.executor, arguments.threads) as workers:
        study = study or new_study(storage, name, task.objectives)
        if study is not None:
            if is_blank(study):
                write_metadata(study, task.objectives, task.seed, described)
            check_same_search(study, described)
            best_models = BestModels(task.objectives)
            found = SearchResult(
                study, known_space, task.objectives, task.seed, best_models, settings
            )
            _search(found, best_models, task, workers, arguments)
            _refit(found, task, arguments)
            return found
    # Another search has just created the study, with its own seed.
    return _run(build, known_space, X, y, arguments, settings)


def _refit(found: SearchResult, task: Task, given: Arguments) -> None:
    if given.refit and not found.interrupted:
        best = found.best
        found.refitted = refit(task, best.params, best.number, best.epochs)


def _seed(seed: int | None, study: optuna.Study | None) -> int:
    """Return the seed of the study; else the given one, or a random one."""
    known = None if study is None else study.user_attrs.get(SEED)
    if known is not None and seed is not None and known != check_seed(seed):
        assert study is not None
        raise ArgumentError(
            f"study {study.study_name!r} is of another search: its seed is {known}, not {seed}; "
            "give seed=None to go on with it, or another study_name"
        )
    return check_seed(seed) if known is None else known


def _task(
    build: Build, space: Space, X: Any, y: Any, given: Arguments, seed: int
) -> tuple[Task, dict[str, Any]]:
    """Return what the trials share, and its description; check it with a model of `build`."""
    try:
        check_consistent_length(X, y)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"X and y do not fit: {error}") from None
    model = probe(space, build, seed, X, y, given.validation_data)
    if isinstance(model, Network):
        for name in given.fit_params:
            checks.one_of("fit_params", name, dict.fromkeys(FIT_PARAMS))
    split = split_of(
        X,
        y,
        cv=given.cv,
        validation_data=given.validation_data,
        validation_fraction=given.validation_fraction,
        classifier=is_classifier(as_estimator(model)),
        seed=seed,
    )
    objectives = objectives_of(given.objective, given.direction, model)
    task = Task(
        build, X, y, split, objectives, seed, given.epochs, given.batch_size, dict(given.fit_params)
    )
    return task, describe(space.describe(), task, model)


def _search(
    found: SearchResult, best_models: BestModels, task: Task, workers: Workers, given: Arguments
) -> None:
    """Run the trials that are left."""
    study, pruning = found.study, given.pruner
    loop = run_asynchronous if given.asynchronous else run_synchronous
    progress = Progress(
        task.objectives,
        given.trials,
        given.timeout,
        done=sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False)),
        front=[tuple(trial.values) for trial in best_trials(study)],
        shown=bool(given.verbose),
    )
    heartbeats = Heartbeats(given.storage, given.storage.study_id(study))
    leases = TrialLeases(given.storage, study, heartbeats, given.trials)
    with progress, heartbeats, leases.interrupt:
        key = _sampler_key(study, heartbeats)
        study.sampler = sampler_of(given.sampler, task.seed, key, found.space)
        study.pruner = pruning.pruner
        trials = Trials(leases, found.space, pruning.rungs, best_models, progress, given.callbacks)
        limits = Limits(trials, given.timeout)
        size = _round_size(given, pruning.rungs, leases.status().free, workers)
        try:
            loop(trials, workers, limits, progress, pruning.rungs, size)
        except KeyboardInterrupt:
            found.interrupted = True
            trials.cut_all_short()
        except ExecutorError as error:
            trials.cut_all_short()
            error.result = found if found.pareto_front else None
            raise
        except StorageInternalError as error:
            told = storage_error(given.storage, error)
            with suppress(StorageInternalError):
                told.result = found if found.pareto_front else None
            raise told from error
        finally:
            with leases.interrupt.section(), suppress(StorageInternalError):
                leases.release_all()
    if not found.pareto_front:
        _raise_failure(found, trials, given)


def _sampler_key(study: optuna.Study, heartbeats: Heartbeats) -> tuple[int, ...]:
    """Return what adaptive samplers are seeded by beside the seed, or first draws would repeat."""
    heartbeats.refresh()
    begun = len(study.get_trials(deepcopy=False))
    return (begun,) if heartbeats.others_are_dead() else (begun, heartbeats.number)


def _raise_failure(found: SearchResult, trials: Trials, given: Arguments) -> None:
    """Raise the error that tells why there is no result."""
    if found.interrupted:
        raise KeyboardInterrupt
    errors = [t.user_attrs[ERROR] for t in finished(found.study) if ERROR in t.user_attrs]
    if not errors:
        raise SearchError(f"no trial finished an epoch within timeout={given.timeout} s")
    raise SearchError(
        f"all {len(errors)} trials failed; the first: {errors[0]}"
    ) from trials.first_error


def _round_size(given: Arguments, rungs: Sequence[int], left: int | None, workers: Workers) -> int:
    """Return the trials of a round, or at a time; from the machine only where it has no effect."""
    if given.concurrent_trials is not None:
        return given.concurrent_trials
    if not (isinstance(given.sampler, str) and given.sampler in NON_ADAPTIVE):
        return max(LEARNING_ROUND, workers.slots) if given.asynchronous else LEARNING_ROUND
    # Halving among all trials needs all of them in one round.
    whole = len(rungs) > 1 and not given.asynchronous
    return left or 1 if whole and left is not None else max(1, workers.slots) * ROUND_PER_WORKER
