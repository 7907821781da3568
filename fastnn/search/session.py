"""From the checked arguments of `search` to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import optuna
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length

from .. import checks
from ..errors import ArgumentError, ArgumentTypeError, SearchError
from ..network import Network
from ..randomness import check_seed
from ..threads import get_num_threads
from .claims import Claims
from .jobs import Build, Task
from .keeping import Keeper
from .loops import Limits, Loop, as_they_come, in_rounds
from .objectives import objectives_of
from .probing import probe
from .progress import Progress
from .pruners import Pruning, pruning_of
from .result import SearchResult
from .samplers import OBLIVIOUS, sampler_of
from .scoring import as_estimator
from .searchers import Searchers
from .spaces import Space, grid_size, space_of
from .splits import split_of
from .storages import Storage, storage_of
from .studies import (
    ERROR,
    SEED,
    check_same_search,
    describe,
    finished,
    inscribe,
    is_blank,
    known_study,
    new_study,
)
from .training import LocalWorkers, refit
from .trials import Trials

#: Trials of a round where the sampler learns from the rounds before. Few, so that it learns often;
#: fixed, so that the outcome does not depend on the machine.
LEARNING_ROUND = 8
#: For each thread where it does not learn: enough to be busy, few enough to lose little.
ROUND_PER_THREAD = 8

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
    study = known_study(given.storage.base, given.study_name)
    task = _task(build, known_space, X, y, given, _seed(given.seed, study))
    if len(task.objectives) > 1 and len(pruning.rungs) > 1:
        raise ArgumentError(
            "trials cannot be pruned by several objectives at once: "
            "give pruner='none' or one objective"
        )
    described = describe(known_space, task)
    if study is None:
        study = new_study(given.storage.base, given.study_name, task.objectives)
    if study is None:
        return run(build, space, X, y, given)  # with the study that another searcher just made
    if is_blank(study):
        inscribe(study, task.objectives, task.seed, described)
    check_same_search(study, described)
    return _search(study, known_space, task, given, pruning)


def _seed(seed: int | None, study: optuna.Study | None) -> int:
    """That of the study; else the given one, or a fresh one."""
    known = None if study is None else study.user_attrs.get(SEED)
    if known is not None and seed is not None and known != check_seed(seed):
        assert study is not None
        raise ArgumentError(
            f"study {study.study_name!r} is of another search: its seed is {known}, not {seed}; "
            "give seed=None to go on with it, or another study_name"
        )
    return check_seed(seed) if known is None else known


def _checked(given: Arguments, space: Space) -> tuple[Arguments, Pruning]:
    """What can be checked without looking at data or models."""
    epochs = checks.integer("epochs", given.epochs, low=1)
    trials = given.trials
    if trials is not None:
        trials = checks.integer("trials", trials, low=1)
    if isinstance(given.sampler, str) and given.sampler == "grid":
        points = grid_size(space.grid())
        trials = points if trials is None else min(trials, points)
    if trials is None and given.timeout is None:
        raise ArgumentError("give trials, timeout or both: the search would never end")
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
    refit = checks.flag("refit", given.refit)
    sampler_of(given.sampler, 0, (), space)
    if not isinstance(given.study_name, str):
        raise ArgumentTypeError(f"study_name must be a string, got {given.study_name!r}")
    storage = given.storage
    if not isinstance(storage, Storage):
        storage = storage_of(storage)
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
    study: optuna.Study, space: Space, task: Task, given: Arguments, pruning: Pruning
) -> SearchResult:
    done = sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))
    keeper = Keeper(task.objectives)
    workers = LocalWorkers(task, given.threads)
    loop: Loop = as_they_come if given.asynchronous else in_rounds
    interrupted = False
    with (
        Searchers(given.storage, given.storage.study_id(study)) as searchers,
        Progress(given.trials, done, bool(given.verbose)) as progress,
    ):
        claims = Claims(given.storage, study, searchers, given.trials)
        key = _sampler_key(study, searchers)
        study.sampler = sampler_of(given.sampler, task.seed, key, space)
        study.pruner = pruning.pruner
        trials = Trials(study, space, pruning.rungs, keeper, progress, given.callbacks, claims)
        limits = Limits(trials, given.timeout)
        size = _round_size(given, pruning.rungs, claims.survey().free)
        try:
            loop(trials, workers, limits, progress, pruning.rungs, size)
        except KeyboardInterrupt:
            interrupted = True
            trials.cut_all_short()
        finally:
            claims.release_all()
    result = SearchResult(study, space, task.objectives, task.seed, keeper, interrupted)
    if not result.pareto_front:
        _complain(study, trials, given, interrupted)
    if given.refit and not interrupted:
        best = result.best
        result.refitted = refit(task, best.params, best.number, best.epochs)
    return result


def _sampler_key(study: optuna.Study, searchers: Searchers) -> tuple[int, ...]:
    """What samplers that learn are seeded by, beside the seed: they must not repeat first draws."""
    searchers.look()
    begun = len(study.get_trials(deepcopy=False))
    return (begun,) if searchers.alone() else (begun, searchers.number)


def _complain(study: optuna.Study, trials: Trials, given: Arguments, interrupted: bool) -> None:
    """Say why there is no result."""
    if interrupted:
        raise KeyboardInterrupt
    errors = [t.user_attrs[ERROR] for t in finished(study) if ERROR in t.user_attrs]
    if not errors:
        raise SearchError(f"no trial finished an epoch within timeout={given.timeout} s")
    raise SearchError(
        f"all {len(errors)} trials failed; the first: {errors[0]}"
    ) from trials.first_error


def _round_size(given: Arguments, rungs: Sequence[int], left: int | None) -> int:
    """Trials of a round, or under way at a time; of the machine only where it does not matter."""
    if given.concurrent_trials is not None:
        return given.concurrent_trials
    if not (isinstance(given.sampler, str) and given.sampler in OBLIVIOUS):
        return LEARNING_ROUND
    # To keep the best of all trials at a rung, all must be there.
    threads = given.threads or get_num_threads()
    whole = len(rungs) > 1 and not given.asynchronous
    return left or 1 if whole and left is not None else threads * ROUND_PER_THREAD
