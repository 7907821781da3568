"""Whole fits of the estimators, and many networks beside one another."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class Problem:
    """What to fit, and the least ratio to scikit-learn wanted for float32 and float64."""

    name: str
    estimator: str
    load: Callable[[Path], tuple[np.ndarray, np.ndarray]]
    epochs: int
    sizes: tuple[int, ...]
    goals: tuple[float | None, float | None]

    def arguments(self, smoke: bool = False) -> dict[str, Any]:
        """Of the estimator; all epochs are done, however little they improve."""
        epochs = 2 if smoke else self.epochs
        return {
            "hidden_layer_sizes": self.sizes,
            "max_iter": epochs,
            "n_iter_no_change": epochs + 1,
        }


def digits(_: Path = Path()) -> tuple[np.ndarray, np.ndarray]:
    """Bundled with scikit-learn."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def housing(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Eight numbers of each district, and the median value of its houses in 100,000 dollars."""
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

RATES = tuple(np.geomspace(1e-4, 1e-1, 16))
EPOCHS = 5  # of each network


def candidates():
    """Networks for the digits, one for each learning rate, as a search would try them."""
    from fastnn import Adam, Dense, Network

    return [
        Network([Dense(50, "relu"), Dense(10)], loss="softmax_cross_entropy", optimizer=Adam(rate))
        for rate in RATES
    ]


def one_by_one() -> None:
    """Train all candidates, each after the other."""
    X, y = digits()
    for network in candidates():
        network.fit(X, y, epochs=EPOCHS, verbose=0)


def as_population() -> None:
    """Train all candidates in one call; NotImplementedError before there was such a call."""
    import fastnn

    if not hasattr(fastnn, "fit_population"):
        raise NotImplementedError("there is no fastnn.fit_population")
    X, y = digits()
    fastnn.fit_population(candidates(), X, y, epochs=EPOCHS)


SEARCHES = {"one by one": one_by_one, "population": as_population}
