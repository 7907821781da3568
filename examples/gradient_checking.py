"""Gradient checking finds a planted bug
=====================================

The gradient-checking experiment: a planted bug is found, and where it is.

A layer of one's own needs a backward pass, and that can be wrong: here a sine, whose slope is the
cosine of its input, takes the cosine of its output instead. Training hides such faults, since a
wrong gradient may still point downhill: the faulty network learns handwritten digits nearly as
well. The check compares backpropagation with central differences, array by array: a correct network
agrees but for rounding, the faulty one is off by 1e-1, from the faulty layer back to the input and
nowhere else.

.. code-block:: sh

    python examples/gradient_checking.py --out gradient_checking.png
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import fastnn
from fastnn import Dense, GradientCheck, Layer, Network

ROWS = 20
ENTRIES = 30  # of each array, to compare
RIGHT = 1e-7  # relative error in float64, above which a gradient is suspicious
NOTHING = 1e-12  # where an error of 0, a difference that rounding explains, is drawn
EPOCHS = 10
SEEDS = 10


# %%
# A layer of one's own, and its bug
# ---------------------------------
# Python functions that fill their first argument, and the layer that emits them.


def sine(y: np.ndarray, x: np.ndarray) -> None:
    """y and x have shape (B, units)."""
    np.sin(x, out=y)


def correct(dx: np.ndarray, dy: np.ndarray, y: np.ndarray, x: np.ndarray) -> None:
    """dx = dy cos x"""
    np.multiply(dy, np.cos(x), out=dx)


def faulty(dx: np.ndarray, dy: np.ndarray, y: np.ndarray, x: np.ndarray) -> None:
    """dx = dy cos y: the bug."""
    np.multiply(dy, np.cos(y), out=dx)


@dataclass(frozen=True)
class Sine(Layer):
    """The sine of every element, with or without the bug."""

    is_faulty: bool = False
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", sine, y, x)

        def pullback(dy, wanted):  # dx may take the place of dy
            if wanted:
                builder.emit("backward", faulty if self.is_faulty else correct, dy, dy, y, x)
            return dy if wanted else None

        return y, pullback


# %%
# One trial
# ---------
# The check, then the training that hides the bug.


@dataclass(frozen=True)
class Trial:
    """The gradient check of a network with fresh weights, and its accuracy after training."""

    check: GradientCheck
    accuracy: float


def examine(is_faulty: bool, seed: int, epochs: int = EPOCHS) -> Trial:
    """Check a network, then train it; `seed` draws the weights."""
    X, y = load_digits(return_X_y=True)
    network = Network(
        [Dense(32), Sine(is_faulty), Dense(16, "tanh"), Dense(10)],
        loss="softmax_cross_entropy",
        metrics=["accuracy"],
        seed=seed,
    )
    check = fastnn.gradient_check(network, X[:ROWS] / 16, y[:ROWS], n=ENTRIES, verbose=0)
    network.fit(X / 16, y, epochs=epochs, verbose=0)
    return Trial(check, network.evaluate(X / 16, y)["accuracy"])


def run(seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, list[Trial]]:
    """The trials of the correct and of the faulty network, for seeds 0, 1, …"""
    return {
        name: [examine(is_faulty, seed, epochs) for seed in range(seeds)]
        for name, is_faulty in (("correct", False), ("faulty", True))
    }


# %%
# What is shown
# -------------
# The worst of all seeds, array by array.


def worst_errors(runs: list[Trial]) -> dict[str, float]:
    """The largest relative error of any seed, by array."""
    return {
        name: max(trial.check.relative_errors[name] for trial in runs)
        for name in runs[0].check.relative_errors
    }


def table(trials: dict[str, list[Trial]]) -> str:
    """Largest relative error of every array, and median train accuracy."""
    lines = [f"{'relative error':<18}" + "".join(f"{name:>10}" for name in trials)]
    errors = [worst_errors(runs) for runs in trials.values()]
    lines += [f"{array:<18}" + "".join(f"{e[array]:>10.0e}" for e in errors) for array in errors[0]]
    medians = (statistics.median(trial.accuracy for trial in runs) for runs in trials.values())
    lines.append(f"{'train accuracy':<18}" + "".join(f"{median:>10.1%}" for median in medians))
    return "\n".join(lines)


def draw(trials: dict[str, list[Trial]], path: Path) -> None:
    """The largest relative error of every array, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    panel = figure.subplots()
    for (name, runs), color in zip(trials.items(), ("#0072b2", "#d55e00"), strict=True):
        errors = worst_errors(runs)
        heights = [max(error, NOTHING) for error in errors.values()]
        panel.plot(list(errors), heights, "o", color=color, label=name)
    panel.axhline(RIGHT, color="gray", linestyle="--", label="right is below")
    panel.set(title="backpropagation against differences", ylabel="relative error", yscale="log")
    panel.tick_params("x", rotation=30)
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the errors."""
    parser = argparse.ArgumentParser(description="A planted bug, and the check that finds it.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trials for each network")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--out", type=Path, default=Path("gradient_checking.png"), help="PNG file for the errors"
    )
    options = parser.parse_args(arguments)
    trials = run(options.seeds, options.epochs)
    print(table(trials))
    draw(trials, options.out)
    print(f"relative errors: {options.out}")


if __name__ == "__main__":
    main()
