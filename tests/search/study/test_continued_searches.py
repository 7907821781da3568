"""Searches that go on with the study of an earlier one."""

import optuna
import pytest
from small_searches import assert_same, run

from fastnn import ArgumentError
from fastnn.errors import NotBuiltError
from fastnn.search import log_uniform

RATES = {"rate": log_uniform(1e-3, 1.0)}


@pytest.fixture
def storage():
    return optuna.storages.InMemoryStorage()


def test_a_search_goes_on_with_what_the_storage_holds(storage):
    run(RATES, trials=4, storage=storage)
    result = run(RATES, trials=9, storage=storage)
    assert result.trials.drop(columns="seconds").equals(
        run(RATES, trials=9).trials.drop(columns="seconds")
    )
    again = run(RATES, trials=9, storage=storage, refit=True)
    assert len(again.trials) == 9
    assert again.best.models is None
    assert again.best_network.state.epoch == 2
    again.refitted = None
    with pytest.raises(NotBuiltError, match=r"another process trained it, .* refit=True"):
        _ = again.best_network


def test_the_stored_seed_is_taken_where_none_is_given(storage):
    one = run(RATES, trials=2, storage=storage, seed=None)
    other = run(RATES, trials=4, storage=storage, seed=None)
    assert one.seed == other.seed
    assert_same(
        run(RATES, trials=4, seed=one.seed, refit=False), run(RATES, trials=4, seed=one.seed)
    )
    assert other.trials["params_rate"].equals(
        run(RATES, trials=4, seed=one.seed).trials["params_rate"]
    )


def test_samplers_that_learn_do_not_begin_anew(storage):
    run(RATES, trials=3, sampler="tpe", storage=storage)
    rates = run(RATES, trials=6, sampler="tpe", storage=storage).trials["params_rate"]
    assert len(set(rates)) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": {"rate": log_uniform(1e-2, 1.0)}}, "its space is .*0.001.*, not .*0.01"),
        ({"objective": "accuracy"}, "its objective is .*val_loss.*, not .*accuracy"),
        ({"epochs": 3}, "its epochs is 2, not 3"),
    ],
)
def test_the_study_of_another_search_is_refused(storage, change, message):
    run(RATES, trials=1, storage=storage)
    with pytest.raises(ArgumentError, match=message):
        run(**{"space": RATES, "trials": 2, "storage": storage} | change)
    renamed = run(**{"space": RATES, "trials": 2, "storage": storage, "study_name": "b"} | change)
    assert len(renamed.trials) == 2


def test_a_study_that_is_not_ours_is_refused(storage):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(storage=storage, study_name="fastnn").ask()
    with pytest.raises(ArgumentError, match=r"'fastnn' was not made by fastnn.search"):
        run(RATES, storage=storage)
