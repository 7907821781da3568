"""From the checked arguments of `search` to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import optuna
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length

from .. import checks
from ..errors import ArgumentError, ArgumentTypeError, ExecutorError, SearchError
from ..network import Network
from ..randomness import check_seed
from .dispatching import workers_for
from .executors import check_executor
from .jobs import Build, Task, Workers
from .keeping import Keeper
from .loops import Limits, Loop, as_they_come, in_rounds
from .objectives import objectives_of
from .probing import probe
from .progress import Progress
from .pruners import Pruning, pruning_of
from .result import SearchResult
from .samplers import OBLIVIOUS, sampler_of
from .scoring import as_estimator
from .spaces import Space, grid_size, space_of
from .splits import split_of
from .studies import CUT_SHORT, SEED, check_same_search, describe, finished, known_study, new_study
from .training import refit
from .trials import Trials

#: Trials of a round where the sampler learns from the rounds before. Few, so that it learns often;
#: fixed, so that the outcome does not depend on the machine.
LEARNING_ROUND = 8
#: For each worker where it does not learn: enough to be busy, few enough to lose little.
ROUND_PER_WORKER = 8

#: Arguments of a network's fit that are passed on.
FIT_PARAMS = ("augmentation", "class_weight", "sample_weight", "shuffle")


@dataclass(frozen=True)
class Arguments:
    """What `search` was given, unchecked; it says what everything is."""

    trials: int | None
    timeout: float | None
    sampler: Any
    pruner: Any
    objective: Any
    direction: str | Sequence[str] | None
    epochs: int
    batch_size: int | Callable[[dict[str, Any]], int | None] | None
    fit_params: Mapping[str, Any]
    validation_data: tuple[Any, ...] | None
    validation_fraction: float | None
    cv: Any
    min_epochs: int
    reduction_factor: int
    rungs: Sequence[int] | None
    asynchronous: bool
    concurrent_trials: int | None
    seed: int | None
    executor: Any
    threads: int | None
    storage: Any
    study_name: str
    callbacks: Sequence[Callable[[Any, Any], None]]
    refit: bool
    verbose: int


def run(build: Build, space: Any, X: Any, y: Any, given: Arguments) -> SearchResult:
    """Check everything, open the study, search."""
    if not callable(build):
        raise ArgumentTypeError(f"build must be a function of the parameters, got {build!r}")
    known_space = space_of(space)
    given, pruning = _checked(given, known_space)
    study = known_study(given.storage, given.study_name)
    seed = given.seed
    if seed is None and study is not None:
        seed = study.user_attrs.get(SEED)
    task = _task(build, known_space, X, y, given, check_seed(seed))
    if len(task.objectives) > 1 and len(pruning.rungs) > 1:
        raise ArgumentError(
            "trials cannot be pruned by several objectives at once: "
            "give pruner='none' or one objective"
        )
    described = describe(known_space, task.objectives, given.epochs)
    if study is not None:
        check_same_search(study, described)
    begun = 0 if study is None else len(study.get_trials(deepcopy=False))
    sampler = sampler_of(given.sampler, task.seed, begun, known_space)
    with workers_for(task, given.executor, given.threads) as workers:
        if study is None:
            study = new_study(
                given.storage, given.study_name, task.objectives, task.seed, described
            )
        study.sampler, study.pruner = sampler, pruning.pruner
        return _search(study, known_space, task, workers, given, pruning.rungs)


def _checked(given: Arguments, space: Space) -> tuple[Arguments, Pruning]:
    """What can be checked without looking at data or models."""
    epochs = checks.integer("epochs", given.epochs, low=1)
    trials = given.trials
    if isinstance(given.sampler, str) and given.sampler == "grid":
        points = grid_size(space.grid())
        trials = points if trials is None else min(trials, points)
    if trials is None and given.timeout is None:
        raise ArgumentError("give trials, timeout or both: the search would never end")
    if trials is not None:
        trials = checks.integer("trials", trials, low=1)
    if given.executor is not None:
        check_executor(given.executor)
    if given.threads is not None:
        checks.integer("threads", given.threads, low=1)
    if given.timeout is not None:
        checks.real("timeout", given.timeout, low=0, open_low=True)
    if given.concurrent_trials is not None:
        checks.integer("concurrent_trials", given.concurrent_trials, low=1)
    checks.flag("asynchronous", given.asynchronous)
    if not all(map(callable, given.callbacks)):
        raise ArgumentTypeError(
            f"callbacks must hold functions of (study, trial), got {given.callbacks!r}"
        )
    checks.integer("verbose", given.verbose, low=0, high=1)
    pruning = pruning_of(
        given.pruner,
        epochs,
        rungs=given.rungs,
        min_epochs=given.min_epochs,
        reduction_factor=given.reduction_factor,
    )
    storage = given.storage
    if storage is not None:
        storage = optuna.storages.get_storage(storage)
    refit = checks.flag("refit", given.refit)
    return replace(given, trials=trials, epochs=epochs, storage=storage, refit=refit), pruning


def _task(build: Build, space: Space, X: Any, y: Any, given: Arguments, seed: int) -> Task:
    """What the trials share; all is tried out on one model that `build` makes."""
    try:
        check_consistent_length(X, y)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"X and y do not fit: {error}") from None
    model = probe(space, build, seed, X, y)
    if isinstance(model, Network):
        for name in given.fit_params:
            checks.member("fit_params", name, dict.fromkeys(FIT_PARAMS))
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
    return Task(
        build, X, y, split, objectives, seed, given.epochs, given.batch_size, dict(given.fit_params)
    )


def _search(
    study: optuna.Study,
    space: Space,
    task: Task,
    workers: Workers,
    given: Arguments,
    rungs: Sequence[int],
) -> SearchResult:
    done = sum(CUT_SHORT not in trial.user_attrs for trial in finished(study))
    left = None if given.trials is None else max(0, given.trials - done)
    keeper = Keeper(task.objectives)
    loop: Loop = as_they_come if given.asynchronous else in_rounds
    result = SearchResult(study, space, task.objectives, task.seed, keeper, interrupted=False)
    with Progress(given.trials, done, bool(given.verbose)) as progress:
        trials = Trials(study, space, rungs, keeper, progress, given.callbacks)
        limits = Limits(left, given.timeout)
        size = _round_size(given, rungs, left, workers)
        try:
            loop(trials, workers, limits, progress, rungs, size)
        except KeyboardInterrupt:
            result.interrupted = True
            trials.cut_all_short()
        except ExecutorError as error:
            trials.cut_all_short()
            error.result = result if result.pareto_front else None
            raise
    if not result.pareto_front:
        if result.interrupted:
            raise KeyboardInterrupt
        if trials.first_error is None:
            raise SearchError(f"no trial finished an epoch within timeout={given.timeout} s")
        raise SearchError(
            f"all {trials.failed} trials failed; the first: {trials.complaint}"
        ) from trials.first_error
    if given.refit and not result.interrupted:
        best = result.best
        result.refitted = refit(task, best.params, best.number, best.epochs)
    return result


def _round_size(given: Arguments, rungs: Sequence[int], left: int | None, workers: Workers) -> int:
    """Trials of a round, or under way at a time; of the machine only where it does not matter."""
    if given.concurrent_trials is not None:
        return given.concurrent_trials
    if not (isinstance(given.sampler, str) and given.sampler in OBLIVIOUS):
        return max(LEARNING_ROUND, workers.slots) if given.asynchronous else LEARNING_ROUND
    # To keep the best of all trials at a rung, all must be there.
    whole = len(rungs) > 1 and not given.asynchronous
    return left or 1 if whole and left is not None else max(1, workers.slots) * ROUND_PER_WORKER
