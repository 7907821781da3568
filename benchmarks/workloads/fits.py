"""Whole fits of the estimators, beside scikit-learn's."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import fastnn


@dataclass(frozen=True)
class Problem:
    """Data and estimator, and the least ratio to scikit-learn wanted for float32 and float64."""

    name: str
    estimator: str
    load: Callable[[Path], tuple[np.ndarray, np.ndarray]]
    epochs: int
    sizes: tuple[int, ...]
    targets: tuple[float | None, float | None]

    def arguments(self, smoke: bool = False) -> dict[str, Any]:
        """Return those of the estimator, which does all epochs, however little they improve."""
        epochs = 2 if smoke else self.epochs
        return {
            "hidden_layer_sizes": self.sizes,
            "max_iter": epochs,
            "n_iter_no_change": epochs + 1,
        }


def digits(_: Path = Path()) -> tuple[np.ndarray, np.ndarray]:
    """Return the images that scikit-learn has, and their digits."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def housing(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return eight numbers of each district, and the median value of its houses in $100,000."""
    path = folder / "california_housing.csv"
    numbers = range(9)  # the last column holds words
    table = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=numbers, filling_values=0)
    return StandardScaler().fit_transform(table[:, :8]), table[:, 8] / 1e5


def mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(folder / "mnist10k" / "images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16)
    with gzip.open(folder / "mnist10k" / "labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.reshape(len(labels), -1) / 255, labels


PROBLEMS = (
    Problem("digits", "MLPClassifier", digits, 60, (100,), (6, 4)),
    Problem("housing", "MLPRegressor", housing, 10, (64, 64), (4, None)),
    Problem("mnist", "MLPClassifier", mnist, 5, (256, 128), (2.5, None)),
)

SIDES = ("scikit-learn", "fastnn")


def estimators_of(side: str) -> ModuleType:
    """Return the module that has the estimators of a side."""
    return fastnn if side == "fastnn" else sklearn.neural_network


def whole_fit(
    side: str, problem: Problem, dtype: str, smoke: bool = False
) -> tuple[Callable[[], object], Callable[[], float]]:
    """Return a function that fits, and one that scores the last fit on the same rows."""
    X, y = problem.load(Path())
    X = X.astype(dtype)
    kind = getattr(estimators_of(side), problem.estimator)
    estimator = kind(random_state=0, **problem.arguments(smoke))

    def fit() -> object:
        with warnings.catch_warnings():  # the number of epochs is ours to say
            warnings.simplefilter("ignore", ConvergenceWarning)
            return estimator.fit(X, y)

    return fit, lambda: estimator.score(X, y)
