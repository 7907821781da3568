"""What samplers are tried on: functions with known minima, and tables of networks' losses.

Every objective is minimised. Functions are those of the literature on global optimisation
(Surjanovic and Bingham: Virtual Library of Simulation Experiments), some on logarithmic, integer,
categorical or conditional parameters, as searches for hyper-parameters have them. Tables hold the
validation loss of every network of a grid, so that a trial costs a look.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import SGD, Dense, Dropout, Network
from fastnn.search import integers, log_integers, log_uniform, uniform

Point = np.ndarray


@dataclass(frozen=True)
class Objective:
    """A function of parameters, and the space that they are drawn from."""

    name: str
    space: Any
    value: Callable[[Mapping[str, Any]], float]


# --- functions of real numbers --------------------------------------------------------------------

HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_3 = (
    np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]]),
    1e-4
    * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]),
)
HARTMANN_6 = (
    np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    ),
    1e-4
    * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    ),
)


def branin(x: Point) -> float:
    bow = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
    return bow**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


def six_hump_camel(x: Point) -> float:
    a, b = x
    return (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2


def goldstein_price(x: Point) -> float:
    """Its logarithm: the values span five decades."""
    a, b = x
    one = 19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2
    two = 18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2
    return np.log((1 + (a + b + 1) ** 2 * one) * (30 + (2 * a - 3 * b) ** 2 * two))


def hartmann(x: Point, tables: tuple[np.ndarray, np.ndarray]) -> float:
    scales, centres = tables
    return -HARTMANN_WEIGHTS @ np.exp(-np.sum(scales * (x - centres) ** 2, axis=1))


def rosenbrock(x: Point) -> float:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def ackley(x: Point) -> float:
    spread, waves = np.sqrt(np.mean(x**2)), np.mean(np.cos(2 * np.pi * x))
    return -20 * np.exp(-0.2 * spread) - np.exp(waves) + 20 + np.e


def rastrigin(x: Point) -> float:
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def levy(x: Point) -> float:
    w = 1 + (x - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    return np.sin(np.pi * w[0]) ** 2 + np.sum(middle) + last


def griewank(x: Point) -> float:
    return np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1)))) + 1


def styblinski_tang(x: Point) -> float:
    return np.sum(x**4 - 16 * x**2 + 5 * x) / 2


def schwefel(x: Point) -> float:
    return 418.9829 * len(x) - np.sum(x * np.sin(np.sqrt(np.abs(x))))


def michalewicz(x: Point) -> float:
    steep = np.sin(np.arange(1, len(x) + 1) * x**2 / np.pi) ** 20
    return -np.sum(np.sin(x) * steep)


def dixon_price(x: Point) -> float:
    weights = np.arange(2, len(x) + 1)
    return (x[0] - 1) ** 2 + np.sum(weights * (2 * x[1:] ** 2 - x[:-1]) ** 2)


def zakharov(x: Point) -> float:
    slope = np.sum(np.arange(1, len(x) + 1) * x) / 2
    return np.sum(x**2) + slope**2 + slope**4


def _real(
    name: str, function: Callable[[Point], float], bounds: list[tuple[float, float]]
) -> Objective:
    space = {f"x{i}": uniform(low, high) for i, (low, high) in enumerate(bounds)}
    return Objective(name, space, lambda params: float(function(np.array(list(params.values())))))


def functions() -> list[Objective]:
    """Of real numbers, all on linear scales."""
    return [
        _real("Branin", branin, [(-5, 10), (0, 15)]),
        _real("six-hump camel", six_hump_camel, [(-3, 3), (-2, 2)]),
        _real("log Goldstein-Price", goldstein_price, [(-2, 2)] * 2),
        _real("Hartmann, 3", lambda x: hartmann(x, HARTMANN_3), [(0, 1)] * 3),
        _real("Hartmann, 6", lambda x: hartmann(x, HARTMANN_6), [(0, 1)] * 6),
        _real("Rosenbrock, 4", rosenbrock, [(-5, 10)] * 4),
        _real("Ackley, 5", ackley, [(-32.768, 32.768)] * 5),
        _real("Rastrigin, 4", rastrigin, [(-5.12, 5.12)] * 4),
        _real("Levy, 5", levy, [(-10, 10)] * 5),
        _real("Griewank, 4", griewank, [(-600, 600)] * 4),
        _real("Styblinski-Tang, 5", styblinski_tang, [(-5, 5)] * 5),
        _real("Schwefel, 3", schwefel, [(-500, 500)] * 3),
        _real("Michalewicz, 5", michalewicz, [(0, np.pi)] * 5),
        _real("Dixon-Price, 4", dixon_price, [(-10, 10)] * 4),
        _real("Zakharov, 4", zakharov, [(-5, 10)] * 4),
    ]


# --- other scales ---------------------------------------------------------------------------------


def _rates(params: Mapping[str, Any]) -> float:
    """A narrow valley along which rate and penalty trade, as learning rates and decay do."""
    rate, penalty, unit = (np.log10(params[name]) for name in ("rate", "penalty", "units"))
    return (rate + 2) ** 2 + 4 * (rate + penalty + 5) ** 2 + (unit - 1.8) ** 2


def _shifted_branin(params: Mapping[str, Any]) -> float:
    """A variant for each choice, of which one is best."""
    shift = {"a": 6.0, "b": 0.0, "c": 3.0, "d": 9.0}[params["kind"]]
    turn = {"plain": 0.0, "late": 2.0, "early": -1.0}[params["start"]]
    return float(branin(np.array([params["x0"] + turn, params["x1"]]))) + shift


def _layered(trial: Any) -> dict[str, Any]:
    """Units of a layer only where there is one."""
    layers = integers(1, 4).suggest(trial, "layers")
    units = [log_integers(4, 512).suggest(trial, f"units_{i}") for i in range(layers)]
    return {"units": units, "rate": log_uniform(1e-5, 1).suggest(trial, "rate")}


def _layers(params: Mapping[str, Any]) -> float:
    """Three layers that narrow are best, and the best rate falls with every layer."""
    units = np.log2(params["units"])
    wanted = np.array([7.0, 6.0, 5.0, 4.0])[: len(units)]
    rate = np.log10(params["rate"]) + 1.5 + 0.5 * len(units)
    return float(abs(len(units) - 3) + 0.3 * np.mean((units - wanted) ** 2) + rate**2)


def _optimizer_space(trial: Any) -> dict[str, Any]:
    """What is asked for depends on a choice."""
    kind = trial.suggest_categorical("optimizer", ["sgd", "momentum", "adam"])
    params = {"kind": kind, "rate": log_uniform(1e-5, 10).suggest(trial, f"rate of {kind}")}
    if kind == "momentum":
        params["memory"] = log_uniform(1e-3, 1).suggest(trial, "1 - momentum")
    return params


def _optimizers(params: Mapping[str, Any]) -> float:
    best, floor = {"sgd": (-0.5, 1.0), "momentum": (-1.5, 0.0), "adam": (-3.0, 0.3)}[params["kind"]]
    rate = np.log10(params["rate"])
    if params["kind"] == "momentum":
        rate -= np.log10(params["memory"]) + 1  # what counts is the ratio of the two
        floor = (np.log10(params["memory"]) + 1.3) ** 2
    return float(floor + (rate - best) ** 2)


def _lures(params: Mapping[str, Any]) -> float:
    """Choices that are good whatever else is chosen; others are better, within narrow limits."""
    distance = abs(np.log10(params["rate"]) + 2.5) + 2 * abs(params["dropout"] - 0.2)
    lured = (params["activation"] == "tanh") + (not params["batch_norm"])
    return float(0.2 * lured + min((4 - 1.8 * lured) * distance, 1.0 - 0.2 * lured))


def other_scales() -> list[Objective]:
    """Logarithmic, integer, categorical and conditional parameters."""
    rates = {
        "rate": log_uniform(1e-6, 1),
        "penalty": log_uniform(1e-8, 1),
        "units": log_integers(4, 1024),
    }
    branins = {
        "x0": uniform(-5, 10),
        "x1": uniform(0, 15),
        "kind": ["a", "b", "c", "d"],
        "start": ["plain", "late", "early"],
    }
    lures = {
        "rate": log_uniform(1e-5, 1),
        "dropout": uniform(0, 0.5),
        "activation": ["relu", "gelu", "tanh"],
        "batch_norm": [False, True],
    }
    whole = {f"x{i}": integers(-32, 32) for i in range(4)}
    steps = {f"x{i}": integers(-5, 10) for i in range(3)}
    return [
        Objective("rates, logarithmic", rates, _rates),
        Objective("Branin of 12 kinds", branins, _shifted_branin),
        Objective("Ackley, 4 integers", whole, lambda p: float(ackley(np.array(list(p.values()))))),
        Objective(
            "Rosenbrock, 3 integers", steps, lambda p: float(rosenbrock(np.array(list(p.values()))))
        ),
        Objective("choices that lure", lures, _lures),
        Objective("layers, conditional", _layered, _layers),
        Objective("optimizers, conditional", _optimizer_space, _optimizers),
    ]


# --- tables ---------------------------------------------------------------------------------------

#: Halves of decades, powers of two, tenths, and tens: 9 · 5 · 4 · 3 networks for each data set.
GRID = {
    "rate": integers(-6, 2),
    "units": integers(2, 6),
    "dropout": integers(0, 3),
    "memory": integers(0, 2),
}
ROWS, HELD_OUT, EPOCHS = 1500, 400, 4


def _network(point: Mapping[str, int], outputs: int) -> Network:
    layers = [Dense(2 ** point["units"], "relu"), Dropout(0.2 * point["dropout"]), Dense(outputs)]
    return Network(
        layers,
        loss="mean_squared_error" if outputs == 1 else "softmax_cross_entropy",
        optimizer=SGD(10 ** (point["rate"] / 2), momentum=1 - 10.0 ** -point["memory"]),
        seed=0,
    )


def table(name: str, X: np.ndarray, y: np.ndarray, outputs: int) -> Objective:
    """The validation loss of every network; of those that diverge, that of answering nothing."""
    points = [dict(zip(GRID, p, strict=True)) for p in itertools.product(*map(_values, GRID))]
    networks = [_network(point, outputs) for point in points]
    found = fastnn.fit_population(
        networks,
        X[:-HELD_OUT],
        y[:-HELD_OUT],
        epochs=EPOCHS,
        validation_data=(X[-HELD_OUT:], y[-HELD_OUT:]),
        on_error="record",
    )
    losses = [
        history["val_loss"][-1] if error is None else np.inf
        for history, error in zip(found.histories, found.errors, strict=True)
    ]
    worst = float(np.var(y)) if outputs == 1 else float(np.log(outputs))
    known = {
        tuple(p.values()): float(min(loss, worst)) for p, loss in zip(points, losses, strict=True)
    }
    return Objective(name, GRID, lambda params: known[tuple(params[key] for key in GRID)])


def _values(name: str) -> list[int]:
    return GRID[name].grid(name)


def tables(folder: Path) -> list[Objective]:
    """Of digits that scikit-learn brings, and of churn.csv and housing.csv in a folder."""
    return [
        table("networks on digits", *_digits(), 10),
        table("networks on churn", *_churn(folder), 2),
        table("networks on housing", *_housing(folder), 1),
    ]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:ROWS] / 16, y[:ROWS]


def _churn(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    frame = pd.read_csv(folder / "telco_churn.csv", na_values=" ").dropna()[:ROWS]
    features = pd.get_dummies(frame.drop(columns=["customerID", "Churn"]), dtype=float)
    return StandardScaler().fit_transform(features), (frame["Churn"] == "Yes").to_numpy(int)


def _housing(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Districts drawn at random: the file has them by place."""
    import pandas as pd

    frame = pd.read_csv(folder / "california_housing.csv").dropna().sample(ROWS, random_state=0)
    target = frame.pop("median_house_value") / 1e5
    features = pd.get_dummies(frame, dtype=float)
    return StandardScaler().fit_transform(features), target.to_numpy()
