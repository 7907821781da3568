"""Leases of trials: each trial of a study is run by one search at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from ...runtime.interrupts import DeferredInterrupt
from .heartbeats import Heartbeats
from .sampler_view import SamplerStudy
from .storages import OWNER, Storage
from .studies import CUT_SHORT


@dataclass(frozen=True)
class LeaseStatus:
    """The number of trials that a search may run.

    Attributes
    ----------
    free : int or None
        Trials that may begin; None without a limit.
    held_by_others : int
        Unfinished trials that other live searches own.
    """

    free: int | None
    held_by_others: int


class TrialLeases:
    """The trials of a study that this search holds or may acquire.

    A trial without owner, or of a dead search, is run again under its own number, and so with its
    own parameters, seeds and bracket: the finished study is the same as without the interruption.

    Parameters
    ----------
    storage : Storage
    study : optuna.Study
    heartbeats : Heartbeats
    total : int or None
        Limit of the trial numbers, exclusive.

    Attributes
    ----------
    interrupt : DeferredInterrupt
        Makes Ctrl-C wait while a trial changes, or the storage would be inconsistent.
    """

    def __init__(
        self, storage: Storage, study: optuna.Study, heartbeats: Heartbeats, total: int | None
    ):
        self._storage, self.study, self._heartbeats = storage, study, heartbeats
        self._study_id = storage.study_id(study)
        self.total = total
        self.interrupt = DeferredInterrupt()
        self._begun = 0

    @property
    def shared(self) -> bool:
        """True if other searches may use the same study."""
        return self._storage.shared

    def status(self) -> LeaseStatus:
        """Return how many trials may begin, and how many other searches hold."""
        begun, trials = self._unfinished()
        abandoned = sum(map(self._is_free, trials))
        return LeaseStatus(
            None if self.total is None else abandoned + max(0, self.total - begun),
            sum(map(self._is_held_by_another, trials)),
        )

    def acquire(self, wanted: int) -> Iterator[optuna.Trial]:
        """Yield trials to run, at most `wanted`: abandoned ones first, then new ones."""
        for trial in filter(self._is_free, self._unfinished()[1]):
            if not wanted:
                return
            if (taken := self._take_over(trial)) is not None:
                wanted -= 1
                yield taken
        while wanted and (self.total is None or self._unfinished()[0] < self.total):
            trial_id = self._storage.base.create_new_trial(self._study_id, self._template())
            number = self._storage.base.get_trial(trial_id).number
            self._begun = number + 1
            if self.total is not None and number >= self.total:
                self._release(trial_id)  # another search was faster; kept for a longer search
                return
            wanted -= 1
            yield self._trial(trial_id)

    def record(self, trial: optuna.Trial) -> FrozenTrial | None:
        """Return the stored state of a trial; None if another search owns it now.

        A search loses its trials if others take it for dead, for instance after the computer slept.
        """
        known = self._storage.base.get_trial(self._id(trial))
        return known if known.system_attrs.get(OWNER) == self._heartbeats.name else None

    def release(self, trial: optuna.Trial) -> None:
        """Give up an unfinished trial; any search may run it again."""
        self._release(self._id(trial))

    def release_all(self) -> None:
        """Give up all unfinished trials."""
        for trial in self._unfinished()[1]:
            if trial.system_attrs.get(OWNER) == self._heartbeats.name:
                self._release(self._id(trial))

    def _unfinished(self) -> tuple[int, list[FrozenTrial]]:
        """Return the number of trials, and those below the limit that have not ended.

        In a storage that is not shared, the latter are left out: this search runs all of them.
        """
        if not self._storage.shared:
            return self._begun, []
        self._heartbeats.refresh()
        trials = self.study.get_trials(deepcopy=False)
        within = trials if self.total is None else trials[: self.total]
        return len(trials), [trial for trial in within if not trial.state.is_finished()]

    def _id(self, trial: optuna.Trial | FrozenTrial) -> int:
        return self._storage.base.get_trial_id_from_study_id_trial_number(
            self._study_id, trial.number
        )

    def _is_held_by_another(self, trial: FrozenTrial) -> bool:
        """Return whether another live search owns a trial."""
        owner = trial.system_attrs.get(OWNER)
        return owner not in (None, self._heartbeats.name) and not self._heartbeats.is_dead(owner)

    def _is_free(self, trial: FrozenTrial) -> bool:
        """Return whether any search may acquire an unfinished trial."""
        owner = trial.system_attrs.get(OWNER)
        if owner is None:  # or run by Optuna itself, which has no owners
            return trial.state == TrialState.WAITING
        return self._heartbeats.is_dead(owner)

    def _take_over(self, trial: FrozenTrial) -> optuna.Trial | None:
        """Acquire an abandoned trial and restart it; return None if another search was faster."""
        storage, trial_id = self._storage, self._id(trial)
        if not storage.change_owner(trial_id, trial, self._heartbeats.name):
            return None
        if trial.state == TrialState.RUNNING:
            storage.base.set_trial_state_values(trial_id, TrialState.WAITING)
        if not storage.base.set_trial_state_values(trial_id, TrialState.RUNNING):
            return None
        if trial.user_attrs.get(CUT_SHORT):
            storage.base.set_trial_user_attr(trial_id, CUT_SHORT, None)
        return self._trial(trial_id)

    def _release(self, trial_id: int) -> None:
        self._storage.base.set_trial_state_values(trial_id, TrialState.WAITING)
        self._storage.base.set_trial_system_attr(trial_id, OWNER, None)

    def _template(self) -> FrozenTrial:
        """Return a running trial with an owner, so that a new one is never without."""
        owner = {OWNER: self._heartbeats.name}
        return optuna.trial.create_trial(state=TrialState.RUNNING, system_attrs=owner)

    def _trial(self, trial_id: int) -> optuna.Trial:
        """Return a trial to draw from, with a study of its own: studies cache other trials."""
        study = SamplerStudy(
            self.study.study_name, self._storage.base, self.study.sampler, self.study.pruner
        )
        return optuna.Trial(study, trial_id)
