"""Test figures beside those of a baseline that has not looked at the columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score

from ..summary import table


def scores_table(train: np.ndarray, test: np.ndarray, predicted: np.ndarray) -> str:
    """Scores of predictions for the test rows, and of the training rows' commonest class or mean.

    Parameters
    ----------
    train, test, predicted : ndarray, shape (n,)
        Text for classes, numbers for regression.
    """
    if train.dtype == object:
        labels, counts = np.unique(train, return_counts=True)
        constant = labels[counts.argmax()]
        heading = ("test", "accuracy", "F1 (mean of classes)")
        score = _classification
    else:
        constant = np.mean(train)
        heading = ("test", "R²", "mean absolute error")
        score = _regression
    name = f"always {constant}" if train.dtype == object else f"always the mean, {constant:.6g}"
    baseline = np.full_like(test, constant)
    rows: list[tuple[str, ...]] = [
        heading,
        ("network", *score(test, predicted)),
        (name, *score(test, baseline)),
    ]
    return table(rows, right=frozenset({1, 2}))


def _classification(true: np.ndarray, predicted: np.ndarray) -> tuple[str, str]:
    numbers, _ = pd.factorize(np.concatenate([true, predicted]))  # are compared faster than text
    true, predicted = np.split(numbers, 2)
    f1 = f1_score(true, predicted, average="macro", zero_division=0.0)
    return f"{accuracy_score(true, predicted):.4f}", f"{f1:.4f}"


def _regression(true: np.ndarray, predicted: np.ndarray) -> tuple[str, str]:
    # R² compares with the test rows' own mean: a single row has no variance to explain.
    r2 = f"{r2_score(true, predicted):.4f}" if len(true) > 1 else "-"
    return r2, f"{mean_absolute_error(true, predicted):.6g}"
