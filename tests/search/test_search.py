"""A search as a whole: its arguments, its end, its result and its surroundings."""

import subprocess
import sys

import numpy as np
import optuna
import pytest
from sklearn.linear_model import LogisticRegression
from small_searches import SPACE, X, Y, build, fails_for_two_units, run

import fastnn
from fastnn import ArgumentError
from fastnn.errors import ArgumentTypeError, MissingDependencyError, NotBuiltError
from fastnn.search import log_uniform, searching
from fastnn.search.workers import local

RATES = {"rate": log_uniform(1e-3, 1.0)}


def test_the_best_network_has_the_weights_of_its_value():
    result = run(epochs=4)
    frame = result.trials
    assert result.best.number == frame["val_loss"].idxmin()
    assert result.best_params == {
        name: frame.loc[result.best.number, f"params_{name}"] for name in SPACE
    }
    assert result.best_network.history["val_loss"][-1] == result.best_value
    assert repr(result) == f"SearchResult(6 trials, best val_loss {result.best_value:.5g})"


def test_the_data_frame_has_all_trials():
    frame = run(trials=3).trials
    assert list(frame) == [
        "state", "val_loss", "params_units", "params_rate", "epochs", "seconds", "error"
    ]  # fmt: skip
    assert frame.index.name == "number"
    assert (frame["seconds"] > 0).all()
    assert frame["error"].isna().all()


# --------------------------------------------------------------------- before the first trial


