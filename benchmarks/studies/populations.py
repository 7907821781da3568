"""Measure how many networks a search trains in a second, beside scikit-learn and Optuna.

    python benchmarks/studies/populations.py

64 networks 20-64-64-2 of varied learning rates and dropout see 10,000 rows for 10 epochs, and are
scored on 2,000 others: as a population on one and on two threads, by scikit-learn's
RandomizedSearchCV over its own MLP with n_jobs=2, and by an Optuna study over torch with n_jobs=2.
All take turns; shown are medians of the trials per second, and of the ratios within one round. In
the end networks of the population are trained alone: the bits are the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from studies.turns import in_turn, line
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
OURS = "population, 2 threads"
SEARCH, SMOKE = Search(10_000, 10, 64), Search(200, 2, 8)
#: How many times as many trials the population does on two threads.
TARGETS = {
    "population, 1 thread": 1.8,
    "RandomizedSearchCV, n_jobs=2": 5.0,
    "Optuna over torch, n_jobs=2": 5.0,
}


def compare(search: Search, peer_trials: int, rounds: int) -> None:
    """Time all ways in turn and print their rates and ratios."""
    fastnn.set_num_threads(2)
    fewer = replace(search, trials=peer_trials)
    ways: dict[str, tuple[Search, Callable[[], object]]] = {
        OURS: (search, lambda: population(search, 2)),
        "population, 1 thread": (search, lambda: population(search, 1)),
        "RandomizedSearchCV, n_jobs=2": (fewer, lambda: scikit_learn(fewer)),
    }
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        ways["Optuna over torch, n_jobs=2"] = fewer, lambda: optuna_over_torch(fewer)
    times = in_turn({name: run for name, (_, run) in ways.items()}, rounds)
    rates = {name: ways[name][0].trials / seconds for name, seconds in times.items()}
    print("trials of the population on two threads, over those of others in the same time")
    for name, rate in rates.items():
        target = f"≥ {TARGETS[name]:.1f}" if name in TARGETS else ""
        print(line(name, rates[OURS] / rate, target, f"{np.median(rate):.2f} trials/s"))


def check_bits(search: Search) -> int:
    """Train some networks of a population alone; return how many have the same bits."""
    same = 0
    pairs = list(zip(trained_together(search, 2), search.networks(), strict=True))
    for together, alone in pairs[:: -(-len(pairs) // CHECKED)]:
        trained_alone(search, alone)
        same += together.parameters.tobytes() == alone.parameters.tobytes()
    print(f"{same} networks trained alone have the bits of those of the population")
    return same


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the ways to search, and check the bits of the population."""
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
    search = replace(SMOKE if options.smoke else SEARCH, batch_size=options.batch_size)
    if options.smoke:
        compare(search, peer_trials=2, rounds=1)
    else:
        compare(search, options.peer_trials, options.rounds)
    check_bits(search)


if __name__ == "__main__":
    main()
