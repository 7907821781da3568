"""`class_weight` as weights of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from .. import checks
from ..errors import ArgumentError


def of_rows(class_weight: Any, classes: np.ndarray | None, y: np.ndarray) -> np.ndarray:
    """The weight of each row's class, (n,).

    Parameters
    ----------
    class_weight : dict or "balanced"
        A dict may leave out classes, which weigh 1.
    classes : ndarray, ascending, or None
        All that there are; None where rows have several labels.
    y : ndarray of shape (n,) or (n, labels)

    Raises
    ------
    ArgumentError
        A dict names a class that is not there, or has a negative weight.
    """
    if classes is None or not isinstance(class_weight, dict):
        return compute_sample_weight(class_weight, y)
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ArgumentError(f"class_weight names {unknown[0]!r}, but the classes are {known}")
    factors = [checks.real("class_weight", class_weight.get(c, 1.0), low=0) for c in known]
    return np.array(factors)[np.searchsorted(classes, y)]
