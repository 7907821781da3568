"""Full fits of the estimators against scikit-learn's own: same data, same arguments, one thread.

    python benchmarks/estimators.py [--repeats 5] [--threads 1] [--data FOLDER]

Both sides run in one process, in turns; figures are medians of the repeats. Since random states
give the same weights and shuffles on both sides, the work is the same to rounding. California
housing is read from FOLDER/california_housing.csv where that exists.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fastnn

MODULES = {"scikit-learn": sklearn.neural_network, "fastnn": fastnn}


def digits(folder: Path) -> tuple[str, np.ndarray, np.ndarray, dict]:
    X, y = load_digits(return_X_y=True)
    return "MLPClassifier", X / 16, y, {"max_iter": 30}


def housing(folder: Path) -> tuple[str, np.ndarray, np.ndarray, dict]:
    numbers = range(9)  # the last column holds words
    path = folder / "california_housing.csv"
    table = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=numbers, filling_values=0)
    X, y = table[:, :8], table[:, 8] / 1e5
    options = {"hidden_layer_sizes": (64, 64), "max_iter": 5}
    return "MLPRegressor", StandardScaler().fit_transform(X), y, options


PROBLEMS: dict[str, Callable] = {"digits": digits, "housing": housing}


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(name: str, X: np.ndarray, y: np.ndarray, options: dict, repeats: int) -> dict:
    """Median seconds of fit and of one-row predictions on each side, and the score."""
    times: dict[str, list[float]] = {f"{side} {what}": [] for side in MODULES for what in "fp"}
    scores = {}
    for seed in range(repeats + 1):  # the first one warms up
        for side, module in MODULES.items():
            estimator = getattr(module, name)(random_state=seed, **options)
            fit = seconds(lambda e=estimator: e.fit(X, y))
            predict = seconds(lambda e=estimator: [e.predict(X[:1]) for _ in range(20)]) / 20
            scores[side] = estimator.score(X, y)
            if seed:
                times[f"{side} f"].append(fit)
                times[f"{side} p"].append(predict)
    return {key: statistics.median(values) for key, values in times.items()} | scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path("data"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    fastnn.set_num_threads(arguments.threads)
    print(f"{'problem':>8} {'dtype':>8} {'fit':>7} {'predict':>8}   score: theirs, ours")
    with threadpool_limits(arguments.threads):
        for problem, load in PROBLEMS.items():
            try:
                name, X, y, options = load(arguments.data)
            except FileNotFoundError as missing:
                print(f"{problem:>8} left out: no {missing.filename}")
                continue
            for dtype in ("float32", "float64"):
                result = compare(name, X.astype(dtype), y, options, arguments.repeats)
                fit = result["scikit-learn f"] / result["fastnn f"]
                predict = result["scikit-learn p"] / result["fastnn p"]
                scores = f"{result['scikit-learn']:.4f} {result['fastnn']:.4f}"
                print(f"{problem:>8} {dtype:>8} {fit:>6.1f}× {predict:>7.2f}×   {scores}")


if __name__ == "__main__":
    main()
