"""Grid against random search
==========================

The experiment of Bergstra and Bengio: a grid of trials against as many random ones.

Of four hyper-parameters one matters, the learning rate; the penalties of two layers and the number
of units do not, in the ranges that are searched. A grid of 81 trials tries three learning rates, 27
times each; 81 random trials try 81. Where the optimum lies nobody knows, so the place of the grid
in the space is drawn too. Small networks learn digits of MNIST, and which customers of a telephone
company leave: random search reaches the best loss of the whole grid in a few trials. (Random search
for hyper-parameter optimization, JMLR 13, 2012.)

.. code-block:: sh

    python examples/grid_versus_random.py --data FOLDER --out grid_versus_random.png

FOLDER holds mnist10k/images-idx3-ubyte.gz, mnist10k/labels-idx1-ubyte.gz and telco_churn.csv;
without it, two data sets of scikit-learn are taken: digits of 8 × 8 pixels, and tumours.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

from fastnn import SGD, Dense, Network
from fastnn.search import log_integers, log_uniform, search

ROWS = 1200  # at most, of which a third is held out
EPOCHS = 3
SEEDS = 10
POINTS = 3  # of the grid, on each axis
RANGES = {
    "learning_rate": (1e-4, 10.0),
    "l2_1": (1e-8, 1e-5),
    "l2_2": (1e-8, 1e-5),
    "units": (24, 40),
}

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#888888"


# %%
# The data
# --------
# Digits and customers from a folder, or what comes with scikit-learn.


@dataclass(frozen=True)
class Problem:
    """Rows to train on and to validate on: X (n, features), classes (n,)."""

    name: str
    X: np.ndarray
    y: np.ndarray

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the rows to train on and of those held out, drawn by the seed."""
        drawn = np.random.default_rng(seed).permutation(len(self.X))[:ROWS]
        held_out = len(drawn) // 3
        return drawn[held_out:], drawn[:held_out]


