"""Whole fits and searches beside scikit-learn's, and what it takes to import the package."""

from __future__ import annotations

import pytest
from workloads import fits, package, searches

DIGITS = fits.PROBLEMS[0]
SEARCH = searches.Search(rows=1000, epochs=5, trials=8)
WAYS = {
    **searches.WAYS,
    "scikit-learn": searches.scikit_learn,
    "Optuna over torch": searches.optuna_over_torch,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", fits.SIDES)
def test_fit_of_digits(timing, side, dtype):
    fit, score = fits.whole_fit(side, DIGITS, dtype)
    timing(f"fit {DIGITS.name}, {dtype}", fit)
    assert score() > 0.95


@pytest.mark.parametrize("way", WAYS)
def test_search(timing, threads, way):
    def check(accuracies):
        assert len(accuracies) == SEARCH.trials
        assert max(accuracies) > 0.75

    try:
        timing(f"search, {SEARCH.trials} networks", lambda: WAYS[way](SEARCH, threads), check)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", package.IMPORTS)
def test_import(timing, name):
    timing("import", lambda: package.import_in_a_fresh_interpreter(name))  # raises if it fails
