"""How many networks a search trains in a second: populations against scikit-learn and Optuna.

    python benchmarks/studies/populations.py

64 networks 20-64-64-2 of varied learning rates and dropout see 10,000 rows for 10 epochs, and are
scored on 2,000 others: as a population on one and on two threads, by scikit-learn's
RandomizedSearchCV over its own MLP with n_jobs=2, and by an Optuna study over torch with n_jobs=2.
Contestants take turns; shown are medians of the trials per second, and of the ratios within one
round. In the end networks of the population are trained alone: the bits are the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from workloads.searches import (
    Search,
    optuna_over_torch,
    population,
    scikit_learn,
    trained_alone,
    trained_together,
)

import fastnn

CHECKED = 4  # networks that are trained alone too


@dataclass(frozen=True)
class Contestant:
    """One way to do the trials, and how many times as many the population does, if all is well."""

    name: str
    run: Callable[[], object]
    trials: int
    goal: float | None = None


def contestants(search: Search, peer_trials: int) -> list[Contestant]:
    """The population on two threads first; packages that are not installed are left out."""
    fewer = Search(search.rows, search.epochs, peer_trials, search.batch_size)
    found = [
        Contestant("population, 2 threads", lambda: population(search, 2), search.trials),
        Contestant("population, 1 thread", lambda: population(search, 1), search.trials, 1.8),
        Contestant("RandomizedSearchCV, n_jobs=2", lambda: scikit_learn(fewer), peer_trials, 5.0),
    ]
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        run = Contestant(
            "Optuna over torch, n_jobs=2", lambda: optuna_over_torch(fewer), peer_trials, 5.0
        )
        found.append(run)
    return found


def throughput(contestant: Contestant) -> float:
    """Trials per second of one run."""
    start = time.perf_counter()
    contestant.run()
    return contestant.trials / (time.perf_counter() - start)


def compare(search: Search, peer_trials: int, rounds: int) -> None:
    """Time all contestants in turn and print their rates and ratios."""
    fastnn.set_num_threads(2)
    small = Search(500, 1, 2, search.batch_size)
    for contestant in contestants(small, 2):
        contestant.run()  # imports, worker processes
    entrants = contestants(search, peer_trials)
    rates = np.array([[throughput(entrant) for entrant in entrants] for _ in range(rounds)])
    ratios = rates[:, :1] / rates
    print(f"{'':<32}{'trials/s':>10}{'2 threads is':>14}{'quartiles':>16}{'goal':>8}")
    for column, entrant in enumerate(entrants):
        low, middle, high = np.percentile(ratios[:, column], [25, 50, 75])
        spread, goal = f"{low:.2f} – {high:.2f}", f"{entrant.goal:.1f}" if entrant.goal else ""
        rate = np.median(rates[:, column])
        print(f"{entrant.name:<32}{rate:>10.2f}{middle:>13.2f}×{spread:>16}{goal:>8}")


def check_bits(search: Search) -> int:
    """Train some networks of a population alone; how many have the same bits."""
    same = 0
    pairs = list(zip(trained_together(search, 2), search.networks(), strict=True))
    for together, alone in pairs[:: -(-len(pairs) // CHECKED)]:
        trained_alone(search, alone)
        same += together.parameters.tobytes() == alone.parameters.tobytes()
    print(f"{same} networks trained alone have the bits of those of the population")
    return same


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch-size", type=int, default=32, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--peer-trials", type=int, default=16, metavar="N", help="fewer for the slow ones"
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it all run?")
    options = parser.parse_args(arguments)
    search = Search(10_000, 10, 64, options.batch_size)
    rounds, peer_trials = options.rounds, options.peer_trials
    if options.smoke:
        search, rounds, peer_trials = Search(200, 2, 8, options.batch_size), 1, 2
    compare(search, peer_trials, rounds)
    check_bits(search)


if __name__ == "__main__":
    main()
