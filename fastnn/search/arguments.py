"""The arguments of a search, checked as far as possible before any model is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from .space.pruners import pruning_of
from .space.samplers import sampler_of
from .space.spaces import Space, grid_size
from .study.storages import Storage, storage_of
from .workers.executors import check_executor


@dataclass(frozen=True)
class Arguments:
    """The arguments of `search`, which documents them."""

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


def checked(given: Arguments, space: Space) -> Arguments:
    """Check what needs neither data nor models; return them with `Storage` and `Pruning`."""
    epochs = checks.integer("epochs", given.epochs, low=1)
    trials = given.trials
    if trials is not None:
        trials = checks.integer("trials", trials, low=1)
    if isinstance(given.sampler, str) and given.sampler == "grid":
        points = grid_size(space.grid())
        trials = points if trials is None else min(trials, points)
    if trials is None and given.timeout is None:
        raise ArgumentError("give trials, timeout or both: the search would never end")
    if given.executor is not None:
        check_executor(given.executor)
    if given.threads is not None:
        checks.integer("threads", given.threads, low=1)
    if given.timeout is not None:
        checks.number("timeout", given.timeout, low=0, open_low=True)
    if given.concurrent_trials is not None:
        checks.integer("concurrent_trials", given.concurrent_trials, low=1)
    checks.boolean("asynchronous", given.asynchronous)
    if given.batch_size is not None and not callable(given.batch_size):
        checks.integer("batch_size", given.batch_size, low=1)
    if not (isinstance(given.callbacks, Iterable) and all(map(callable, given.callbacks))):
        raise ArgumentTypeError(
            f"callbacks must hold functions of (study, trial), got {given.callbacks!r}"
        )
    checks.verbosity(given.verbose, high=1)
    pruning = pruning_of(
        given.pruner,
        epochs,
        rungs=given.rungs,
        min_epochs=given.min_epochs,
        reduction_factor=given.reduction_factor,
    )
    refit = checks.boolean("refit", given.refit)
    sampler_of(given.sampler, 0, (), space)
    if not isinstance(given.study_name, str):
        raise ArgumentTypeError(f"study_name must be a string, got {given.study_name!r}")
    if not given.study_name:
        raise ArgumentError("study_name is empty")
    storage = given.storage
    if not isinstance(storage, Storage):
        storage = storage_of(storage)
    return replace(
        given, trials=trials, epochs=epochs, storage=storage, refit=refit, pruner=pruning
    )
