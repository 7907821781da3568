"""Trials as samplers see them: failed ones are the worst, those of other searches count."""

import optuna
import pytest
from optuna.trial import TrialState
from small_searches import build, run

from fastnn.search import log_uniform, uniform
from fastnn.search.space import samplers

#: Half of it is too much.
WIDE = {"rate": log_uniform(1e-3, 1e3)}


class Watching(optuna.samplers.RandomSampler):
    """Notes which trials it could learn from."""

    def __init__(self):
        super().__init__(0)
        self.seen = []

    def infer_relative_search_space(self, study, trial):
        self.seen = study.get_trials(deepcopy=False)
        chosen = study.get_trials(states=(TrialState.COMPLETE,))
        assert chosen == [t for t in self.seen if t.state == TrialState.COMPLETE]
        return {}


def fails_above_one(params):
    if params["rate"] > 1:
        raise FloatingPointError("the loss is nan")
    return build({"rate": params["rate"]})


@pytest.mark.parametrize("objective", ["val_loss", "accuracy", ["accuracy", "parameters"]])
def test_samplers_see_failed_trials_as_the_worst_and_the_study_keeps_them(objective):
    sampler = Watching()
    result = run(WIDE, fails_above_one, trials=20, sampler=sampler, objective=objective, seed=2)
    kept = {trial.number: trial for trial in result.study.trials}
    failed = [n for n, trial in kept.items() if trial.state == TrialState.FAIL and n < 16]
    assert failed
    assert all(kept[number].values is None for number in failed)
    seen = {trial.number: trial for trial in sampler.seen}
    complete = [t for t in sampler.seen if t.state == TrialState.COMPLETE]
    good = [t.values for t in complete if t.number not in failed]
    signs = [
        -1 if d == optuna.study.StudyDirection.MAXIMIZE else 1 for d in result.study.directions
    ]
    for number in failed:
        assert seen[number].state == TrialState.COMPLETE
        for i, sign in enumerate(signs):
            assert sign * seen[number].values[i] == max(sign * values[i] for values in good)


def test_failed_trials_without_parameters_are_ignored_by_samplers():
    def space(trial):
        rate = trial.suggest_float("rate", 1e-3, 1.0)
        if trial.number % 2:
            raise ValueError("no second parameter")
        return {"rate": rate}

    sampler = Watching()
    run(space, trials=10, sampler=sampler, concurrent_trials=1)
    assert {t.number: t.state for t in sampler.seen}[7] == TrialState.FAIL


@pytest.mark.parametrize("sampler", ["tpe", "cma"])
def test_samplers_avoid_regions_where_trials_fail(sampler):
    options = {"build": fails_above_one, "trials": 64, "epochs": 1}
    space = (
        {**WIDE, "momentum": [0.0, 0.5]}
        if sampler == "tpe"
        else {**WIDE, "momentum": log_uniform(0.1, 0.9)}
    )
    failed = {
        name: sum(
            (run(space, sampler=name, seed=seed, **options).trials["state"] == "fail")[32:].sum()
            for seed in (2, 4, 6)
        )
        for name in (sampler, "random")
    }
    assert failed[sampler] < failed["random"]


def test_tpe_draws_choices_at_random_now_and_then():
    space = {"rate": log_uniform(1e-4, 1.0), "units": [2, 4, 8], "kind": list("abcdefgh")}
    options = {"trials": 24, "epochs": 1, "seed": 3}
    tpe = run(space, sampler="tpe", **options).trials
    random = run(space, sampler="random", **options).trials
    choices = (tpe[["params_units", "params_kind"]] == random[["params_units", "params_kind"]]).all(
        axis=1
    )
    explores = tpe.index % samplers.EXPLORATION_PERIOD == samplers.EXPLORATION_PERIOD - 1
    assert choices[explores].all()
    assert not choices[~explores].all()
    assert not (tpe["params_rate"] == random["params_rate"]).any()


def test_tpe_comes_back_from_a_choice_that_was_lucky():
    """Ten trials at random find one kind to be good, which is the worse one at its best."""

    def value(estimator, X, y):
        return estimator.network.tag

    def build_tagged(params):
        network = build({})
        distance = abs(params["x"] - 0.3)
        lucky = {"a": 0.5 + 0.1 * distance}
        network.tag = lucky.get(params["kind"], 2 * distance)
        return network

    space = {"x": uniform(0.0, 1.0), "kind": list("abcdefgh")}
    options = {"objective": value, "direction": "minimize", "sampler": "tpe", "epochs": 1}
    best = [
        run(space, build_tagged, trials=48, seed=seed, **options).best.params["kind"]
        for seed in range(3)
    ]
    assert "a" not in best
