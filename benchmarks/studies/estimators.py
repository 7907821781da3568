"""Compare the estimators with scikit-learn's own: full fits, single rows and a grid search.

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

from studies.turns import in_turn, line
from workloads.fits import PROBLEMS, SIDES, Problem, digits, estimators_of
from workloads.timing import duration

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
SEARCH_TARGET = 5

Figures = dict[str, np.ndarray]  # over the seeds


def turn(problem: Problem, parts: list[np.ndarray], seed: int, smoke: bool) -> dict[str, float]:
    """Return seconds and test scores of both sides for one random state."""
    X_train, X_test, y_train, y_test = parts
    figures = {}
    for side in SIDES:
        time.sleep(PAUSE)
        kind = getattr(estimators_of(side), problem.estimator)
        estimator = kind(random_state=seed, **problem.arguments(smoke))
        figures[f"{side} fit"] = duration(partial(estimator.fit, X_train, y_train), 1)
        figures[f"{side} predict"] = seconds_of_a_row(partial(estimator.predict, X_test[:1]))
        figures[f"{side} score"] = estimator.score(X_test, y_test)
    figures["predictor"] = seconds_of_a_row(partial(estimator.predictor(), X_test[0]))
    return figures


def seconds_of_a_row(predict: Callable[[], object]) -> float:
    """Return the mean of many predictions."""
    return duration(predict, PREDICTIONS) / PREDICTIONS


def compare(problem: Problem, X: np.ndarray, y: np.ndarray, seeds: int, smoke: bool) -> Figures:
    """Return the figures of a turn for each seed, after a turn that warms up."""
    parts = train_test_split(X, y, test_size=0.2, random_state=0)
    turn(problem, parts, 0, smoke)
    turns = [turn(problem, parts, seed, smoke) for seed in range(seeds)]
    return {name: np.array([figures[name] for figures in turns]) for name in turns[0]}


def report_fits(problem: Problem, folder: Path, threads: int, seeds: int, smoke: bool) -> None:
    """Print the ratios of fits and of predictions, by dtype."""
    try:
        X, y = problem.load(folder)
    except FileNotFoundError as missing:
        print(f"{problem.name:<26} left out: no {missing.filename}")
        return
    for dtype, target in zip(("float32", "float64"), problem.targets, strict=True):
        figures = compare(problem, X.astype(dtype), y, seeds, smoke)
        theirs, ours = ({k: figures[f"{side} {k}"] for k in ("fit", "predict")} for side in SIDES)
        scores = [(side, figures[f"{side} score"]) for side in SIDES]
        shown = ", ".join(f"{side} {s.mean():.4f} ± {s.std():.4f}" for side, s in scores)
        label = f"{problem.name}, {dtype}, {threads} thread(s)"
        target = f"≥ {target}" if target else ""
        print(line(label, theirs["fit"] / ours["fit"], target, shown))
        single = f"predictor() {1e6 * np.median(figures['predictor']):.2f} µs"
        print(line("    predict, one row", theirs["predict"] / ours["predict"], "≥ 1", single))


def grid_search(side: str, backend: str, smoke: bool) -> Callable[[], object]:
    """Return a function that tries twelve settings in two workers."""
    X, y = digits()
    X = X.astype("float32")
    epochs = 2 if smoke else 60
    kind = estimators_of(side).MLPClassifier
    estimator = kind(random_state=0, max_iter=epochs, n_iter_no_change=epochs + 1)

    def fit() -> object:
        with joblib.parallel_config(backend):
            return GridSearchCV(estimator, GRID, cv=2 if smoke else 5, n_jobs=2).fit(X, y)

    return fit


def report_searches(repeats: int, smoke: bool) -> None:
    """Print the ratios of searches in processes, for fastnn in threads of this process too."""
    ways = {
        "": ("scikit-learn", "loky"),
        "loky": ("fastnn", "loky"),
        "threads": ("fastnn", "threading"),
    }
    times = in_turn({name: grid_search(*way, smoke) for name, way in ways.items()}, repeats)
    base = times.pop("")
    for name, seconds in times.items():
        print(line(f"grid search, digits, {name}", base / seconds, f"≥ {SEARCH_TARGET}"))


def main() -> None:
    """Compare fits for each number of threads, then searches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--smoke", action="store_true", help="a few epochs of everything")
    parser.add_argument("--data", type=Path, default=Path("data"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = 2 if options.smoke else options.seeds
    for threads in options.threads:
        fastnn.set_num_threads(threads)
        with threadpool_limits(threads):
            for problem in PROBLEMS:
                report_fits(problem, options.data, threads, seeds, options.smoke)
    report_searches(1 if options.smoke else 5, options.smoke)


if __name__ == "__main__":
    main()
