"""Vanishing and exploding gradients
=================================

Vanishing and exploding gradients in a network of 20 hidden layers, diagnosed and cured.

What passes a layer on its way back is multiplied by its weights and by the slope of its activation.
Twenty times a little less than one is nothing, twenty times a little more is no number at all.
Weights too small, weights too large, and sigmoids, whose slope is 1/4 at most: `fastnn.diagnose`
flags each and names the cause before a single epoch is spent. With He initialisation, variance 2 /
inputs (He, Zhang, Ren, Sun, ICCV 2015), the gradient arrives as it left, and the network learns
handwritten digits. Adam, which takes steps of the same size whatever the gradient's, does not save
the others.

.. code-block:: sh

    python examples/vanishing_gradients.py --out vanishing_gradients.png
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import fastnn
from fastnn import Adam, Dense, Diagnosis, Network
from fastnn.initializers import HeNormal, Initializer, Normal

LAYERS = 20
UNITS = 50
BATCH = 64
LEARNING_RATE = 1e-3
EPOCHS = 20
SEEDS = 10


# %%
# Four starts
# -----------
# They differ in activation and in the size of the first weights.


@dataclass(frozen=True)
class Start:
    """Activation of the hidden layers, and how their first weights are drawn."""

    name: str
    activation: str
    initializer: Initializer | str
    color: str


STARTS = (
    Start("sigmoid, Glorot", "sigmoid", "auto", "#d55e00"),
    Start("relu, normal × 0.05", "relu", Normal(0.05), "#e69f00"),
    Start("relu, normal × 1", "relu", Normal(1.0), "#cc79a7"),
    Start("relu, He", "relu", HeNormal(), "#0072b2"),
)


# %%
# One trial
# ---------
# The diagnosis of the fresh network, then its training.


@dataclass(frozen=True)
class Trial:
    """The diagnosis of the untrained network, and test accuracy after training.

    A network on which training diverged keeps its last finite weights.
    """

    diagnosis: Diagnosis
    accuracy: float

    @property
    def gradients(self) -> list[float]:
        """Length of the gradient at each layer's output, that at the network's being 1."""
        signals = [layer.signal for layer in self.diagnosis.layers]
        return [signal / signals[-1] for signal in signals]

    @property
    def verdict(self) -> str:
        """The flag on the gradient, with its cause; "healthy" if there is none."""
        flags = [flag for flag in self.diagnosis.flags if "gradient" in flag.problem]
        return f"{flags[0].problem}: {flags[0].cause}" if flags else "healthy"


def train(start: Start, seed: int, epochs: int = EPOCHS) -> Trial:
    """Diagnose a network, then train it; `seed` draws split and weights."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=seed)
    hidden = [Dense(UNITS, start.activation, initializer=start.initializer) for _ in range(LAYERS)]
    network = Network(
        [*hidden, Dense(10)],
        loss="softmax_cross_entropy",
        optimizer=Adam(LEARNING_RATE),
        metrics=["accuracy"],
        seed=seed,
    )
    diagnosis = fastnn.diagnose(network, X, y, X_test, y_test, curve_sizes=None)
    with contextlib.suppress(fastnn.DivergenceError):
        network.fit(X, y, batch_size=BATCH, epochs=epochs, verbose=0)
    return Trial(diagnosis, network.evaluate(X_test, y_test)["accuracy"])


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of every start, by its name, for seeds 0, 1, …"""
    return {s.name: [train(s, seed, epochs) for seed in range(seeds)] for s in STARTS}


# %%
# What is shown
# -------------
# What the diagnosis named as the cause, and the gradient from layer to layer.


def table(trials: dict[str, list[Trial]]) -> str:
    """Median gradient at the first layer, most frequent verdict, median test accuracy."""
    lines = [f"{'network':<21}{'gradient':>9}  {'diagnosis':<38}{'share':>6}{'test':>7}"]
    for name, runs in trials.items():
        gradient = statistics.median(trial.gradients[0] for trial in runs)
        verdicts = [trial.verdict for trial in runs]
        verdict = statistics.mode(verdicts)
        share = verdicts.count(verdict) / len(verdicts)
        accuracy = statistics.median(trial.accuracy for trial in runs)
        lines.append(f"{name:<21}{gradient:>9.0e}  {verdict:<38}{share:>6.0%}{accuracy:>7.1%}")
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """The gradient, layer by layer, of every trial, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    panel = figure.subplots()
    for start in STARTS:
        for number, trial in enumerate(trials[start.name]):
            label = start.name if number == 0 else None
            layers = range(1, len(trial.gradients) + 1)
            panel.plot(layers, trial.gradients, color=start.color, alpha=0.6, label=label)
    panel.set(
        title=f"{LAYERS} hidden layers, before training",
        xlabel="layer, from the input",
        ylabel="‖gradient‖, 1 at the output",
        yscale="log",
    )
    panel.locator_params("x", integer=True)
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the gradients."""
    parser = argparse.ArgumentParser(description="Vanishing and exploding gradients.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each network")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--out", type=Path, default=Path("vanishing_gradients.png"), help="PNG file"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"gradients: {options.out}")


if __name__ == "__main__":
    main()
