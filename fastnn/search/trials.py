"""The trials under way: asking for them, judging what came of them, telling the study."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import optuna
from optuna.trial import FrozenTrial, TrialState

from ..runtime.interrupts import DeferredInterrupt
from .report.progress import Progress
from .space.spaces import Space
from .study.best_models import Keeper, Kept
from .study.leases import Claims, Survey
from .study.studies import CUT_SHORT, EPOCHS, ERROR, WORTHLESS
from .workers.jobs import Job, Outcome

T = TypeVar("T")

#: What the study calls every trial: a function of the study and the trial, as in Optuna.
StudyCallback = Callable[[optuna.Study, FrozenTrial], None]


def _whole(method: Callable[..., T]) -> Callable[..., T]:
    """A method of `Trials` that Ctrl-C may not split."""

    @functools.wraps(method)
    def whole(self: Trials, *arguments: Any) -> T:
        with self._interrupt.section():
            return method(self, *arguments)

    return whole


@dataclass
class Running:
    """A trial that has not ended.

    Attributes
    ----------
    trial : optuna.Trial
    params : dict
        As `build` takes them.
    rung : int
        Number of the rung that it is to reach next.
    last : Outcome or None
        Of the rung before; without its models while a worker has them.
    record : optuna.trial.FrozenTrial or None
        What the study knew of it then.
    """

    trial: Any
    params: dict[str, Any]
    rung: int = 0
    last: Outcome | None = None
    record: FrozenTrial | None = None

    @property
    def number(self) -> int:
        return self.trial.number

    def job(self, rungs: Sequence[int]) -> Job:
        """To train it up to its next rung; its models are handed over."""
        done, models = 0, None
        if self.last is not None:
            done, models = self.last.epochs, self.last.models
            self.last = replace(self.last, models=None)
        return Job(self.number, self.params, done, rungs[self.rung], models)


class Trials:
    """Asks the study for trials, and tells it what became of them.

    Parameters
    ----------
    study : optuna.Study
    space : Space
    rungs : sequence of int
        In epochs; the last one completes a trial.
    keeper : Keeper
    progress : Progress
    callbacks : sequence of functions of the study and a trial that has ended
    claims : Claims
    interrupt : DeferredInterrupt
        Ctrl-C waits until the study has been told: databases must not be left halfway.

    Attributes
    ----------
    running : dict of int to Running
    failed : int
    first_error : Exception or None
    """

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        rungs: Sequence[int],
        keeper: Keeper,
        progress: Progress,
        callbacks: Sequence[StudyCallback],
        claims: Claims,
        interrupt: DeferredInterrupt,
    ):
        self._study, self._space, self._rungs = study, space, rungs
        self._keeper, self._progress, self._callbacks = keeper, progress, callbacks
        self._claims, self._interrupt = claims, interrupt
        self._known: set[int] = set()
        self.running: dict[int, Running] = {}
        self.failed = 0
        self.first_error: Exception | None = None
        for _ in self._news():  # what the study had before
            pass

    @_whole
    def survey(self) -> Survey:
        """How many trials may begin, after a look at what other searchers have found."""
        if self._claims.shared:
            for _ in self._news():
                self._progress.ended(self._keeper.values, self.failed)
        survey = self._claims.survey()
        if survey.elsewhere and not (survey.free or self.running):
            self._progress.waiting(survey.elsewhere)
        return survey

    def _news(self) -> Iterator[None]:
        """Learn of trials that others ended, one after the other."""
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished() or trial.number in self._known:
                continue
            self._known.add(trial.number)
            if trial.state == TrialState.COMPLETE:
                kept = Kept(trial.number, tuple(trial.values), None)
                self._keeper.offer(kept, complete=True)
            yield

    @_whole
    def begin(self, wanted: int) -> list[Running]:
        """New trials, less those of which already the parameters cannot be drawn."""
        numbers = [self._draw(trial) for trial in self._claims.take(wanted)]
        return [self.running[number] for number in numbers if number in self.running]

    def _draw(self, trial: Any) -> int:
        """The number of a trial, which has failed if its parameters cannot be drawn."""
        running = self.running[trial.number] = Running(trial, {})
        try:
            running.params = self._space(trial)
        except Exception as error:
            self.fail(trial.number, error, worthless=False)
        return trial.number

    @_whole
    def report(self, outcome: Outcome) -> Running | None:
        """Tell the study what a trial is worth so far; None if an error ended it, or it is lost."""
        running = self.running[outcome.number]
        record = self._claims.record(running.trial)
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

    @_whole
    def judge(self, running: Running) -> bool:
        """Whether a trial that has reported goes on, to its next rung; else it ends here."""
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

    @_whole
    def cut_short(self, running: Running) -> None:
        """Leave a trial for lack of time; what it has reached counts if no trial is complete."""
        del self.running[running.number]
        self._offer(running, complete=False)
        running.trial.set_user_attr(CUT_SHORT, datetime.now().isoformat())
        self._claims.release(running.trial)

    @_whole
    def cut_all_short(self) -> None:
        """Leave all trials under way."""
        for running in list(self.running.values()):
            self.cut_short(running)

    def fail(self, number: int, error: Exception, *, worthless: bool = True) -> None:
        """End a trial with an error; `worthless` if it has parameters that led to it."""
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
        """Let the keeper have the models of a trial, if they are those that were judged."""
        last = running.last
        if last is not None and last.models is not None:
            kept = Kept(running.number, last.values, last.models)
            self._keeper.offer(kept, complete=complete)

    def _tell(self, trial: Any, state: TrialState, values: Sequence[float] | None) -> None:
        told = self._study.tell(trial, values, state=state)
        self._known.add(told.number)
        self._progress.ended(self._keeper.values, self.failed)
        for callback in self._callbacks:
            callback(self._study, told)


def _up_to(step: int, value: float, record: FrozenTrial) -> FrozenTrial:
    """What pruners shall see: a searcher that died may have reported later steps before."""
    seen = copy.copy(record)
    earlier = {s: v for s, v in record.intermediate_values.items() if s < step}
    seen.intermediate_values = earlier | {step: value}
    return seen


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
