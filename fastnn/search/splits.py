"""Training and validation rows of the models of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing

from ..data import split_rows
from ..errors import ArgumentError, ArgumentTypeError
from ..utils.counting import count

#: Fraction of the rows that is held out by default.
FRACTION = 0.2


@dataclass(frozen=True)
class Split:
    """Training and validation rows for each model of a trial, or separate validation data.

    Attributes
    ----------
    folds : tuple of (ndarray, ndarray)
        Row numbers to train on and to validate on; empty with `validation_data`.
    validation_data : tuple or None
    """

    folds: tuple[tuple[np.ndarray, np.ndarray], ...]
    validation_data: tuple[Any, ...] | None = None

    @property
    def n_models(self) -> int:
        """Number of models of a trial."""
        return len(self.folds) or 1

    def describe(self) -> str:
        """Return the numbers of rows as text."""
        if self.validation_data is not None:
            return f"{count(len(self.validation_data[1]), 'row')} of their own"
        train, held_out = map(len, self.folds[0])
        first = f"{count(train, 'row')} to train on, {held_out} to validate on"
        return first if self.n_models == 1 else f"{self.n_models} folds, the first with {first}"

    def training(self, model: int, *arrays: Any) -> tuple[Any, ...]:
        """Return the training rows of arrays; None stays None."""
        if not self.folds:
            return arrays
        return tuple(_rows(array, self.folds[model][0]) for array in arrays)

    def validation(self, model: int, X: Any, y: Any) -> tuple[Any, Any]:
        """Return the validation rows of a model."""
        if self.validation_data is not None:
            return self.validation_data[0], self.validation_data[1]
        return _rows(X, self.folds[model][1]), _rows(y, self.folds[model][1])


def _rows(array: Any, rows: np.ndarray) -> Any:
    return None if array is None else _safe_indexing(array, rows)


def split_of(
    X: Any,
    y: Any,
    *,
    cv: Any,
    validation_data: Any,
    validation_fraction: float | None,
    classifier: bool,
    seed: int,
) -> Split:
    """Return the split that the arguments of `search` describe; a function of rows and seed.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        More than one of them is given, or one cannot be used.
    """
    given = {
        "cv": cv,
        "validation_data": validation_data,
        "validation_fraction": validation_fraction,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ArgumentError(f"give {' or '.join(named)}, not both")
    if validation_data is not None:
        if not isinstance(validation_data, tuple) or len(validation_data) not in (2, 3):
            raise ArgumentTypeError(
                "validation_data must be (X, y) or (X, y, sample_weight), "
                f"got {type(validation_data).__name__}"
            )
        return Split((), validation_data)
    if cv is not None:
        return Split(_folds(cv, X, y, classifier))
    fraction = FRACTION if validation_fraction is None else validation_fraction
    return Split((split_rows(len(y), fraction, seed),))


def _folds(cv: Any, X: Any, y: Any, classifier: bool) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return the folds of a number or a splitter, as scikit-learn takes them."""
    try:
        pairs = list(check_cv(cv, y, classifier=classifier).split(X, y))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"cv={cv!r} cannot split these rows: {error}") from error
    if not pairs:
        raise ArgumentError(f"cv={cv!r} gives no folds")
    return tuple((np.asarray(train), np.asarray(held_out)) for train, held_out in pairs)
