"""Scales: bounds, spread, what the study stores, and what is refused."""

import numpy as np
import optuna
import pytest
from scipy import stats

from fastnn import ArgumentError
from fastnn.errors import ArgumentTypeError
from fastnn.search import integers, log_integers, log_uniform, momentum, uniform
from fastnn.search.space.scales import scale_of


def draws(scale, n=600, name="x"):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = [study.ask() for _ in range(n)]
    return [scale.suggest(trial, name) for trial in trials], trials


@pytest.fixture(autouse=True, scope="module")
def silence():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.mark.parametrize(
    ("scale", "theory"),
    [
        (uniform(-1, 3), stats.uniform(-1, 4)),
        (log_uniform(1e-4, 1.0), stats.loguniform(1e-4, 1.0)),
        (scale_of("x", stats.uniform(2, 3)), stats.uniform(2, 3)),
        (scale_of("x", stats.loguniform(1e-3, 10)), stats.loguniform(1e-3, 10)),
        (scale_of("x", stats.norm(5, 2)), stats.norm(5, 2)),
        (scale_of("x", stats.expon(scale=0.1)), stats.expon(scale=0.1)),
        (scale_of("x", stats.loguniform(1e-3, 10, loc=1)), stats.loguniform(1e-3, 10, loc=1)),
    ],
)
def test_values_are_spread_as_the_distribution_says(scale, theory):
    values, _ = draws(scale)
    assert stats.kstest(values, theory.cdf).pvalue > 0.01


def test_one_minus_momentum_is_uniform_in_its_logarithm_and_is_what_the_study_stores():
    values, trials = draws(momentum(0.9, 0.999), name="beta")
    assert stats.kstest(1 - np.array(values), stats.loguniform(1e-3, 0.1).cdf).pvalue > 0.01
    assert min(values) >= 0.9 - 1e-12
    assert max(values) <= 0.999 + 1e-12
    assert list(trials[0].params) == ["1 - beta"]
    assert values[0] == 1 - trials[0].params["1 - beta"]


def test_integers_reach_both_ends_and_logarithmic_ones_favour_small_values():
    even, _ = draws(integers(1, 8))
    logarithmic, _ = draws(log_integers(1, 64))
    assert set(even) == set(range(1, 9))
    assert {type(value) for value in even + logarithmic} == {int}
    assert abs(np.mean(np.array(logarithmic) <= 8) - 0.5) < 0.1


def test_discrete_distributions_of_scipy_give_integers():
    values, _ = draws(scale_of("x", stats.randint(2, 5)))
    assert set(values) == {2, 3, 4}
    values, _ = draws(scale_of("x", stats.poisson(3)))
    assert {type(value) for value in values} == {int}
    assert abs(np.mean(values) - 3) < 0.3


def test_distributions_of_optuna_are_taken_as_they_are():
    known = optuna.distributions
    for given in (
        known.FloatDistribution(0.1, 1, log=True),
        known.FloatDistribution(0, 1, step=0.25),
        known.IntDistribution(2, 10, step=4),
        known.IntDistribution(1, 100, log=True),
        known.CategoricalDistribution(["a", None]),
    ):
        _, trials = draws(scale_of("x", given), 3)
        assert trials[0].distributions == {"x": given}


def test_choices_come_back_as_the_objects_they_are():
    sizes = [(8,), (8, 8), None]
    values, trials = draws(scale_of("layers", sizes), name="layers")
    assert set(values) == set(sizes)
    assert trials[0].params["layers"] in {"(8,)", "(8, 8)", "None"}
    functions, trials = draws(scale_of("f", [np.sin, max, 2.5]), name="f")
    assert set(functions) == {np.sin, max, 2.5}
    assert isinstance(trials[0].params["f"], str)


def test_arrays_are_lists_of_plain_numbers():
    values, _ = draws(scale_of("x", np.logspace(-3, -1, 3)))
    assert {type(value) for value in values} == {float}
    assert scale_of("x", range(3)).grid("x") == [0, 1, 2]


@pytest.mark.parametrize(
    ("given", "grid"),
    [
        (integers(3, 5), [3, 4, 5]),
        (stats.randint(3, 6), [3, 4, 5]),
        (optuna.distributions.FloatDistribution(0, 0.3, step=0.1), [0, 0.1, 0.2, 0.3]),
        (optuna.distributions.IntDistribution(1, 7, step=3), [1, 4, 7]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_finite_scales_have_grids(given, grid):
    assert scale_of("x", given).grid("x") == pytest.approx(grid)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (log_uniform, (0, 1), r"low must be a finite number > 0, got 0"),
        (log_uniform, (-1, 1), r"low must be a finite number > 0"),
        (log_uniform, (1e-2, 1e-3), r"low must be below high, got 0.01 and 0.001"),
        (uniform, (1, 1), "low must be below high"),
        (uniform, (0, np.inf), "high must be a finite number"),
        (momentum, (0.9, 1.0), r"high must be a number in \[0, 1\), got 1.0"),
        (log_integers, (0, 4), r"low must be an integer >= 1, got 0"),
        (integers, (4, 2), r"high must be an integer >= 4, got 2"),
    ],
)
def test_bounds_that_cannot_be_used_are_refused(function, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        function(*arguments)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([], ArgumentError, r"space\['x'\] is an empty list"),
        ([1, [2]], ArgumentTypeError, r"space\['x'\]\[1\] is \[2\], which is not hashable; use a"),
        ([1, {}], ArgumentTypeError, r"space\['x'\]\[1\] is {}, which is not hashable"),
        ([1, 2, 1], ArgumentError, r"space\['x'\] holds 1 twice"),
        (0.1, ArgumentTypeError, r"space\['x'\] must be a list of values, .*got 0.1"),
        ("relu", ArgumentTypeError, r"space\['x'\] must be a list of values"),
        (stats.loguniform(0, 1), ArgumentError, r"loguniform\(0, 1\).*must begin above 0"),
        (stats.uniform(0, -1), ArgumentError, r"uniform\(0, -1\), which has no values"),
    ],
)
def test_values_that_cannot_be_used_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        scale_of("x", values)
