"""What a search and its workers tell each other.

A worker needs to know the `Task`, once. It takes a `Job`, the next stretch of one trial, and
answers with an `Outcome`, which holds the models as far as they are trained; the next job of that
trial brings them along. So any worker can go on where another one stopped. All of it pickles if
`build` and the objectives do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..objectives import Objective
from ..splits import Split

#: From parameters to a network or an estimator.
Build = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Task:
    """What all trials of a search share.

    Attributes
    ----------
    build : Build
    X, y : arrays
    split : Split
    objectives : tuple of Objective
    seed : int
        Of the search.
    epochs : int
        After which a trial is complete; an estimator is trained for all of them at once.
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
    """The next stretch of a trial.

    Attributes
    ----------
    number : int
        Of the trial.
    params : dict
    done, epochs : int
        Epochs that its networks have been trained for, and shall have been at the end.
    models : list or None
        One for each fold, as the last outcome had them; None before the first. They are the
        worker's now.
    """

    number: int
    params: dict[str, Any]
    done: int
    epochs: int
    models: list[Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    number : int
        Of the trial.
    values : tuple of float
        One for each objective, the mean over the folds; empty after an error, and where time ran
        out before a single epoch.
    epochs : int
        That the networks have been trained for; less than asked where time ran out.
    models : list or None
        One for each fold; None if they are not those that were judged.
    error : Exception or None
    """

    number: int
    values: tuple[float, ...] = ()
    epochs: int = 0
    models: list[Any] | None = None
    error: Exception | None = None


class Workers(Protocol):
    """Those who train: the threads of this process, or others that an executor brings."""

    @property
    def slots(self) -> int:
        """How many of them there are."""

    def start(self, jobs: Sequence[Job]) -> None:
        """Take jobs on."""

    def finished(self, max_time: float | None) -> list[Outcome]:
        """Wait until at least one job is done, and tell what became of those that are.

        `max_time` is in seconds from now: networks then end their epoch and are done.
        """
