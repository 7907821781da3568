"""The sampler that learns beside random search and Optuna's alone, on functions and networks.

    python benchmarks/samplers.py --data FOLDER

FOLDER holds telco_churn.csv and california_housing.csv. Each objective (see objectives.py) is
searched from each seed for as many trials by "random", by Optuna's TPE without trials that explore,
and by "tpe", in the rounds of `fastnn.search`. Printed is a table in Markdown: medians of the best
values, and how many seeds "tpe" did better on than "random", and than Optuna's alone.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import objectives as problems
import optuna
from sklearn.base import BaseEstimator

from fastnn.search import search
from fastnn.search.study.studies import quiet

TRIALS, SEEDS = 64, 20


class Answer(BaseEstimator):
    """An estimator that learns nothing: its score is the value of an objective."""

    def __init__(self, value: float = 0.0):
        self.value = value

    def fit(self, X: Any, y: Any) -> Answer:
        return self


def value(answer: Answer, X: Any, y: Any) -> float:
    """What the search minimises."""
    return answer.value


def alone(seed: int) -> optuna.samplers.BaseSampler:
    """Optuna's TPE with the options that "tpe" has, none of whose trials explore."""
    with quiet():
        options = {"multivariate": True, "group": True, "constant_liar": True}
        return optuna.samplers.TPESampler(seed=seed, **options)


#: By the name of a column, the sampler for a seed.
SAMPLERS: dict[str, Callable[[int], Any]] = {
    "random": lambda seed: "random",
    "alone": alone,
    "tpe": lambda seed: "tpe",
}


def best(problem: problems.Objective, sampler: Any, seed: int, trials: int) -> float:
    """What one search finds."""
    result = search(
        lambda params: Answer(problem.value(params)),
        problem.space,
        np.zeros((2, 1)),
        np.zeros(2),
        trials=trials,
        sampler=sampler,
        objective=value,
        direction="minimize",
        validation_fraction=0.5,
        seed=seed,
        verbose=0,
    )
    return result.best_value


def compare(found: Sequence[problems.Objective], seeds: int, trials: int) -> None:
    """Print the table, a row as soon as it is known, and on how many objectives TPE is ahead."""
    print("| objective | random | TPE alone | TPE | ahead of random | of TPE alone |")
    print("|---|---|---|---|---|---|")
    ahead = dict.fromkeys(("random", "alone"), 0)
    for problem in found:
        values: dict[str, list[float]] = {name: [] for name in SAMPLERS}
        for seed in range(seeds):
            for name, sampler in SAMPLERS.items():
                values[name].append(best(problem, sampler(seed), seed, trials))
        medians = {name: statistics.median(found) for name, found in values.items()}
        cells = [problem.name, *(f"{median:.4g}" for median in medians.values())]
        for other in ahead:
            ahead[other] += medians["tpe"] < medians[other]
            cells.append(_score(values[other], values["tpe"]))
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nTPE's median is better than that of {ahead}, of {len(found)} objectives")


def _score(others: Sequence[float], own: Sequence[float]) -> str:
    """On how many seeds the second values are the better ones."""
    pairs = list(zip(others, own, strict=True))
    wins, ties = sum(b < a for a, b in pairs), sum(b == a for a, b in pairs)
    return f"{wins} of {len(pairs)}" + (f", {ties} alike" if ties else "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="without it, functions alone")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--trials", type=int, default=TRIALS, metavar="N")
    options = parser.parse_args(arguments)
    found = [*problems.functions(), *problems.other_scales()]
    if options.data is not None:
        found += problems.tables(options.data)
    compare(found, options.seeds, options.trials)


if __name__ == "__main__":
    main()
