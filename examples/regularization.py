"""Regularisation by L2 and dropout
================================

The regularisation experiment: what L2 and dropout do to a network that learns noise by heart.

Two classes overlap along a curve: of 200 points, some 13 % are on the wrong side of it, so no
rule can be right on all of them. A network 2-32-16-1 has room to fence in most of these strays one
by one, and pays on points it has not seen. A penalty on the squares of the weights, and dropout,
which lets no unit rely on another, leave it less room: the gap between train and test closes. The
course "Improving Deep Neural Networks" (deeplearning.ai) shows the same on positions of
footballers.

.. code-block:: sh

    python examples/regularization.py --out regularization.png
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastnn import Adam, Dense, Dropout, Layer, Network

TRAIN, TEST = 200, 2000
OVERLAP = 0.4  # standard deviation of the noise across the curve
UNITS = (32, 16)
LEARNING_RATE = 0.01
BATCH = 20
EPOCHS = 500
SEEDS = 10


# %%
# Two remedies, and none
# ----------------------
# Each turns into the layers of a network.


@dataclass(frozen=True)
class Remedy:
    """Measures against overfitting."""

    name: str
    l2: float = 0.0
    dropout: float = 0.0

    def layers(self) -> list[Layer]:
        """The network: the loss applies the sigmoid."""
        layers: list[Layer] = []
        for units in UNITS:
            layers += [Dense(units, "relu", l2=self.l2), Dropout(self.dropout)]
        return [*layers, Dense(1, l2=self.l2)]


REMEDIES = (Remedy("none"), Remedy("L2", l2=0.01), Remedy("dropout", dropout=0.5))


# %%
# One trial
# ---------
# Points, weights and a training, all of them drawn by the seed.


@dataclass(frozen=True)
class Trial:
    """A trained network, the points it saw, X (200, 2) and y (200,), and its accuracies."""

    network: Network
    X: np.ndarray
    y: np.ndarray
    train: float
    test: float

    @property
    def gap(self) -> float:
        """By how much the network is better on the points it saw."""
        return self.train - self.test


def draw_points(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points in a square, and the side of the curve they seem to be on."""
    X = rng.uniform(-1, 1, (n, 2))
    distance = 0.8 * X[:, 0] + X[:, 1] + 0.3 * np.sin(3 * X[:, 0])
    return X, (distance + OVERLAP * rng.normal(size=n) > 0).astype(int)


def train(remedy: Remedy, seed: int, epochs: int = EPOCHS) -> Trial:
    """Train one network; `seed` draws the points as well as the weights."""
    rng = np.random.default_rng(seed)
    X, y = draw_points(TRAIN, rng)
    network = Network(
        remedy.layers(),
        loss="sigmoid_cross_entropy",
        optimizer=Adam(LEARNING_RATE),
        metrics=["accuracy"],
        seed=seed,
    )
    network.fit(X, y, batch_size=BATCH, epochs=epochs, verbose=0)
    seen, unseen = (network.evaluate(*rows) for rows in ((X, y), draw_points(TEST, rng)))
    return Trial(network, X, y, seen["accuracy"], unseen["accuracy"])


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of every remedy, by its name, for seeds 0, 1, …"""
    return {r.name: [train(r, seed, epochs) for seed in range(seeds)] for r in REMEDIES}


# %%
# What is shown
# -------------
# Accuracies on points seen and unseen, and where each network draws the line.


def table(trials: dict[str, list[Trial]]) -> str:
    """Medians of the accuracies and of the gap between them."""
    lines = [f"{'remedy':<10}{'train':>8}{'test':>8}{'gap':>8}"]
    for name, runs in trials.items():
        values = (
            statistics.median(getattr(trial, figure) for trial in runs)
            for figure in ("train", "test", "gap")
        )
        lines.append(f"{name:<10}" + "".join(f"{value:>8.1%}" for value in values))
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """The decision boundaries of the first seed, one panel for each remedy, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), layout="constrained")
    panels = figure.subplots(1, len(trials), sharex=True, sharey=True)
    axis = np.linspace(-1, 1, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    levels = np.linspace(0, 1, 12)  # the middle one holds 0.5
    for panel, (name, runs) in zip(panels, trials.items(), strict=True):
        trial = runs[0]
        probability = trial.network.predict(grid).reshape(len(axis), len(axis))
        shades = panel.contourf(axis, axis, probability, levels, cmap="RdBu_r")
        panel.contour(axis, axis, probability, [0.5], colors="black", linewidths=1)
        colors = np.where(trial.y == 1, "firebrick", "navy")
        panel.scatter(*trial.X.T, s=14, c=colors, edgecolors="white", linewidths=0.4)
        panel.set_title(f"{name}: train {trial.train:.1%}, test {trial.test:.1%}")
        panel.set_aspect("equal")
    figure.colorbar(shades, ax=panels, label="probability of the upper class", ticks=[0, 0.5, 1])
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the boundaries."""
    parser = argparse.ArgumentParser(description="L2 and dropout against overfitting.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each remedy")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--out", type=Path, default=Path("regularization.png"), help="PNG file for the boundaries"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"decision boundaries: {options.out}")


if __name__ == "__main__":
    main()
