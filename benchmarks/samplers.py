"""The sampler that learns beside random search, on functions and on tables of networks.

    python benchmarks/samplers.py --data FOLDER

FOLDER holds telco_churn.csv and california_housing.csv. Each objective (see objectives.py) is
searched from each seed for as many trials by "tpe" as by "random", in the rounds of
`fastnn.search`. Printed is a table in Markdown: medians of the best values, and how many seeds TPE
did better on.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import objectives as problems
from sklearn.base import BaseEstimator

from fastnn.search import search

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


def best(problem: problems.Objective, sampler: str, seed: int, trials: int) -> float:
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
    print("| objective | random | TPE | TPE ahead, of seeds |\n|---|---|---|---|")
    ahead = 0
    for problem in found:
        values = {
            sampler: [best(problem, sampler, seed, trials) for seed in range(seeds)]
            for sampler in ("random", "tpe")
        }
        random, tpe = (statistics.median(v) for v in values.values())
        pairs = list(zip(*values.values(), strict=True))
        wins, ties = sum(b < a for a, b in pairs), sum(b == a for a, b in pairs)
        ahead += tpe < random
        score = f"{wins} of {seeds}" + (f", {ties} alike" if ties else "")
        print(f"| {problem.name} | {random:.4g} | {tpe:.4g} | {score} |", flush=True)
    print(f"\nTPE's median is the better one on {ahead} of {len(found)} objectives")


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
