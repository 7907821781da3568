"""Rungs: who goes on, for how long, and that going on is the same as never having stopped."""

import gc
import itertools
import weakref

import numpy as np
import optuna
import pytest
from small_searches import SPACE, X, Y, assert_same, build, run

from fastnn import ArgumentError, fit_population
from fastnn.data.data_set import split_rows
from fastnn.errors import ArgumentTypeError
from fastnn.runtime.random_streams import seeded
from fastnn.search import log_uniform
from fastnn.search.space.pruners import SuccessiveHalving, geometric, pruning_of
from fastnn.search.workers import local

SPACE_OF_RATES = {"rate": log_uniform(1e-4, 1.0)}


def alone(result, number, epochs):
    """A trial's network trained by itself in one go, and its validation losses, epoch by epoch."""
    trial = result.study.trials[number]
    with seeded(result.seed, number):
        network = build(result.space.params(trial))
    train, held_out = split_rows(len(X), 0.2, result.seed)
    validation = (X[held_out], Y[held_out])
    history = network.fit(X[train], Y[train], epochs=epochs, validation_data=validation, verbose=0)
    return network, history["val_loss"]


def test_halving_by_hand():
    """9 trials: all for 1 epoch, the best 3 for 3, the best of those for 9."""
    result = run(SPACE_OF_RATES, trials=9, pruner="halving", epochs=9)
    losses = np.array([alone(result, number, 9)[1] for number in range(9)])
    first = np.argsort(losses[:, 0])[:3]
    winner = first[np.argmin(losses[first, 2])]
    epochs = np.ones(9, int)
    epochs[first] = 3
    epochs[winner] = 9
    assert result.trials["epochs"].tolist() == epochs.tolist()
    assert result.best.number == winner
    assert result.best_value == losses[winner, 8]
    assert (result.trials["state"] == "complete").sum() == 1
    expected = losses[np.arange(9), epochs - 1]
    assert result.trials["val_loss"].tolist() == expected.tolist()


def test_continuing_is_training_through_bit_for_bit():
    result = run(SPACE_OF_RATES, trials=9, pruner="halving", epochs=9)
    network, _ = alone(result, result.best.number, 9)
    assert np.array_equal(network.parameters, result.best_network.parameters)
    assert network.state.step == result.best_network.state.step
    assert list(network.history["loss"]) == list(result.best_network.history["loss"])


def test_the_outcome_does_not_depend_on_threads():
    options = {"trials": 9, "pruner": "hyperband", "epochs": 9, "sampler": "tpe"}
    assert_same(run(threads=1, **options), run(threads=2, **options))


def test_maximised_objectives_keep_the_largest():
    result = run(SPACE_OF_RATES, trials=9, pruner="halving", epochs=3, objective="accuracy")
    frame = result.trials
    reported = [t.intermediate_values[1] for t in result.study.trials]
    stayed = frame.index[frame["epochs"] == 3]
    assert len(stayed) == 3
    assert sorted(reported)[-3:] == sorted(reported[number] for number in stayed)


def test_folds_are_pruned_on_their_mean():
    result = run(SPACE_OF_RATES, trials=6, pruner="halving", epochs=3, cv=3)
    reported = np.array([t.intermediate_values[1] for t in result.study.trials])
    stayed = result.trials.index[result.trials["epochs"] == 3]
    assert set(stayed) == set(np.argsort(reported)[:2])


def test_brackets_begin_later_and_have_fewer_trials():
    pruning = pruning_of("hyperband", 9, reduction_factor=3)
    assert pruning.rungs == (1, 3, 9)
    cycle = [pruning.pruner.bracket(number) for number in range(100)]
    period = 9 + 5 + 3  # ⌈3/3·9⌉ + ⌈3/2·3⌉ + ⌈3/1·1⌉ trials, Li et al., table 1
    counts = np.bincount(cycle[:period])
    assert counts.tolist() == [9, 5, 3]
    assert cycle[period : 2 * period] == cycle[:period]
    result = run(SPACE_OF_RATES, trials=17, pruner="hyperband", epochs=9)
    for number, epochs in result.trials["epochs"].items():
        assert epochs >= 3 ** cycle[number]