def read_digits(folder: Path) -> Problem:
    """Images of MNIST as rows in [0, 1]."""
    with gzip.open(folder / "images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    with gzip.open(folder / "labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    X = pixels.reshape(len(labels), -1).astype(np.float32) / 255
    return Problem("MNIST", X, labels.astype(np.int64))


def read_churn(path: Path) -> Problem:
    """Customers, their categories as columns of 0 and 1."""
    import pandas as pd

    frame = pd.read_csv(path, na_values=" ").dropna()
    X = pd.get_dummies(frame.drop(columns=["customerID", "Churn"]), dtype=float).to_numpy()
    return Problem("churn", standardized(X), (frame["Churn"] == "Yes").to_numpy(np.int64))


def standardized(X: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1."""
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)


def read(folder: Path) -> list[Problem]:
    """Both data sets."""
    return [read_digits(folder / "mnist10k"), read_churn(folder / "telco_churn.csv")]


def bundled() -> list[Problem]:
    """Two of scikit-learn's."""
    digits, tumours = (load(return_X_y=True) for load in (load_digits, load_breast_cancer))
    return [
        Problem("digits", (digits[0] / 16).astype(np.float32), digits[1]),
        Problem("tumours", standardized(tumours[0]), tumours[1]),
    ]


# %%
# The searches
# ------------
# Both on the same rows, from the same seed of all networks, so that luck decides nothing.


@dataclass(frozen=True)
class Trials:
    """The values that one search tried, in its order, and validation losses: (trials,) each."""

    params: dict[str, np.ndarray]
    losses: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """The best loss so far, after each trial."""
        return np.minimum.accumulate(self.losses)


@dataclass(frozen=True)
class Duel:
    """A grid and as many random trials on the same rows."""

    grid: Trials
    random: Trials

    @property
    def needed(self) -> int:
        """Random trials until one is as good as the whole grid; one more than all if none is."""
        reached = self.random.best <= self.grid.best[-1]
        return int(np.argmax(reached)) + 1 if reached.any() else len(reached) + 1


def build(params: dict[str, Any], outputs: int, seed: int) -> Network:
    """One hidden layer; the seed is that of all trials of a duel."""
    layers = [Dense(params["units"], "relu", l2=params["l2_1"]), Dense(outputs, l2=params["l2_2"])]
    optimizer = SGD(params["learning_rate"])
    return Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=seed)


def grid(seed: int, points: int = POINTS) -> dict[str, list[float]]:
    """Evenly spaced values on each logarithmic axis, the place of the first drawn by the seed."""
    rng = np.random.default_rng(seed)
    space = {}
    for name, (low, high) in RANGES.items():
        shares = (np.arange(points) + rng.uniform()) / points
        values = low * (high / low) ** shares
        space[name] = [round(v) if name == "units" else float(v) for v in values]
    return space


def run_search(problem: Problem, space: dict[str, Any], seed: int, **how: Any) -> Trials:
    """One search; the seed draws rows, weights and, for random search, the trials."""
    known, held_out = problem.split(seed)
    result = search(
        partial(build, outputs=int(problem.y.max()) + 1, seed=seed),
        space,
        problem.X[known],
        problem.y[known],
        validation_data=(problem.X[held_out], problem.y[held_out]),
        epochs=EPOCHS,
        seed=seed,
        verbose=0,
        **how,
    )
    trials = result.trials  # those that diverged have no loss
    params = {name: trials[f"params_{name}"].to_numpy() for name in RANGES}
    return Trials(params, trials["val_loss"].fillna(np.inf).to_numpy())


def duel(problem: Problem, seed: int, points: int = POINTS) -> Duel:
    """A grid of so many points on each axis, and as many random trials."""
    space = {
        name: (log_integers if name == "units" else log_uniform)(*ends)
        for name, ends in RANGES.items()
    }
    trials = points ** len(RANGES)
    return Duel(
        run_search(problem, grid(seed, points), seed, sampler="grid"),
        run_search(problem, space, seed, sampler="random", trials=trials),
    )


def run(problems: Sequence[Problem], seeds: int = SEEDS, points: int = POINTS) -> dict[str, Any]:
    """The duels on each data set, by its name, for seeds 0, 1, …"""
    return {p.name: [duel(p, seed, points) for seed in range(seeds)] for p in problems}


def table(duels: dict[str, list[Duel]]) -> str:
    """Medians of the best losses, and random trials until the best of the grid is reached."""
    lines = [f"{'data':<10}{'grid':>8}{'random':>8}{'trials':>8}{'needed':>8}{'min – max':>12}"]
    for name, found in duels.items():
        medians = [
            statistics.median(getattr(one, kind).best[-1] for one in found)
            for kind in ("grid", "random")
        ]
        needed = [one.needed for one in found]
        spread = f"{min(needed)} – {max(needed)}"
        lines.append(
            f"{name:<10}{medians[0]:>8.3f}{medians[1]:>8.3f}{len(found[0].grid.losses):>8}"
            f"{statistics.median(needed):>8g}{spread:>12}"
        )
    return "\n".join(lines)


# %%
# The figure
# ----------
# As theirs: what a look along each axis sees of the trials; and the best loss so far.


def draw(duels: dict[str, list[Duel]], path: Path) -> None:
    """For each data set the two layouts of the first seed, and the best so far over all seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 4.3 * len(duels)), layout="constrained")
    rows = figure.subfigures(len(duels), 1, squeeze=False)[:, 0]
    for row, (name, found) in zip(rows, duels.items(), strict=True):
        first = found[0]
        left, middle, right = row.subfigures(1, 3, width_ratios=(1, 1, 1.05))
        limits = loss_limits(first)
        title = f"{name}: grid, {len(first.grid.losses)} trials"
        draw_layout(left, first.grid, limits, title, BLUE)
        title = f"{name}: random, {len(first.random.losses)} trials"
        draw_layout(middle, first.random, limits, title, ORANGE)
        draw_efficiency(right.subplots(), found, name)
    figure.savefig(path, dpi=120)


def loss_limits(first: Duel) -> tuple[float, float]:
    """Return limits from below the best to above the middle: the worst losses would flatten it."""
    losses = np.concatenate([first.grid.losses, first.random.losses])
    low, high = losses.min(), np.median(losses[np.isfinite(losses)])
    return low - 0.1 * (high - low), high + 0.5 * (high - low)


def draw_layout(
    figure: Any, trials: Trials, limits: tuple[float, float], title: str, colour: str
) -> None:
    """The trials in the plane, and on each axis what a look along the other one sees."""
    panels = figure.subplots(2, 2, width_ratios=(3, 1), height_ratios=(1, 3))
    (above, corner), (plane, beside) = panels
    corner.set_visible(False)
    rate, l2 = trials.params["learning_rate"], trials.params["l2_1"]
    losses = np.minimum(trials.losses, limits[1])
    style = {"s": 16, "color": colour, "alpha": 0.7, "linewidths": 0, "clip_on": False}
    above.scatter(rate, losses, **style)
    beside.scatter(losses, l2, **style)
    plane.scatter(rate, l2, **style)
    (low_rate, high_rate), (low_l2, high_l2) = RANGES["learning_rate"], RANGES["l2_1"]
    for panel in (above, plane):
        panel.set_xscale("log")
        panel.set_xlim(low_rate, high_rate)
        for value in np.unique(rate):
            panel.axvline(value, color=colour, alpha=0.18, linewidth=0.8)
    for panel in (beside, plane):
        panel.set_yscale("log")
        panel.set_ylim(low_l2, high_l2)
        for value in np.unique(l2):
            panel.axhline(value, color=colour, alpha=0.12, linewidth=0.8)
    above.set_ylim(*limits)
    beside.set_xlim(*limits)
    above.tick_params(labelbottom=False)
    beside.tick_params(labelleft=False)
    above.set_title(title, loc="left", fontsize="medium")
    above.set_ylabel("loss")
    beside.set_xlabel("loss")
    plane.set_xlabel("learning rate, which matters")
    plane.set_ylabel("l2 of layer 1, which does not")
    for panel in (above, plane, beside):
        panel.spines[["top", "right"]].set_visible(False)
        panel.minorticks_off()


def draw_efficiency(panel: Any, found: list[Duel], name: str) -> None:
    """Median and quartiles of the best loss so far, in units of what the whole grid reaches."""
    trials = np.arange(1, len(found[0].grid.losses) + 1)
    least = 1.0
    for kind, colour in (("grid", BLUE), ("random", ORANGE)):
        courses = [getattr(one, kind).best / one.grid.best[-1] for one in found]
        low, middle, high = np.percentile(courses, [25, 50, 75], axis=0)
        panel.fill_between(trials, low, high, color=colour, alpha=0.18, linewidth=0)
        panel.plot(trials, middle, color=colour, label=kind)
        least = min(least, low[-1])
    needed = statistics.median(one.needed for one in found)
    panel.axhline(1, color=GREY, linewidth=1, linestyle="--")
    panel.axvline(needed, color=GREY, linewidth=1, linestyle=":")
    panel.annotate(
        f"as good as the whole grid\nafter {needed:g} random trials",
        (needed, 1.0),
        (0.97, 0.6),
        textcoords="axes fraction",
        ha="right",
        arrowprops={"arrowstyle": "->", "color": GREY},
    )
    panel.set_xscale("log", base=2)
    ticks = 2 ** np.arange(int(np.log2(len(trials))) + 1)
    panel.set_xticks(ticks, [str(t) for t in ticks])
    panel.set_ylim(least - 0.05, 2 - least + 0.5)
    panel.set_xlabel("trials")
    panel.set_ylabel("best loss so far / best of the whole grid")
    panel.set_title(f"{name}: {len(found)} seeds, medians and quartiles", loc="left", size="medium")
    panel.legend(frameon=False, loc="upper right")
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)


# %%
# The experiment
# --------------
# Printed and drawn for fewer seeds than from the shell, where there are ten.


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print its table and draw the figure."""
    parser = argparse.ArgumentParser(description="Grid search against random search.")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST and customers")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="duels on each data set")
    parser.add_argument("--points", type=int, default=POINTS, help="of the grid, on each axis")
    parser.add_argument(
        "--out", type=Path, default=Path("grid_versus_random.png"), help="PNG file for the figure"
    )
    options = parser.parse_args(arguments)
    problems = bundled() if options.data is None else read(options.data)
    duels = run(problems, options.seeds, options.points)
    print(table(duels))
    draw(duels, options.out)
    print(f"layouts and courses: {options.out}")


if __name__ == "__main__":
    main()
