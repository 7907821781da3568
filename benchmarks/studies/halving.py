"""Successive halving beside full training: how close it comes, for how many epochs.

    python benchmarks/studies/halving.py --data FOLDER

FOLDER/mnist10k holds images-idx3-ubyte.gz and labels-idx1-ubyte.gz. For each seed, 64 random trials
of networks 784-u-v-10 train on 8,000 images for 27 epochs and are judged by their accuracy on the
other 2,000. Then the same seed, and so the same parameters, weights and rows, is searched with
successive halving from different first rungs. Shown are, for each way and in medians over the
seeds, the epochs spent in shares of those of full training, and by how many points of accuracy the
best trial is below the best of all 64.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastnn import SGD, Dense, Dropout, Network
from fastnn.search import log_integers, log_uniform, momentum, search, uniform
from fastnn.search.result import SearchResult

TRIALS, EPOCHS, SEEDS = 64, 27, 5
FIRST_RUNGS = (1, 3)
GOAL_SHARE, GOAL_POINTS = 1 / 3, 0.2
SPACE = {
    "units_1": log_integers(16, 128),
    "units_2": log_integers(16, 128),
    "dropout": uniform(0, 0.5),
    "learning_rate": log_uniform(1e-3, 1.0),
    "momentum": momentum(0.5, 0.99),
}


def images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """X (n, 784) float32 in [0, 1] and labels (n,)."""
    with gzip.open(folder / "images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / "labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return pixels.astype(np.float32) / 255, labels.astype(np.int64)


def build(params: dict[str, Any]) -> Network:
    """Three layers of weights, dropout before the second and the third."""
    layers = []
    for units in (params["units_1"], params["units_2"]):
        layers += [Dense(units, "relu"), Dropout(params["dropout"])]
    optimizer = SGD(params["learning_rate"], momentum=params["momentum"])
    return Network([*layers, Dense(10)], loss="softmax_cross_entropy", optimizer=optimizer)


@dataclass(frozen=True)
class Outcome:
    """Best accuracy on the held-out rows, and epochs that all trials took together."""

    accuracy: float
    epochs: int

    @classmethod
    def of(cls, result: SearchResult) -> Outcome:
        """Epochs of trials that diverged count too, as far as they are known."""
        return cls(result.best_value, int(result.trials["epochs"].sum()))


@dataclass(frozen=True)
class Experiment:
    """The rows, and how much is tried on them."""

    X: np.ndarray
    y: np.ndarray
    trials: int = TRIALS
    epochs: int = EPOCHS

    def run(self, seed: int, **how: Any) -> Outcome:
        """One search; its seed holds out the fifth of the rows that judges."""
        result = search(
            build,
            SPACE,
            self.X,
            self.y,
            trials=self.trials,
            sampler="random",
            objective="accuracy",
            epochs=self.epochs,
            batch_size=64,
            seed=seed,
            verbose=0,
            **how,
        )
        return Outcome.of(result)

    def halved(self, seed: int) -> dict[str, Outcome]:
        """By successive halving from each first rung."""
        return {
            f"halving from {first}": self.run(seed, pruner="halving", min_epochs=first)
            for first in FIRST_RUNGS
        }


def compare(experiment: Experiment, seeds: int) -> None:
    """Print each seed as it comes, then the medians."""
    losses: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    for seed in range(seeds):
        full = experiment.run(seed)
        print(f"seed {seed}: full {full.accuracy:.2%}", end="", flush=True)
        for name, found in experiment.halved(seed).items():
            losses.setdefault(name, []).append(100 * (full.accuracy - found.accuracy))
            shares.setdefault(name, []).append(
                found.epochs / (experiment.trials * experiment.epochs)
            )
            print(f", {name} {found.accuracy:.2%}", end="", flush=True)
        print()
    print("\n| | epochs, of those of full training | points below its best | largest |")
    print("|---|---|---|---|")
    for name in losses:
        share, loss = statistics.median(shares[name]), statistics.median(losses[name])
        print(f"| {name} | {share:.0%} | {loss:.2f} | {max(losses[name]):.2f} |")
    print(f"\ngoal: at most {GOAL_SHARE:.0%} and {GOAL_POINTS} points")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds mnist10k")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it all run?")
    options = parser.parse_args(arguments)
    X, y = images(options.data / "mnist10k")
    experiment = Experiment(X, y)
    if options.smoke:
        experiment = Experiment(X[:300], y[:300], trials=9, epochs=9)
    compare(experiment, 1 if options.smoke else options.seeds)


if __name__ == "__main__":
    main()
