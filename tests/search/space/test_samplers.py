"""Trials that samplers propose: coverage of grids, repetition, independence of the workers."""

import itertools

import numpy as np
import optuna
import pytest
from small_searches import SPACE, assert_same, build, run

from fastnn import ArgumentError
from fastnn.errors import ArgumentTypeError
from fastnn.search import integers, log_uniform, momentum

CONTINUOUS = {
    "units": integers(2, 8),
    "rate": log_uniform(0.01, 0.3),
    "momentum": momentum(0.5, 0.9),
}


def params(result):
    frame = result.trials
    names = [name for name in frame if name.startswith("params_")]
    return list(map(tuple, frame[names].to_numpy()))


def test_a_grid_is_covered_exactly_once():
    result = run(sampler="grid", trials=None)
    expected = list(itertools.product(*SPACE.values()))
    assert sorted(params(result)) == sorted(expected)
    assert len(result.trials) == len(expected)


def test_part_of_a_grid_is_a_sample_without_repetition():
    result = run(sampler="grid", trials=4)
    assert len(set(params(result))) == 4
    assert params(run(sampler="grid", trials=100, seed=1)) != params(run(sampler="grid", seed=2))


@pytest.mark.parametrize("sampler", ["random", "grid", "qmc"])
def test_trials_of_samplers_that_do_not_learn_are_the_same_for_any_number_of_workers(sampler):
    space = SPACE if sampler == "grid" else CONTINUOUS
    reference = run(space, sampler=sampler, threads=1, concurrent_trials=1)
    for threads, size in [(1, 6), (2, 4), (3, 2)]:
        assert_same(reference, run(space, sampler=sampler, threads=threads, concurrent_trials=size))
    assert_same(reference, run(space, sampler=sampler, asynchronous=True))


@pytest.mark.parametrize("sampler", ["tpe", "cma"])
def test_samplers_that_learn_repeat_with_the_seed(sampler):
    options = {"sampler": sampler, "trials": 20, "epochs": 1}
    reference = run(CONTINUOUS, threads=1, **options)
    assert_same(reference, run(CONTINUOUS, threads=2, **options))
    assert params(reference) != params(run(CONTINUOUS, **options, seed=1))


def test_adaptive_samplers_prefer_regions_of_good_values():
    def tagged(params):
        network = build({})
        network.tag = params["x"]
        return network

    def distance(estimator, X, y):
        return abs(np.log10(estimator.network.tag) + 3)

    space = {"x": log_uniform(1e-6, 1.0)}
    options = {"objective": distance, "direction": "minimize", "trials": 48, "epochs": 1}
    values = run(space, tagged, sampler="tpe", **options).trials["distance"].to_numpy()
    assert values[24:].mean() < 1.5 / 2  # the mean of draws is 1.5


def test_random_values_are_functions_of_seed_trial_and_name_alone():
    result = run(CONTINUOUS)
    again = run({name: CONTINUOUS[name] for name in reversed(CONTINUOUS)})
    for name in CONTINUOUS:
        column = f"params_{name}"
        assert result.trials[column].equals(again.trials[column])
        assert len(set(result.trials[column])) > 1
    longer = run(CONTINUOUS, trials=8)
    assert params(longer)[:6] == params(result)


def test_unseeded_searches_differ_and_tell_their_seed():
    one, other = (run(CONTINUOUS, seed=None) for _ in range(2))
    assert one.seed != other.seed
    assert_same(one, run(CONTINUOUS, seed=one.seed))


def test_samplers_of_optuna_are_taken_as_they_are():
    sampler = optuna.samplers.RandomSampler(seed=5)
    assert run(CONTINUOUS, sampler=sampler).study.sampler is sampler


def test_conditional_spaces_ask_for_what_there_is():
    def space(trial):
        layers = trial.suggest_int("layers", 1, 3)
        return {"units": [trial.suggest_int(f"units_{i}", 2, 5) for i in range(layers)]}

    seen = []

    def remember(params):
        seen.append(params["units"])
        return build({"units": params["units"][0]})

    result = run(space, remember, trials=12)
    assert {len(units) for units in seen} == {1, 2, 3}
    for trial in result.study.trials:
        asked = ["layers", *(f"units_{i}" for i in range(trial.params["layers"]))]
        assert list(trial.params) == asked
    best = result.study.best_trial.params
    assert result.best_params == {"units": [best[f"units_{i}"] for i in range(best["layers"])]}


def test_a_function_may_leave_its_answer_to_the_trial():
    def space(trial):
        trial.suggest_categorical("units", [2, 4])
        momentum(0.5, 0.9).suggest(trial, "momentum")

    def plain(trial):
        return {"units": trial.suggest_categorical("units", [2, 4])}

    assert set(run(plain).best_params) == {"units"}
    assert set(run(space).best_params) == {"units", "1 - momentum"}


@pytest.mark.parametrize(
    ("space", "options", "error", "message"),
    [
        (CONTINUOUS, {"sampler": "grid"}, ArgumentError, "needs the values of space.'rate'. as a"),
        (lambda trial: {}, {"sampler": "grid"}, ArgumentError, "a dict of lists, got a function"),
        (SPACE, {"sampler": "tpee"}, ArgumentError, "unknown sampler 'tpee': did you mean 'tpe'"),
        (SPACE, {"sampler": 3}, ArgumentTypeError, "sampler must be a name or a sampler of Optuna"),
        ({}, {}, ArgumentError, "space is empty"),
        ([], {}, ArgumentTypeError, "space must be a dict .* got list"),
        ({1: [2]}, {}, ArgumentTypeError, "names in space must be strings, got 1"),
        (lambda trial: 3, {}, ArgumentTypeError, "space must return a dict of parameters.* int"),
        (
            lambda trial: {"rate": trial.suggest_float("rate", 0, 1, log=True)},
            {},
            ArgumentError,
            "no draw of 3 .*space raised ValueError",
        ),
    ],
)
def test_spaces_and_samplers_that_cannot_be_used_are_refused(space, options, error, message):
    with pytest.raises(error, match=message):
        run(space, **options)
