"""Messages between a search and its workers.

A worker gets the `Task` once. A `Job` trains one trial up to its next rung; its `Outcome` holds the
trained models, which the next job of the trial brings along, so that any worker can continue. All
of it pickles if `build` and the objectives do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..objectives import Objective
from ..splits import Split

#: A function from parameters to a network or an estimator.
Build = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Task:
    """The data and settings that all trials of a search share.

    Attributes
    ----------
    build : Build
    X, y : arrays
    split : Split
    objectives : tuple of Objective
    seed : int
        The seed of the search.
    epochs : int
        Epochs of a complete trial; an estimator is trained for all of them at once.
    batch_size : int, None, or function of the parameters
    fit_params : dict
        Further arguments of the fit.
    """

    build: Build
    X: Any
    y: Any
    split: Split
    objectives: tuple[Objective, ...]
    seed: int
    epochs: int
    batch_size: int | Callable[[dict[str, Any]], int | None] | None = 32
    fit_params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """The training of a trial up to its next rung.

    Attributes
    ----------
    number : int
        Number of the trial.
    params : dict
    done, epochs : int
        Epochs that its networks have been trained for, and will have been afterwards.
    models : list or None
        One for each fold, from the last outcome; None before the first. The worker may change
        them.
    """

    number: int
    params: dict[str, Any]
    done: int
    epochs: int
    models: list[Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a job.

    Attributes
    ----------
    number : int
        Number of the trial.
    values : tuple of float
        One for each objective, the mean over the folds; empty after an error, and after a timeout
        before the first epoch.
    epochs : int
        Epochs that the networks have been trained for; fewer than asked after a timeout.
    models : list or None
        One for each fold; None if they do not have these values.
    error : Exception or None
    """

    number: int
    values: tuple[float, ...] = ()
    epochs: int = 0
    models: list[Any] | None = None
    error: Exception | None = None


class Workers(Protocol):
    """Train jobs: on threads of this process, or on the workers of an executor."""

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once."""

    def start(self, jobs: Sequence[Job]) -> None:
        """Queue jobs."""

    def finished(self, max_time: float | None) -> list[Outcome]:
        """Wait until at least one job is done; return the outcomes of those that are.

        After `max_time` seconds, networks end their epoch and are done.
        """
