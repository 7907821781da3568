"""The weights of rows: those that users give, and those of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from .arrays import numbers


def checked_weights(sample_weight: Any, n_rows: int) -> np.ndarray:
    """Return sample weights (n_rows,): not negative, and not 0 for all."""
    weight = numbers("sample_weight", sample_weight)
    if weight.shape != (n_rows,):
        raise ArgumentError(f"sample_weight has shape {weight.shape}, expected ({n_rows},)")
    if (weight < 0).any():
        row = int(np.flatnonzero(weight < 0)[0])
        raise ArgumentError(f"sample_weight[{row}] is {weight[row]}, but must not be negative")
    if not weight.any():
        raise ArgumentError("sample_weight is 0 for every row")
    return weight


def class_numbers(target: np.ndarray, task: str) -> np.ndarray:
    """Return the class (n,) of each row, of checked targets."""
    if task == "multiclass":
        return target if target.ndim == 1 else target.argmax(axis=1)
    if task == "binary" and target.shape[1] == 1 and np.isin(target, (0, 1)).all():
        return target[:, 0].astype(np.int64)
    raise ArgumentError(
        "class_weight needs targets that are classes: one of several, or a single 0/1 output"
    )


def class_factors(labels: np.ndarray, classes: int, class_weight: Any) -> np.ndarray:
    """Return the weight of each class, float64 (classes,).

    "balanced" is n / (classes present · rows of the class), of the classes of n rows, and 1 for a
    class that is not among them.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        `class_weight` is something else, names a class that the network does not have, or a weight
        that cannot be used.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, minlength=classes)
        total = np.count_nonzero(counts) * counts
        return np.divide(len(labels), total, out=np.ones(classes), where=counts > 0)
    if not isinstance(class_weight, Mapping):
        raise ArgumentTypeError(
            f"class_weight must be 'balanced' or a dict of class to weight, got {class_weight!r}"
        )
    unknown = [label for label in class_weight if label not in range(classes)]
    if unknown:
        raise ArgumentError(
            f"class_weight names class {unknown[0]!r}, but the network's classes are 0 to "
            f"{classes - 1}"
        )
    weights = [
        checks.number("class_weight", class_weight.get(c, 1.0), low=0) for c in range(classes)
    ]
    return np.array(weights)
