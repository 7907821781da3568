"""Compare successive halving with full training: what it finds, and for how many epochs.

    python benchmarks/studies/halving.py --data FOLDER

FOLDER/mnist10k holds images-idx3-ubyte.gz and labels-idx1-ubyte.gz. For each seed, 64 random trials
of networks 784-u-v-10 train on 8,000 images for 27 epochs and are scored by their accuracy on the
other 2,000. Then the same seed, and so the same parameters, weights and rows, is searched with
successive halving from different first rungs. Shown are, for each way and in medians over the
seeds, the epochs spent as a share of those of full training, and by how many points of accuracy the
best trial is below the best of all 64.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from workloads.fits import mnist

from fastnn import SGD, Dense, Dropout, Network
from fastnn.search import log_integers, log_uniform, momentum, search, uniform

TRIALS, EPOCHS, SEEDS = 64, 27, 5
FIRST_RUNGS = (1, 3)
TARGET_SHARE, TARGET_POINTS = 1 / 3, 0.2
SPACE = {
    "units_1": log_integers(16, 128),
    "units_2": log_integers(16, 128),
    "dropout": uniform(0, 0.5),
    "learning_rate": log_uniform(1e-3, 1.0),
    "momentum": momentum(0.5, 0.99),
}


def build(params: dict[str, Any]) -> Network:
    """Return three layers of weights, with dropout before the second and the third."""
    layers = []
    for units in (params["units_1"], params["units_2"]):
        layers += [Dense(units, "relu"), Dropout(params["dropout"])]
    optimizer = SGD(params["learning_rate"], momentum=params["momentum"])
    return Network([*layers, Dense(10)], loss="softmax_cross_entropy", optimizer=optimizer)


class Outcome(NamedTuple):
    """Best accuracy on the held-out rows, and epochs that all trials took together."""

    accuracy: float
    epochs: int


@dataclass(frozen=True)
class Experiment:
    """The rows, and how much is tried on them."""

    X: np.ndarray
    y: np.ndarray
    trials: int = TRIALS
    epochs: int = EPOCHS

    def run(self, seed: int, **how: Any) -> Outcome:
        """Search once; the seed holds out the fifth of the rows that gives the scores."""
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
        # Epochs of trials that diverged count too, as far as they are known.
        return Outcome(result.best_value, int(result.trials["epochs"].sum()))

    def halved(self, seed: int) -> dict[str, Outcome]:
        """Search by successive halving from each first rung."""
        return {
            f"halving from {first}": self.run(seed, pruner="halving", min_epochs=first)
            for first in FIRST_RUNGS
        }


def compare(experiment: Experiment, seeds: int) -> None:
    """Print each seed as it comes, then the medians."""
    points: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    for seed in range(seeds):
        full = experiment.run(seed)
        print(f"seed {seed}: full {full.accuracy:.2%}", end="", flush=True)
        for name, (accuracy, epochs) in experiment.halved(seed).items():
            points.setdefault(name, []).append(100 * (full.accuracy - accuracy))
            shares.setdefault(name, []).append(epochs / (experiment.trials * experiment.epochs))
            print(f", {name} {accuracy:.2%}", end="", flush=True)
        print()
    print("\n| | epochs, of those of full training | points below its best | largest |")
    print("|---|---|---|---|")
    for name, lost in points.items():
        share = statistics.median(shares[name])
        print(f"| {name} | {share:.0%} | {statistics.median(lost):.2f} | {max(lost):.2f} |")
    print(f"\ntarget: at most {TARGET_SHARE:.0%} and {TARGET_POINTS} points")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare halving with full training for each seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds mnist10k")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it all run?")
    options = parser.parse_args(arguments)
    images, labels = mnist(options.data)
    X, y = images.astype(np.float32), labels.astype(np.int64)
    if options.smoke:
        compare(Experiment(X[:300], y[:300], trials=9, epochs=9), 1)
    else:
        compare(Experiment(X, y), options.seeds)


if __name__ == "__main__":
    main()
