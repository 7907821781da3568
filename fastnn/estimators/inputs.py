"""Validation of X and y as in scikit-learn, and their conversion to what a network takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_X_y, column_or_1d
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ..data import frames
from ..data.arrays import converted
from ..data.data_set import DataSet
from ..data.sparse_rows import SparseRows
from ..model.base import model_of
from ..model.data_sets import inputs_for
from ..network import Network
from . import targets
from .columns import CURE, DTYPES, Columns, as_table, categorical_columns, fills_nan

SPARSE = ("csr", "csc")
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class InputValidationMixin:
    """Convert X and y to arrays, with the categories and imputation of the latest fresh fit."""

    categorical_features: Any
    imputer: Any
    n_features_in_: int
    network_: Network

    _columns = Columns(None, None)

    @property
    def is_categorical_(self) -> np.ndarray | None:
        """Return the mask of the embedded columns, bool (n_features,); None if there are none."""
        check_is_fitted(self)  # an AttributeError before fit
        return self._columns.categorical

    def _validate_input(self, X: Any, y: Any, reset: bool) -> tuple[Any, np.ndarray]:
        """Return X and y, checked, as arrays."""
        categorical = self.categorical_features if reset else self._columns.categorical
        if categorical is None and self._is_plain(X, reset) and _suits(y, X):
            if reset:
                self.n_features_in_ = X.shape[1]
                columns = Columns(None, self.imputer)
                columns.fit_missing(X)
                self._columns = columns
            return self._columns.impute(X), y
        X = frames.arrayable("X", X)
        y = None if y is None else targets.arrayable(self, y)
        columns = self._new_columns(X) if reset else self._columns
        options = {
            "accept_sparse": SPARSE,
            "multi_output": True,
            "y_numeric": is_regressor(self),
            "dtype": DTYPES,
            "ensure_all_finite": "allow-nan" if columns.allows_nan else True,
        }
        if columns.categorical is None:
            with frames.naming_text("X", X, CURE), targets.naming_text(self, y):
                X, y = validate_data(self, X, y, reset=reset, **options)
        else:
            X = as_table(X, self)
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            if reset:
                columns.fit_categories(X)
            with targets.naming_text(self, y):
                X, y = check_X_y(columns.encode(X), y, estimator=self, **options)
        if reset:
            columns.fit_missing(X)
            self._columns = columns
        y = targets.numeric(self, y.toarray() if hasattr(y, "toarray") else y)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        return columns.impute(X), y

    def _new_columns(self, X: Any) -> Columns:
        """Return the encoder of the columns of X, not fitted."""
        frames.require_unique_names("X", X)
        categorical = None
        if self.categorical_features is not None:
            categorical = categorical_columns(as_table(X, self), self.categorical_features)
        return Columns(categorical, self.imputer)

    def _check_X(self, X: Any) -> np.ndarray | SparseRows:
        """Return X, checked, as the network takes it for predictions."""
        columns = self._columns
        options = {
            "accept_sparse": SPARSE,
            "ensure_all_finite": "allow-nan" if columns.allows_nan else True,
        }
        if columns.categorical is not None:
            X = as_table(frames.arrayable("X", X), self)
            validate_data(self, X, reset=False, skip_check_array=True)
            X = check_array(columns.encode(X), estimator=self, **options)
        elif not self._is_plain(X):
            X = frames.arrayable("X", X)
            with frames.naming_text("X", X, CURE):
                X = validate_data(self, X, reset=False, **options)
        matrix, dtype = to_matrix(columns.impute(X)), self.network_.dtype
        if isinstance(matrix, SparseRows):
            return matrix.astype(dtype)
        if matrix.dtype == dtype:
            return matrix
        return inputs_for(model_of(self.network_).architecture, matrix)

    def _is_plain(self, X: Any, reset: bool = False) -> bool:
        """Return whether X is an array that `validate_data` would return as it is.

        `validate_data`, which looks for data frames of all kinds, takes ten times as long as the
        prediction of a row. With `reset`, X may have any number of columns.
        """
        if type(X) is not np.ndarray or X.dtype not in FLOATS or hasattr(self, "feature_names_in_"):
            return False
        if X.ndim != 2 or not X.size or not (reset or X.shape[1] == self.n_features_in_):
            return False
        return _is_finite(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = self.categorical_features is None
        tags.input_tags.allow_nan = fills_nan(self.imputer)
        return tags


def _suits(y: Any, X: np.ndarray) -> bool:
    """Return whether `validate_data` would return targets of the rows of X as they are."""
    if type(y) is not np.ndarray or y.shape != X.shape[:1]:
        return False
    return y.dtype.kind in "iu" or (y.dtype in FLOATS and _is_finite(y))


def _is_finite(array: np.ndarray) -> bool:
    """Return whether numbers are certainly finite: their sum is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def to_matrix(X: Any) -> np.ndarray | SparseRows:
    """Return X as the matrix of a `DataSet`: contiguous, or sparse and made dense by batch."""
    return SparseRows.of(X) if hasattr(X, "tocsr") else np.ascontiguousarray(X)


def in_dtype(data: DataSet, dtype: np.dtype) -> DataSet:
    """Return data with values and weights in the network's dtype; class numbers stay."""
    x, target, weight = data.x, data.target, data.weight
    if isinstance(x, SparseRows):
        x = x.astype(dtype)
    if target is not None and target.ndim == 2:
        target = converted("y", target, dtype)
    return replace(
        data, x=x, target=target, weight=None if weight is None else weight.astype(dtype)
    )
