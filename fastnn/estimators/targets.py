"""Validation of y: labels of any kind for a classifier, numbers for a regressor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from ..data import frames
from ..errors import ArgumentError

#: Advice on text in the targets of a regressor.
CURE = "MLPRegressor needs numbers; MLPClassifier takes labels"


def arrayable(estimator: Any, y: Any) -> Any:
    """Return `y` as an array; objects that are numbers become an array of numbers.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        `y` is not an array; or a label of a classifier is missing.
    """
    y = frames.arrayable("y", y)
    dtype = getattr(y, "dtype", getattr(y, "type", None))
    if is_regressor(estimator) or dtype is None or frames.kind(dtype) == "number":
        return y
    if frames.kind(dtype) == "text" and isinstance(y, np.ndarray):
        return y
    return _labels(y)


def _labels(y: Any) -> np.ndarray:
    """Return labels given as objects, or in a column of another package, as an array."""
    array = y if isinstance(y, np.ndarray) else frames.objects(y)
    rows = frames.missing(array)
    if rows.any():
        row = int(np.argwhere(rows)[0][0])
        raise ArgumentError(
            f"y contains missing labels ({int(rows.sum())}), the first in row {row}: leave out "
            "those rows, or give them a label of their own"
        )
    plain = np.array(array.tolist()) if not _mixed(array) else array
    return plain if plain.dtype.kind in "biufU" and plain.shape == array.shape else array


def _mixed(array: np.ndarray) -> bool:
    """Return whether there is text beside other objects, which NumPy would convert to text."""
    texts = sum(isinstance(value, str) for value in array.flat)
    return 0 < texts < array.size


def numeric(estimator: Any, y: np.ndarray) -> np.ndarray:
    """Return the targets of a regressor as numbers, if they are given as text."""
    if is_regressor(estimator) and y.dtype.kind in "US":
        with frames.naming_text("y", y, CURE):
            return y.astype(np.float64)
    return y


def classes_and_type(y: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the classes of labels, ascending, and scikit-learn's name of the type of labels.

    Raises
    ------
    ValueError
        `y` holds no labels.
    """
    if type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "iu":
        classes = np.unique(y)
        if 2 * len(classes) <= len(y):  # of more, scikit-learn warns
            return classes, "multiclass" if len(classes) > 2 else "binary"
    check_classification_targets(y)
    return unique_labels(y), type_of_target(y)


@contextmanager
def naming_text(estimator: Any, y: Any) -> Iterator[None]:
    """Raise an error that names the place of text in the targets of a regressor."""
    if not is_regressor(estimator):
        yield
        return
    with frames.naming_text("y", y, CURE):
        yield
