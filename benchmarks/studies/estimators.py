"""The estimators against scikit-learn's own: full fits, single rows and a grid search.

    python benchmarks/studies/estimators.py [--threads 1 2] [--seeds 10] [--smoke] [--data FOLDER]

Both sides get the same data, arguments and random states in one process and take turns; a ratio is
scikit-learn's time over fastnn's in two fits that followed each other. Shown are medians and
quartiles of the ratios over the seeds, beside the smallest that is wanted, and mean and spread of
the test scores. FOLDER holds california_housing.csv and mnist10k/; what is absent is left out.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from workloads.fits import PROBLEMS, SIDES, Problem, digits, estimators_of

import fastnn

PREDICTIONS = 200  # of one row, for each time that is taken
#: Seconds before each side's turn: idle threads of OpenBLAS go on spinning for a tenth of a second,
#: which would count for whoever comes next.
PAUSE = 0.3
GRID = {
    "alpha": [1e-4, 1e-2],
    "learning_rate_init": [3e-4, 1e-3, 3e-3],
    "hidden_layer_sizes": [(50,), (100,)],
}


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def turn(problem: Problem, parts: list[np.ndarray], seed: int, smoke: bool) -> dict[str, float]:
    """Seconds and test scores of both sides for one random state."""
    X_train, X_test, y_train, y_test = parts
    figures = {}
    for side in SIDES:
        time.sleep(PAUSE)
        kind = getattr(estimators_of(side), problem.estimator)
        estimator = kind(random_state=seed, **problem.arguments(smoke))
        figures[f"{side} fit"] = seconds(partial(estimator.fit, X_train, y_train))
        figures[f"{side} predict"] = seconds_per_row(estimator.predict, X_test[:1])
        figures[f"{side} score"] = estimator.score(X_test, y_test)
    figures["predictor"] = seconds_per_row(estimator.predictor(), X_test[0])
    return figures


def seconds_per_row(predict: Callable[[np.ndarray], object], row: np.ndarray) -> float:
    return seconds(lambda: [predict(row) for _ in range(PREDICTIONS)]) / PREDICTIONS


def compare(
    problem: Problem, X: np.ndarray, y: np.ndarray, seeds: int, smoke: bool
) -> dict[str, np.ndarray]:
    """The figures of a turn, as arrays over the seeds; a turn before them warms up."""
    parts = train_test_split(X, y, test_size=0.2, random_state=0)
    turn(problem, parts, 0, smoke)
    turns = [turn(problem, parts, seed, smoke) for seed in range(seeds)]
    return {name: np.array([figures[name] for figures in turns]) for name in turns[0]}


def line(label: str, ratios: np.ndarray, goal: float | None, rest: str = "") -> str:
    low, median, high = np.percentile(ratios, [25, 50, 75])
    wanted = "" if goal is None else f"≥ {goal}"
    return f"{label:<26} {median:6.2f} × ({low:.2f} – {high:.2f})  {wanted:<6} {rest}"


def report_fits(problem: Problem, folder: Path, threads: int, seeds: int, smoke: bool) -> None:
    try:
        X, y = problem.load(folder)
    except FileNotFoundError as missing:
        print(f"{problem.name:<26} left out: no {missing.filename}")
        return
    for dtype, goal in zip(("float32", "float64"), problem.goals, strict=True):
        figures = compare(problem, X.astype(dtype), y, seeds, smoke)
        label = f"{problem.name}, {dtype}, {threads} thread(s)"
        scores = ", ".join(
            f"{side} {figures[f'{side} score'].mean():.4f} ± {figures[f'{side} score'].std():.4f}"
            for side in SIDES
        )
        print(line(label, figures["scikit-learn fit"] / figures["fastnn fit"], goal, scores))
        predict = figures["scikit-learn predict"] / figures["fastnn predict"]
        single = f"predictor() {1e6 * np.median(figures['predictor']):.2f} µs"
        print(line("    predict, one row", predict, 1, single))


def grid_search(side: str, smoke: bool) -> GridSearchCV:
    kind = estimators_of(side).MLPClassifier
    epochs = 2 if smoke else 60
    estimator = kind(random_state=0, max_iter=epochs, n_iter_no_change=epochs + 1)
    return GridSearchCV(estimator, GRID, cv=2 if smoke else 5, n_jobs=2)


def report_searches(repeats: int, smoke: bool) -> None:
    """Twelve settings in two workers; fastnn also in threads of this process."""
    X, y = digits(Path())
    X = X.astype("float32")
    ways = (("scikit-learn", "loky"), ("fastnn", "loky"), ("fastnn", "threading"))
    times: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
    for repeat in range(repeats + 1):  # the first one starts the workers
        for side, backend in ways:
            search = grid_search(side, smoke)
            with joblib.parallel_config(backend):
                taken = seconds(partial(search.fit, X, y))
            if repeat:
                times[side, backend].append(taken)
    base = np.array(times["scikit-learn", "loky"])
    for way in ways[1:]:
        print(line(f"grid search, digits, {way[1]}", base / times[way], 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--smoke", action="store_true", help="a few epochs of everything")
    parser.add_argument("--data", type=Path, default=Path("data"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = 2 if arguments.smoke else arguments.seeds
    for threads in arguments.threads:
        fastnn.set_num_threads(threads)
        with threadpool_limits(threads):
            for problem in PROBLEMS:
                report_fits(problem, arguments.data, threads, seeds, arguments.smoke)
    report_searches(1 if arguments.smoke else 5, arguments.smoke)


if __name__ == "__main__":
    main()
