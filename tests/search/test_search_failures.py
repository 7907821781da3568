"""Trials that fail: they are recorded, and the others go on."""

import numpy as np
import optuna
import pytest
from small_searches import build, fails_for_two_units, run

import fastnn
from fastnn import SearchError


def test_a_failing_trial_is_recorded_and_the_search_goes_on():
    result = run(build=fails_for_two_units, sampler="grid", trials=None)
    failed = result.trials["state"] == "fail"
    assert failed.tolist() == (result.trials["params_units"] == 2).tolist()
    assert set(result.trials.loc[failed, "error"]) == {"OSError: no room for two"}
    assert result.trials.loc[~failed, "error"].isna().all()
    fail = optuna.trial.TrialState.FAIL
    assert len(result.study.get_trials(states=[fail])) == failed.sum() == 2
    assert "2 failed" in repr(result)
    clean = run(sampler="grid", trials=None).trials
    assert result.trials.loc[~failed, "val_loss"].equals(clean.loc[~failed, "val_loss"])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_divergence_is_a_failure_of_one_trial(asynchronous):
    def wild(params):
        network = build(params)
        if params["units"] == 8:
            network = fastnn.Network(
                [fastnn.Dense(8), fastnn.Dense(3)],
                loss="softmax_cross_entropy",
                optimizer=fastnn.SGD(1e30),
            )
        return network

    result = run(build=wild, sampler="grid", trials=None, asynchronous=asynchronous)
    errors = result.trials.loc[result.trials["params_units"] == 8, "error"]
    assert errors.str.startswith("DivergenceError: training diverged in epoch 1").all()
    assert (result.trials["state"] == "complete").sum() == 4


def test_a_network_that_does_not_fit_the_data_does_not_take_others_along():
    def narrow(params):
        if params["units"] == 4:
            return fastnn.Network([fastnn.Dense(2)], loss="softmax_cross_entropy")  # of 3 classes
        return build(params)

    result = run(build=narrow, sampler="grid", trials=None)
    clean = run(sampler="grid", trials=None).trials
    good = result.trials["state"] == "complete"
    assert (result.trials["params_units"] != 4).equals(good)
    assert result.trials.loc[good, "val_loss"].equals(clean.loc[good, "val_loss"])


def test_failures_of_a_space_and_of_a_scorer_are_failures_of_trials():
    def space(trial):
        units = trial.suggest_categorical("units", [2, 4])
        if trial.number == 4:
            raise KeyError("four")
        return {"units": units}

    def scorer(estimator, X, y):
        if len(estimator.network.get_weights()[0][0]) == 2:
            raise ZeroDivisionError("two")
        return 1.0

    result = run(space, objective=scorer)
    assert result.trials["error"][4] == "KeyError: 'four'"
    two = result.trials["params_units"] == 2
    two[4] = False
    assert set(result.trials.loc[two, "error"]) == {"ZeroDivisionError: two"}


def test_values_that_are_not_finite_are_failures():
    scores = iter([1.0, np.nan, np.inf])
    result = run(objective=lambda estimator, X, y: next(scores), trials=3)
    assert result.trials["state"].tolist() == ["complete", "fail", "fail"]
    assert result.trials["error"][1].endswith("is nan")


def test_a_search_in_which_all_fail_raises_the_first_error():
    def scorer(estimator, X, y):
        raise ZeroDivisionError("nothing")

    with pytest.raises(
        SearchError, match="all 6 trials failed; the first: ZeroDivisionError: no"
    ) as e:
        run(objective=scorer)
    assert isinstance(e.value.__cause__, ZeroDivisionError)
