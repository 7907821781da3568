"""Test figures of a network beside those of a constant prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score

from ..utils.text import table
from . import streams

if TYPE_CHECKING:
    from ..network import Network
    from .preparation import Prepared

_ERROR = "mean absolute error"


@dataclass(frozen=True)
class Scores:
    """Figures of a network and of a constant prediction on the test rows.

    Attributes
    ----------
    heading : tuple of str
        Heading of the table: "test" and the names of the figures.
    network, constant : tuple of float
        The figures; NaN where undefined. A larger first figure is better.
    constant_name : str
        Description of the constant, such as "always yes".
    """

    heading: tuple[str, ...]
    network: tuple[float, ...]
    constant: tuple[float, ...]
    constant_name: str

    def table(self) -> str:
        """Return the figures as lines of text."""
        rows: list[tuple[str, ...]] = [
            self.heading,
            ("network", *map(_figure, self.heading[1:], self.network)),
            (self.constant_name, *map(_figure, self.heading[1:], self.constant)),
        ]
        return table(rows, right=frozenset({1, 2}))

    def warning(self) -> str:
        """Return a sentence if the network is no better than the constant, else nothing."""
        if not self.network[0] <= self.constant[0]:
            return ""
        name = self.heading[1]
        return (
            f"warning: the network is no better on the test rows than {self.constant_name} "
            f"({name} {self.network[0]:.4f} and {self.constant[0]:.4f})"
        )


def compare(train: np.ndarray, test: np.ndarray, predicted: np.ndarray) -> Scores:
    """Score predictions for the test rows beside the most frequent class or mean in training.

    Parameters
    ----------
    train, test, predicted : ndarray, shape (n,)
        Text for classes, numbers for regression.

    Returns
    -------
    Scores
    """
    if train.dtype == object:
        labels, counts = np.unique(train, return_counts=True)
        constant = labels[counts.argmax()]
        heading = ("test", "accuracy", "F1 (mean of classes)")
        score, name = _classification, f"always {constant}"
    else:
        unit = _magnitude(train)  # float64 may not hold the sum of the values
        constant = unit * np.mean(train / unit)
        heading = ("test", "R²", _ERROR)
        score, name = _regression, f"always the mean, {constant:.6g}"
    baseline = np.full_like(test, constant)
    return Scores(heading, score(test, predicted), score(test, baseline), name)


def tell(network: Network, prepared: Prepared) -> None:
    """Print the figures of a network on the test rows, if there are any."""
    if not len(prepared.test):
        return
    predicted = prepared.preprocessing.target.decode(network.predict(prepared.x_test))
    found = compare(prepared.train, prepared.test, predicted)
    streams.say(found.table())
    if found.warning():
        streams.note(found.warning())


def _figure(name: str, value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.6g}" if name == _ERROR else f"{value:.4f}"


def _classification(true: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    numbers, _ = pd.factorize(np.concatenate([true, predicted]))  # faster to compare than text
    true, predicted = np.split(numbers, 2)
    f1 = f1_score(true, predicted, average="macro", zero_division=0.0)
    return accuracy_score(true, predicted), f1


def _regression(true: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    unit = _magnitude(true)  # float64 may not hold the squares of the values
    scaled, estimated = true / unit, predicted / unit
    # R² compares with the test rows' own mean: equal values have no variance to explain.
    r2 = r2_score(scaled, estimated) if np.ptp(scaled) else np.nan
    return r2, unit * mean_absolute_error(scaled, estimated)


def _magnitude(values: np.ndarray) -> float:
    """Return the largest power of two up to the largest value; dividing by it is exact."""
    _, exponent = np.frexp(np.abs(values).max())
    return float(np.ldexp(1.0, exponent - 1))
