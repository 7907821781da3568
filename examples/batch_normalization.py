"""Batch normalisation of a deep network
=====================================

The batch-normalisation experiment: a deep sigmoid network, with and without.

Ten hidden layers of 50 sigmoid units are to read handwritten digits. The slope of a sigmoid is 1/4
at most, so what comes back to the first layers is next to nothing: they keep their random weights,
and the network learns little more than how often each digit occurs. Normalised over the batch, the
inputs of every sigmoid stay where it is steep, and the same network learns in a few epochs (Ioffe,
Szegedy: Batch normalization. ICML 2015).

.. code-block:: sh

    python examples/batch_normalization.py --out batch_normalization.png
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastnn import Activation, Adam, BatchNorm, Dense, Layer, Network

LAYERS = 10
UNITS = 50
BATCH = 64
LEARNING_RATE = 1e-3
EPOCHS = 30
SEEDS = 10


# %%
# Two networks
# ------------
# They differ in what stands between a dense layer and its sigmoid.


@dataclass(frozen=True)
class Variant:
    """Plain, or normalised in front of every sigmoid."""

    name: str
    normalized: bool
    color: str

    def hidden(self) -> list[Layer]:
        """One hidden layer; the shift of a normalisation makes the bias before it superfluous."""
        if not self.normalized:
            return [Dense(UNITS, "sigmoid")]
        return [Dense(UNITS, use_bias=False), BatchNorm(momentum=0.9), Activation("sigmoid")]


VARIANTS = (
    Variant("sigmoids alone", normalized=False, color="#d55e00"),
    Variant("with BatchNorm", normalized=True, color="#0072b2"),
)


# %%
# One trial
# ---------
# A split of the digits, weights and a training, all of them drawn by the seed.


@dataclass(frozen=True)
class Trial:
    """The outcome of one network: training loss of each epoch, and accuracy on the test rows."""

    loss: list[float]
    accuracy: float


def train(variant: Variant, seed: int, epochs: int = EPOCHS) -> Trial:
    """Train one network; `seed` draws split and weights."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=seed)
    network = Network(
        [layer for _ in range(LAYERS) for layer in variant.hidden()] + [Dense(10)],
        loss="softmax_cross_entropy",
        optimizer=Adam(LEARNING_RATE),
        metrics=["accuracy"],
        seed=seed,
    )
    history = network.fit(X, y, batch_size=BATCH, epochs=epochs, verbose=0)
    return Trial(history["loss"], network.evaluate(X_test, y_test)["accuracy"])


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of both variants, by name, for seeds 0, 1, …"""
    return {v.name: [train(v, seed, epochs) for seed in range(seeds)] for v in VARIANTS}


# %%
# What is shown
# -------------
# The outcome on rows that were not trained on, and every training loss.


def table(trials: dict[str, list[Trial]]) -> str:
    """Medians and ranges of the test accuracies, medians of the last training loss."""
    lines = [f"{'network':<16}{'test accuracy':>15}{'min – max':>18}{'training loss':>15}"]
    for name, runs in trials.items():
        accuracies = [trial.accuracy for trial in runs]
        spread = f"{min(accuracies):.1%} – {max(accuracies):.1%}"
        loss = statistics.median(trial.loss[-1] for trial in runs)
        lines.append(f"{name:<16}{statistics.median(accuracies):>15.1%}{spread:>18}{loss:>15.3f}")
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """Training loss of every trial over epochs, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    panel = figure.subplots()
    for variant in VARIANTS:
        for number, trial in enumerate(trials[variant.name]):
            label = variant.name if number == 0 else None
            epochs = range(1, len(trial.loss) + 1)
            panel.plot(epochs, trial.loss, color=variant.color, alpha=0.6, label=label)
    panel.set(
        title=f"{LAYERS} layers of {UNITS} sigmoid units, digits",
        xlabel="epoch",
        ylabel="training loss",
        yscale="log",
    )
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the losses."""
    parser = argparse.ArgumentParser(description="A deep sigmoid network, and batch normalisation.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each network")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--out", type=Path, default=Path("batch_normalization.png"), help="PNG file for the losses"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"training losses: {options.out}")


if __name__ == "__main__":
    main()
