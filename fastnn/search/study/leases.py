"""Claims: which trials of a study this searcher runs, so that each is run by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from .heartbeats import Searchers
from .sampler_view import LearningStudy
from .storages import OWNER, Storage
from .studies import CUT_SHORT


@dataclass(frozen=True)
class Survey:
    """How a study stands.

    Attributes
    ----------
    free : int or None
        Trials that may begin; None if there is no limit.
    elsewhere : int
        Those that other searchers have, who seem to live.
    """

    free: int | None
    elsewhere: int


class Claims:
    """The trials of a study that this searcher has, and those that it may take.

    A trial that nobody has, or a searcher that died, is run again under its own number, and so
    with its own parameters, seeds and bracket: in the end, the study is what it would have been.

    Parameters
    ----------
    storage : Storage
    study : optuna.Study
    searchers : Searchers
    total : int or None
        Trials that the study shall hold: those with lower numbers than that.
    """

    def __init__(
        self, storage: Storage, study: optuna.Study, searchers: Searchers, total: int | None
    ):
        self._storage, self._study, self._searchers = storage, study, searchers
        self._study_id = storage.study_id(study)
        self.total = total
        self._begun = 0

    @property
    def shared(self) -> bool:
        """Whether other searchers may be at the same study."""
        return self._storage.shared

    def survey(self) -> Survey:
        """How things stand."""
        begun, trials = self._look()
        abandoned = sum(map(self._abandoned, trials))
        return Survey(
            None if self.total is None else abandoned + max(0, self.total - begun),
            sum(map(self._elsewhere, trials)),
        )

    def take(self, wanted: int) -> Iterator[optuna.Trial]:
        """So many trials, or as many as there are: first those that nobody has any more."""
        for trial in filter(self._abandoned, self._look()[1]):
            if not wanted:
                return
            if (taken := self._take_over(trial)) is not None:
                wanted -= 1
                yield taken
        while wanted and (self.total is None or self._look()[0] < self.total):
            trial_id = self._storage.base.create_new_trial(self._study_id, self._template())
            number = self._storage.base.get_trial(trial_id).number
            self._begun = number + 1
            if self.total is not None and number >= self.total:
                self._release(trial_id)  # another searcher was faster; kept for a longer search
                return
            wanted -= 1
            yield self._trial(trial_id)

    def record(self, trial: optuna.Trial) -> FrozenTrial | None:
        """What the study knows of a trial of this searcher; None if another one has it now.

        That happens to those who were taken for dead, after a computer was asleep for instance.
        """
        known = self._storage.base.get_trial(self._id(trial))
        return known if known.system_attrs.get(OWNER) == self._searchers.name else None

    def release(self, trial: optuna.Trial) -> None:
        """Let go of a trial that has not ended; whoever comes first runs it again."""
        self._release(self._id(trial))

    def release_all(self) -> None:
        """Let go of all trials that have not ended."""
        for trial in self._look()[1]:
            if trial.system_attrs.get(OWNER) == self._searchers.name:
                self._release(self._id(trial))

    def _look(self) -> tuple[int, list[FrozenTrial]]:
        """How many trials have begun, and those of the search that have not ended.

        In a storage that is not shared, all are this searcher's.
        """
        if not self._storage.shared:
            return self._begun, []
        self._searchers.look()
        trials = self._study.get_trials(deepcopy=False)
        within = trials if self.total is None else trials[: self.total]
        return len(trials), [trial for trial in within if not trial.state.is_finished()]

    def _id(self, trial: optuna.Trial | FrozenTrial) -> int:
        return self._storage.base.get_trial_id_from_study_id_trial_number(
            self._study_id, trial.number
        )

    def _elsewhere(self, trial: FrozenTrial) -> bool:
        """Whether another searcher has a trial, who seems to live."""
        owner = trial.system_attrs.get(OWNER)
        return owner not in (None, self._searchers.name) and not self._searchers.dead(owner)

    def _abandoned(self, trial: FrozenTrial) -> bool:
        """Whether anybody may take a trial that has not ended."""
        owner = trial.system_attrs.get(OWNER)
        if owner is None:  # or run by Optuna alone, of which we cannot know
            return trial.state == TrialState.WAITING
        return self._searchers.dead(owner)

    def _take_over(self, trial: FrozenTrial) -> optuna.Trial | None:
        """A trial that was abandoned, if nobody else was faster; its time begins anew."""
        storage, trial_id = self._storage, self._id(trial)
        if not storage.hand_over(trial_id, trial, self._searchers.name):
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
        """A trial that is under way from the start, so that it is never without an owner."""
        owner = {OWNER: self._searchers.name}
        return optuna.trial.create_trial(state=TrialState.RUNNING, system_attrs=owner)

    def _trial(self, trial_id: int) -> optuna.Trial:
        """A trial to ask for parameters, of a study of its own: studies remember other trials."""
        study = LearningStudy(
            self._study.study_name, self._storage.base, self._study.sampler, self._study.pruner
        )
        return optuna.Trial(study, trial_id)
