"""Gradient descent, momentum and Adam
===================================

The optimisation experiment: gradient descent, momentum and Adam on two moons.

300 points of two interleaved half circles, a network 2-5-2-1 of rectified units, mini-batches of
64. At the small learning rate 0.0007, gradient descent has hardly begun after as many epochs as
Adam needs to part the moons, and momentum is no help: it averages gradients, and scales none. Begun
at 0.1 and lowered over the epochs, both catch up. A net of five and two units can be born dead: if
the two are 0 on all points, nothing passes back, and no optimizer can help it. Setting and rates
are those of the course "Improving Deep Neural Networks" (deeplearning.ai); its momentum is an
average, (1 − β) of the gradient at a time, so that a rate here is (1 − β) times the rate there.

.. code-block:: sh

    python examples/optimization.py --out optimization.png
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import make_moons

from fastnn import SGD, Adam, Dense, Network
from fastnn.optimizers import Optimizer
from fastnn.schedules import InverseTimeDecay

POINTS = 300
NOISE = 0.2
BATCH = 64
EPOCHS = 5000
SEEDS = 10
SMALL, LARGE = 0.0007, 0.1
BETA = 0.9
#: The rate at epoch t is the first one / (1 + t // 1000), as in the course.
DECAY = {"decay_steps": 1000, "decay_rate": 1.0, "staircase": True, "unit": "epoch"}


# %%
# Five contenders
# ---------------
# An optimizer each, with a constant rate or one that falls.


@dataclass(frozen=True)
class Contender:
    """A way to optimise."""

    name: str
    optimizer: Optimizer


CONTENDERS = (
    Contender("gradient descent", SGD(SMALL)),
    Contender("momentum", SGD((1 - BETA) * SMALL, momentum=BETA)),
    Contender("Adam", Adam(SMALL)),
    Contender("gradient descent, decay", SGD(InverseTimeDecay(LARGE, **DECAY))),
    Contender("momentum, decay", SGD(InverseTimeDecay((1 - BETA) * LARGE, **DECAY), momentum=BETA)),
)


# %%
# One trial
# ---------
# Points, weights and a training, all of them drawn by the seed.


@dataclass(frozen=True)
class Trial:
    """Loss of every epoch, accuracy on the points at the end, and whether the net was born dead."""

    loss: list[float]
    accuracy: float
    born_dead: bool


def is_dead(network: Network, X: np.ndarray) -> bool:
    """Return whether one of the hidden layers is 0 on every point, so that nothing passes back."""
    signal = X
    for w, b in zip(*[iter(network.get_weights()[:-2])] * 2, strict=True):
        signal = np.maximum(signal @ w + b, 0)
        if not signal.any():
            return True
    return False


def train(contender: Contender, seed: int, epochs: int = EPOCHS) -> Trial:
    """Train one network; `seed` draws the weights and the batches, never the points."""
    X, y = make_moons(POINTS, noise=NOISE, random_state=3)
    network = Network(
        [Dense(5, "relu"), Dense(2, "relu"), Dense(1)],  # the loss applies the sigmoid
        loss="sigmoid_cross_entropy",
        optimizer=contender.optimizer,
        seed=seed,
    ).build(2)
    born_dead = is_dead(network, X)
    history = network.fit(X, y, batch_size=BATCH, epochs=epochs, verbose=0)
    accuracy = float(np.mean((network.predict(X)[:, 0] >= 0.5) == y))
    return Trial(history["loss"], accuracy, born_dead)


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of every contender, by its name, for seeds 0, 1, …"""
    return {c.name: [train(c, seed, epochs) for seed in range(seeds)] for c in CONTENDERS}


# %%
# What is shown
# -------------
# Accuracies, last losses, and the losses on the way.


def table(trials: dict[str, list[Trial]]) -> str:
    """Medians and ranges of the accuracies, medians of the last loss; and who was born dead."""
    lines = [f"{'optimizer':<26}{'accuracy':>9}{'min – max':>18}{'loss':>8}"]
    for name, runs in trials.items():
        accuracies = [trial.accuracy for trial in runs]
        median = statistics.median(accuracies)
        spread = f"{min(accuracies):.1%} – {max(accuracies):.1%}"
        loss = statistics.median(trial.loss[-1] for trial in runs)
        lines.append(f"{name:<26}{median:>9.1%}{spread:>18}{loss:>8.3f}")
    weights = next(iter(trials.values()))  # every contender starts from the same ones
    dead = [str(seed) for seed, trial in enumerate(weights) if trial.born_dead]
    lines.append(f"born dead, of {len(weights)} seeds: {', '.join(dead) or 'none'}")
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """The median loss of every contender over the epochs, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    panel = figure.subplots()
    for name, runs in trials.items():
        median = np.median([trial.loss for trial in runs], axis=0)
        style = "--" if "momentum" in name else "-"  # at the small rate it lies on plain descent
        panel.plot(range(1, len(median) + 1), median, style, label=name)
    panel.set(title="two moons, median loss", xlabel="epoch", ylabel="loss", xscale="log")
    panel.set_ylim(bottom=0)
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the losses."""
    parser = argparse.ArgumentParser(description="Gradient descent, momentum and Adam.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each optimizer")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--out", type=Path, default=Path("optimization.png"), help="PNG file for the losses"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"losses: {options.out}")


if __name__ == "__main__":
    main()
