"""The weights of rows that follow from `class_weight`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ..errors import ArgumentError
from ..utils import checks


def row_factors(class_weight: Any, classes: np.ndarray | None, y: np.ndarray) -> np.ndarray:
    """Return the weight of each row's class, (n,).

    Parameters
    ----------
    class_weight : dict, list of dict, or "balanced"
        A dict may leave out classes, which weigh 1, or name some that the data lack, but not both,
        which would be a misspelt class. A list has a dict for each of several labels.
    classes : ndarray, ascending, or None
        All classes; None where rows have several labels.
    y : ndarray of shape (n,) or (n, labels)

    Raises
    ------
    ArgumentError
        A dict names an unknown class and lacks a known one, or has a negative weight; or a list, or
        a dict, does not suit the targets.
    """
    if class_weight == "balanced":
        return compute_sample_weight(class_weight, y)
    if classes is None:
        return _label_factors(class_weight, y)
    if isinstance(class_weight, list):
        raise ArgumentError("class_weight must be a dict, as y has one class a row; got a list")
    known = classes.tolist()
    return _factors(class_weight, known)[np.searchsorted(classes, y)]


def _factors(class_weight: dict[Any, Any], known: list[Any]) -> np.ndarray:
    """Return the weights of the known classes."""
    absent = [label for label in class_weight if label not in known]
    if absent and not all(label in class_weight for label in known):
        raise ArgumentError(f"class_weight names {absent[0]!r}, but the classes are {known}")
    weights = {c: checks.number("class_weight", w, low=0) for c, w in class_weight.items()}
    return np.array([weights.get(label, 1.0) for label in known])


def _label_factors(class_weight: Any, y: np.ndarray) -> np.ndarray:
    """Return the product of the weights of each row's labels, (n,)."""
    labels = y.shape[1]
    several = class_weight if isinstance(class_weight, list) else []
    if len(several) != labels or not all(isinstance(entry, dict) for entry in several):
        raise ArgumentError(
            f"class_weight must be a list of {labels} dicts, one of {{0: …, 1: …}} for each label, "
            f"or 'balanced'; got {class_weight!r}"
        )
    columns = zip(several, y.T.astype(int), strict=True)
    return np.prod([_factors(entry, [0, 1])[column] for entry, column in columns], axis=0)