def broken(params):
    raise OSError("never")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"build": None}, ArgumentTypeError, "build must be a function of the parameters"),
        ({"build": lambda p: p}, ArgumentTypeError, "build must return a fastnn.Network or an est"),
        ({"build": lambda p: None}, ArgumentTypeError, "build must return .*got None"),
        ({"build": lambda p: LogisticRegression}, ArgumentTypeError, "build must return"),
        ({"build": broken}, ArgumentError, r"no draw of 3 .*build\(.*\) raised OSError: never"),
        ({"trials": None}, ArgumentError, "give trials, timeout or both"),
        ({"trials": 0}, ArgumentError, "trials must be an integer >= 1"),
        ({"timeout": 0}, ArgumentError, "timeout must be a finite number > 0"),
        ({"epochs": 0}, ArgumentError, "epochs must be an integer >= 1"),
        ({"concurrent_trials": 0}, ArgumentError, "concurrent_trials must be"),
        ({"threads": 0}, ArgumentError, "threads must be"),
        ({"verbose": 2}, ArgumentError, "verbose must be"),
        ({"refit": 1}, ArgumentTypeError, "refit must be True or False"),
        ({"asynchronous": "yes"}, ArgumentTypeError, "asynchronous must be True or False"),
        ({"seed": -1}, ArgumentError, "seed must be"),
        ({"callbacks": [3]}, ArgumentTypeError, "callbacks must hold functions of .study, trial."),
        (
            {"callbacks": print},
            ArgumentTypeError,
            "callbacks must hold functions of .study, trial.",
        ),
        ({"trials": "8"}, ArgumentTypeError, "trials must be an integer >= 1, got '8'"),
        ({"trials": "8", "sampler": "grid"}, ArgumentTypeError, "trials must be an integer >= 1"),
        ({"timeout": "5m"}, ArgumentTypeError, "timeout must be a finite number > 0, got '5m'"),
        ({"batch_size": 0}, ArgumentError, "batch_size must be an integer >= 1, got 0"),
        ({"study_name": 3}, ArgumentTypeError, "study_name must be a string, got 3"),
        ({"study_name": ""}, ArgumentError, "study_name is empty"),
        ({"space": lambda trial: {}}, ArgumentError, "space raised .*there is nothing to search"),
        (
            {"space": lambda trial: trial.suggest_float("a", 0, 1, log=True)},
            ArgumentError,
            "space raised ValueError: .*low",
        ),
        (
            {"validation_data": (X[:, :2], Y)},
            ArgumentError,
            "validation_data for the network of build.* X has 2 features",
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        run(**arguments)


def test_data_that_the_networks_cannot_take_are_refused():
    def wide(params):
        return fastnn.Network(
            [fastnn.Dense(4, input_size=7), fastnn.Dense(3)], loss="softmax_cross_entropy"
        )

    with pytest.raises(ArgumentError, match=r"the network of build.* raised ArgumentError: .*7"):
        run(build=wide)
    with pytest.raises(ArgumentError, match="X and y do not fit"):
        searching.search(build, SPACE, X, Y[:-1], trials=1)
    spoiled = X.copy()
    spoiled[3, 0] = np.nan
    with pytest.raises(ArgumentError, match=r"X\[3, 0\] is nan"):
        searching.search(build, SPACE, spoiled, Y, trials=1)


def test_one_unlucky_draw_does_not_end_a_search():
    first = []

    def moody(params):
        first.append(params)
        if len(first) == 1:
            raise OSError("not yet")
        return build(params)

    assert (run(build=moody).trials["state"] == "complete").all()


# ------------------------------------------------------------------------------- time, Ctrl-C


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("pruner", ["none", "halving"])
def test_timeout_ends_the_search_with_what_there_is(asynchronous, pruner):
    result = run(
        RATES,
        trials=None,
        timeout=0.3,
        epochs=100_000,
        pruner=pruner,
        min_epochs=10,
        asynchronous=asynchronous,
        concurrent_trials=4,
    )
    assert set(result.trials["state"]) <= {"cut short", "pruned"}
    assert result.best_network.state.epoch == result.best.epochs
    assert 1 <= result.best.epochs < 100_000


def test_many_short_trials_until_time_is_up():
    result = run(RATES, trials=None, timeout=0.3, concurrent_trials=4)
    assert (result.trials["state"] == "complete").sum() >= 4


@pytest.mark.parametrize("asynchronous", [False, True])
def test_ctrl_c_returns_what_there_is(asynchronous):
    def interrupt(study, trial):
        if trial.number == 3:
            raise KeyboardInterrupt

    options = {"concurrent_trials": 2, "asynchronous": asynchronous, "refit": True}
    result = run(trials=50, callbacks=[interrupt], **options)
    assert result.interrupted
    complete = result.trials.index[result.trials["state"] == "complete"]
    assert {0, 1, 2, 3} <= set(complete)
    assert len(result.trials) < 50
    running = optuna.trial.TrialState.RUNNING
    assert all(trial.state != running for trial in result.study.trials)
    clean = run().trials
    assert result.trials["val_loss"][:4].equals(clean["val_loss"][:4])


def test_ctrl_c_before_anything_is_finished_is_raised():
    def interrupt(estimator, X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(objective=interrupt)


# ---------------------------------------------------------------------------- the surroundings


def test_callbacks_are_called_as_optuna_calls_them():
    seen = []
    result = run(callbacks=[lambda study, trial: seen.append((study, trial.number))])
    assert [number for _, number in seen] == list(range(6))
    assert seen[0][0] is result.study


def test_the_bar_shows_progress(capsys):
    run(verbose=1, build=fails_for_two_units, sampler="grid", trials=None)
    shown = capsys.readouterr().err
    assert "6/6" in shown
    assert "trials/s" in shown
    assert "best=" in shown
    assert "failed=2" in shown
    run(verbose=1, objective=["val_loss", "parameters"])
    assert "front=" in capsys.readouterr().err
    run()
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_without_cross_validation_refit_says_what_to_do():
    result = run(cv=3, trials=1)
    with pytest.raises(NotBuiltError, match="a network for each fold"):
        _ = result.best_network


def test_what_build_hands_out_is_never_trained():
    network = build({}).build(4)
    before = network.parameters.copy()
    result = run({"unused": [1, 2]}, lambda params: network, cv=3, trials=2)
    assert np.array_equal(network.parameters, before)
    assert network.state.step == 0
    assert all(model.state.epoch == 2 for model in result.best.models)


def test_a_seed_of_the_networks_own_is_kept():
    def seeded(params):
        return fastnn.Network([fastnn.Dense(3)], loss="softmax_cross_entropy", seed=7)

    assert run({"unused": [1]}, seeded, trials=1).best_network.seed == 7
    unseeded = [run({"unused": [1]}, lambda p: build({}), trials=1, seed=s) for s in (0, 0, 1)]
    seeds = [result.best_network.seed for result in unseeded]
    assert seeds[0] == seeds[1] != seeds[2]


def test_optuna_is_imported_only_by_a_search(monkeypatch):
    program = "import sys, fastnn.search; print('optuna' in sys.modules, 'sklearn' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["False", "False"]
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[search\]"'):
        run()


def test_ctrl_c_never_returns_weights_without_their_value(monkeypatch):
    calls = []

    def interrupted(networks, *arguments, **options):
        calls.append(len(networks))
        if len(calls) == 2:
            networks[0].train_on_batch(X, Y)
            raise KeyboardInterrupt
        return fastnn.fit_population(networks, *arguments, **options)

    monkeypatch.setattr(local, "fit_population", interrupted)
    result = run(RATES, trials=9, pruner="halving", epochs=3)
    assert result.interrupted
    assert (result.trials["state"] == "cut short").sum() == 3
    assert result.best.models is None
    with pytest.raises(NotBuiltError, match="training went on and was interrupted"):
        _ = result.best_network
