"""The running trials: ask the study for them, report their values, prune or complete them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import optuna
from optuna.trial import FrozenTrial, TrialState

from .report.progress import Progress
from .space.spaces import Space
from .study.best_models import BestModels, ScoredModel
from .study.leases import LeaseStatus, TrialLeases
from .study.studies import CUT_SHORT, EPOCHS, ERROR, WORTHLESS
from .workers.jobs import Job, Outcome

T = TypeVar("T")

#: A function of the study and a trial that has ended, as in Optuna.
StudyCallback = Callable[[optuna.Study, FrozenTrial], None]


def _uninterruptible(method: Callable[..., T]) -> Callable[..., T]:
    """Make Ctrl-C wait until a method of `Trials` ends, or the storage would be inconsistent."""

    @functools.wraps(method)
    def waiting(self: Trials, *arguments: Any) -> T:
        with self._leases.interrupt.section():
            return method(self, *arguments)

    return waiting


@dataclass
class Running:
    """A trial that has not ended.

    Attributes
    ----------
    trial : optuna.Trial
    params : dict
        The argument of `build`.
    rung : int
        Index of the next rung.
    last : Outcome or None
        The outcome at the previous rung; without models while a worker has them.
    record : optuna.trial.FrozenTrial or None
        The trial as stored then.
    """

    trial: Any
    params: dict[str, Any]
    rung: int = 0
    last: Outcome | None = None
    record: FrozenTrial | None = None

    @property
    def number(self) -> int:
        """The number of the trial."""
        return self.trial.number

    def job(self, rungs: Sequence[int]) -> Job:
        """Return the job that trains it to its next rung, and hand over its models."""
        done, models = 0, None
        if self.last is not None:
            done, models = self.last.epochs, self.last.models
            self.last = replace(self.last, models=None)
        return Job(self.number, self.params, done, rungs[self.rung], models)


class Trials:
    """The running trials of a search; Ctrl-C waits until a change is in the storage.

    Parameters
    ----------
    leases : TrialLeases
    space : Space
    rungs : sequence of int
        In epochs; the last one completes a trial.
    best_models : BestModels
    progress : Progress
    callbacks : sequence of functions of the study and a trial that has ended

    Attributes
    ----------
    running : dict of int to Running
    failed : int
    first_error : Exception or None
    """

    def __init__(
        self,
        leases: TrialLeases,
        space: Space,
        rungs: Sequence[int],
        best_models: BestModels,
        progress: Progress,
        callbacks: Sequence[StudyCallback],
    ):
        self._leases, self._study = leases, leases.study
        self._space, self._rungs = space, rungs
        self._best_models, self._progress, self._callbacks = best_models, progress, callbacks
        self._known: set[int] = set()
        self.running: dict[int, Running] = {}
        self.failed = 0
        self.first_error: Exception | None = None
        for _ in self._sync_finished():  # trials from before this search
            pass

    @_uninterruptible
    def status(self) -> LeaseStatus:
        """Return how many trials may begin, after reading what other searches have found."""
        if self._leases.shared:
            for _ in self._sync_finished():
                self._progress.ended(self._best_models.values, self.failed)
        status = self._leases.status()
        if status.held_by_others and not (status.free or self.running):
            self._progress.waiting(status.held_by_others)
        return status

    def _sync_finished(self) -> Iterator[None]:
        """Add the trials that other searches have ended, yielding after each."""
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished() or trial.number in self._known:
                continue
            self._known.add(trial.number)
            if trial.state == TrialState.COMPLETE:
                scored = ScoredModel(trial.number, tuple(trial.values), None)
                self._best_models.offer(scored, complete=True)
            yield

    @_uninterruptible
    def begin(self, wanted: int) -> list[Running]:
        """Start trials; leave out those whose parameters cannot be drawn."""
        numbers = [self._draw(trial) for trial in self._leases.acquire(wanted)]
        return [self.running[number] for number in numbers if number in self.running]

    def _draw(self, trial: Any) -> int:
        """Draw the parameters of a trial, or let it fail; return its number."""
        running = self.running[trial.number] = Running(trial, {})
        try:
            running.params = self._space(trial)
        except Exception as error:
            self.fail(trial.number, error, worthless=False)
        return trial.number

    @_uninterruptible
    def report(self, outcome: Outcome) -> Running | None:
        """Report an outcome to the study; return None if the trial failed or lost its lease."""
        running = self.running[outcome.number]
        record = self._leases.record(running.trial)
        if record is None:
            del self.running[outcome.number]
            return None
        if outcome.error is not None:
            self.fail(outcome.number, outcome.error)
            return None
        if outcome.values:
            running.last = outcome
            running.trial.set_user_attr(EPOCHS, outcome.epochs)
        elif running.last is not None:
            running.last = replace(running.last, models=outcome.models)
        if len(outcome.values) == 1:
            if outcome.epochs not in record.intermediate_values:
                running.trial.report(outcome.values[0], step=outcome.epochs)
            running.record = _up_to(outcome.epochs, outcome.values[0], record)
        return running

    @_uninterruptible
    def advance(self, running: Running) -> bool:
        """Advance a trial to its next rung, or end it; return whether it goes on."""
        last = running.last
        if last is None or last.epochs < self._rungs[running.rung]:
            self.cut_short(running)
        elif last.epochs >= self._rungs[-1]:
            self._end(running, TrialState.COMPLETE)
        elif running.record and self._study.pruner.prune(self._study, running.record):
            self._end(running, TrialState.PRUNED)
        else:
            running.rung += 1
            return True
        return False

    @_uninterruptible
    def cut_short(self, running: Running) -> None:
        """Stop a trial for lack of time; its value counts if no trial is complete."""
        del self.running[running.number]
        self._offer(running, complete=False)
        running.trial.set_user_attr(CUT_SHORT, datetime.now().isoformat())
        self._leases.release(running.trial)

    @_uninterruptible
    def cut_all_short(self) -> None:
        """Stop all running trials for lack of time."""
        for running in list(self.running.values()):
            self.cut_short(running)

    def fail(self, number: int, error: Exception, *, worthless: bool = True) -> None:
        """End a trial with an error; `worthless` if its parameters led to it."""
        trial = self.running.pop(number).trial
        trial.set_user_attr(WORTHLESS, worthless)
        trial.set_user_attr(ERROR, _text(error))
        self.first_error = self.first_error or error
        self.failed += 1
        self._tell(trial, TrialState.FAIL, None)

    def _end(self, running: Running, state: TrialState) -> None:
        del self.running[running.number]
        complete, last = state == TrialState.COMPLETE, running.last
        self._offer(running, complete=complete)
        self._tell(running.trial, state, last.values if complete and last is not None else None)

    def _offer(self, running: Running, *, complete: bool) -> None:
        """Offer the models of a trial to the best models, if they have the values of the trial."""
        last = running.last
        if last is not None and last.models is not None:
            scored = ScoredModel(running.number, last.values, last.models)
            self._best_models.offer(scored, complete=complete)

    def _tell(self, trial: Any, state: TrialState, values: Sequence[float] | None) -> None:
        told = self._study.tell(trial, values, state=state)
        self._known.add(told.number)
        self._progress.ended(self._best_models.values, self.failed)
        for callback in self._callbacks:
            callback(self._study, told)


def _up_to(step: int, value: float, record: FrozenTrial) -> FrozenTrial:
    """Return the trial for pruners, without later values that a dead search has reported."""
    seen = copy.copy(record)
    earlier = {s: v for s, v in record.intermediate_values.items() if s < step}
    seen.intermediate_values = earlier | {step: value}
    return seen


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