def test_asynchronous_halving_prunes_by_earlier_reports():
    """One trial at a time: each goes on if it is among the best third so far, as ASHA says."""
    result = run(
        SPACE_OF_RATES, trials=9, pruner="halving", epochs=3, asynchronous=True, concurrent_trials=1
    )
    losses = [alone(result, number, 1)[1][0] for number in range(9)]
    for number, epochs in result.trials["epochs"].items():
        known = sorted(losses[: number + 1])
        limit = known[max(1, len(known) // 3) - 1]
        assert epochs == (3 if losses[number] <= limit else 1)


def test_median_pruning_is_optunas():
    result = run(SPACE_OF_RATES, trials=16, pruner="median", epochs=4, concurrent_trials=4)
    assert isinstance(result.study.pruner, optuna.pruners.MedianPruner)
    pruned = result.study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    assert pruned
    assert all(set(t.intermediate_values) == set(range(1, t.last_step + 1)) for t in pruned)


def test_pruners_of_optuna_are_asked_at_the_rungs():
    asked = []

    class Pruner(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            asked.append((trial.last_step, trial.number))
            return trial.number == 1

    result = run(trials=3, pruner=Pruner(), rungs=[2, 3], epochs=5)
    assert asked == [(2, 0), (2, 1), (2, 2), (3, 0), (3, 2)]
    assert result.trials["epochs"].tolist() == [5, 2, 5]
    assert result.trials["state"].tolist() == ["complete", "pruned", "complete"]


def test_networks_of_pruned_trials_are_freed(monkeypatch):
    made, alive = {}, []

    def noting(networks, *arguments, **options):
        made.update((id(network), weakref.ref(network)) for network in networks)
        gc.collect()
        alive.append(sum(reference() is not None for reference in made.values()))
        return fit_population(networks, *arguments, **options)

    monkeypatch.setattr(local, "fit_population", noting)
    run(SPACE_OF_RATES, trials=9, pruner="halving", epochs=9)
    # The best of those that were pruned is kept until a trial is complete.
    assert alive == [9, 3 + 1, 1 + 1]


@pytest.mark.parametrize(
    ("arguments", "rungs"),
    [((1, 27, 3), [1, 3, 9, 27]), ((2, 20, 3), [2, 6, 18, 20]), ((5, 5, 2), [5])],
)
def test_rungs_are_powers_up_to_the_last(arguments, rungs):
    assert geometric(*arguments) == rungs


def test_ranks_are_those_of_sorting_for_any_number_of_trials():
    """Against the definition: the best max(1, n // η) of n, ties by trial number."""

    class Reported:
        def __init__(self, number, value):
            self.number, self.intermediate_values, self.last_step = number, {1: value}, 1

    class Study:
        direction = optuna.study.StudyDirection.MINIMIZE

        def get_trials(self, deepcopy):
            return trials

    rng = np.random.default_rng(0)
    for n, factor in itertools.product(range(1, 14), (2, 3, 4)):
        values = rng.integers(0, 5, n).astype(float)
        trials = [Reported(number, value) for number, value in enumerate(values)]
        pruner = SuccessiveHalving([[1, factor]], factor)
        stay = {trial.number for trial in trials if not pruner.prune(Study(), trial)}
        best = np.lexsort([np.arange(n), values])[: max(1, n // factor)]
        assert stay == set(best.tolist())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pruner": "halve"}, ArgumentError, "unknown pruner 'halve': did you mean 'halving'"),
        ({"pruner": None}, ArgumentTypeError, "pruner must be a name or a pruner of Optuna"),
        ({"pruner": "halving", "min_epochs": 3}, ArgumentError, r"min_epochs must .*\[1, 2\]"),
        ({"pruner": "halving", "reduction_factor": 1}, ArgumentError, "reduction_factor must be"),
        ({"rungs": [2, 1]}, ArgumentError, r"rungs must be ascending .*got \[2, 1\]"),
        ({"rungs": [3]}, ArgumentError, r"rungs must be an integer in \[1, 2\], got 3"),
        ({"rungs": 3}, ArgumentTypeError, "rungs must be a list"),
        (
            {"pruner": "halving", "objective": ["val_loss", "parameters"]},
            ArgumentError,
            "cannot be pruned by several objectives",
        ),
    ],
)
def test_pruners_that_cannot_be_used_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run(SPACE, **options)


def test_the_population_is_the_only_thing_that_trains(monkeypatch):
    """Epochs of all calls together are those that the table tells: nothing is trained twice."""
    spent = []

    def counting(networks, *arguments, **options):
        population = fit_population(networks, *arguments, **options)
        spent.append(sum(len(history.epoch) for history in population.histories))
        return population

    monkeypatch.setattr(local, "fit_population", counting)
    result = run(SPACE_OF_RATES, trials=9, pruner="halving", epochs=9)
    assert spent == [9 * 1, 3 * 2, 1 * 6]
    assert sum(spent) == result.trials["epochs"].sum()
