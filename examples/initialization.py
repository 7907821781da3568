"""Initialisation: zeros, large numbers, He
========================================

The initialisation experiment: the same network from three sets of first weights.

Two noisy circles, one inside the other, are to be told apart by a network 2-10-5-1 of rectified
units, trained by plain gradient descent on all points at once. Zero weights keep every hidden unit
at zero, so only the last bias could learn, and the classes are balanced; large weights give large
outputs, confident and wrong, and what comes of them is luck; variance 2 / inputs, after He, keeps
signals in range. Setting and published accuracies are those of the course "Improving Deep Neural
Networks" (deeplearning.ai).

.. code-block:: sh

    python examples/initialization.py --out initialization.png
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import make_circles

from fastnn import SGD, Dense, Network
from fastnn.initializers import HeNormal, Initializer, Normal, Zeros

POINTS = 300
NOISE = 0.05
LEARNING_RATE = 0.01
EPOCHS = 15_000  # one update each: a batch holds all points
SEEDS = 10
SHADES = np.linspace(0, 1, 12)  # of probability; the middle one holds 0.5


# %%
# Three starts
# ------------
# The layers are the same, the initialisers are not.


@dataclass(frozen=True)
class Start:
    """A way to draw the first weights, and the train accuracy published for it."""

    name: str
    initializer: Initializer
    published: float


STARTS = (
    Start("zeros", Zeros(), 0.50),
    Start("normal × 10", Normal(10.0), 0.83),
    Start("He", HeNormal(), 0.99),
)


# %%
# One trial
# ---------
# Points, weights and a training, all of them drawn by the seed.


@dataclass(frozen=True)
class Trial:
    """A trained network and the points it saw: X (300, 2), y (300,)."""

    network: Network
    X: np.ndarray
    y: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of the points on the right side of the decision boundary."""
        return float(np.mean((self.network.predict(self.X)[:, 0] >= 0.5) == self.y))


def train(start: Start, seed: int, epochs: int = EPOCHS) -> Trial:
    """Train one network; `seed` draws the points as well as the weights."""
    X, y = make_circles(POINTS, noise=NOISE, random_state=seed)
    network = Network(
        [
            Dense(10, "relu", initializer=start.initializer),
            Dense(5, "relu", initializer=start.initializer),
            Dense(1, initializer=start.initializer),  # the loss applies the sigmoid
        ],
        loss="sigmoid_cross_entropy",
        optimizer=SGD(LEARNING_RATE),
        seed=seed,
    )
    network.fit(X, y, batch_size=None, epochs=epochs, shuffle=False, verbose=0)
    return Trial(network, X, y)


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of every start, by its name, for seeds 0, 1, …"""
    return {start.name: [train(start, s, epochs) for s in range(seeds)] for start in STARTS}


# %%
# What is shown
# -------------
# Accuracies, and where each network draws the line.


def table(trials: dict[str, list[Trial]]) -> str:
    """Median and range of the train accuracies beside the published ones."""
    lines = [f"{'weights':<12}{'median':>8}{'min – max':>18}{'published':>11}"]
    for start in STARTS:
        accuracies = [trial.accuracy for trial in trials[start.name]]
        median = statistics.median(accuracies)
        spread = f"{min(accuracies):.1%} – {max(accuracies):.1%}"
        lines.append(f"{start.name:<12}{median:>8.1%}{spread:>18}{start.published:>11.0%}")
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """The decision boundaries of the first seed, one panel for each start, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), layout="constrained")
    panels = figure.subplots(1, len(STARTS), sharex=True, sharey=True)
    axis = np.linspace(-1.5, 1.5, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for panel, start in zip(panels, STARTS, strict=True):
        trial = trials[start.name][0]
        probability = trial.network.predict(grid).reshape(len(axis), len(axis))
        shades = panel.contourf(axis, axis, probability, SHADES, cmap="RdBu_r")
        if probability.min() < 0.5 < probability.max():
            panel.contour(axis, axis, probability, [0.5], colors="black", linewidths=1)
        colors = np.where(trial.y == 1, "firebrick", "navy")
        panel.scatter(*trial.X.T, s=12, c=colors, edgecolors="white", linewidths=0.4)
        panel.set_title(f"{start.name}: {trial.accuracy:.1%} of the points")
        panel.set_aspect("equal")
    figure.colorbar(shades, ax=panels, label="probability of the inner circle", ticks=[0, 0.5, 1])
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the boundaries."""
    parser = argparse.ArgumentParser(description="What first weights do to a small network.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each start")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="updates of each network")
    parser.add_argument(
        "--out", type=Path, default=Path("initialization.png"), help="PNG file for the boundaries"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"decision boundaries: {options.out}")


if __name__ == "__main__":
    main()
