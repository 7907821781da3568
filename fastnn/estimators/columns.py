"""Encoding of the columns of X: categories become codes, missing values are imputed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, SupportsIndex

import numpy as np
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils._missing import is_scalar_nan
from sklearn.utils.validation import assert_all_finite

from ..data import frames
from ..errors import ArgumentError, UnknownCategoryWarning
from ..utils.warn import warn_caller

#: Dtypes of the columns of numbers.
DTYPES = (np.float64, np.float32)

#: Advice on a column of text.
CURE = (
    "give it a categorical dtype and pass categorical_features='from_dtype', or pass its name or "
    "number as one of categorical_features"
)

IMPUTATIONS = ("mean", "median", "most_frequent", "constant")


class Columns:
    """Encode the rows of X as numbers, with the categories and imputation of a fit.

    The codes of the categorical columns come first, then the numbers. Missing categories, and those
    that the fit did not contain, share the code after the last.

    Parameters
    ----------
    categorical : ndarray of bool, shape (n_features,), or None
        Mask of the categorical columns.
    imputer : SimpleImputer, str or None
        Not fitted; or its strategy.

    Attributes
    ----------
    sizes : list of int
        Number of codes of each categorical column.
    """

    def __init__(self, categorical: np.ndarray | None, imputer: SimpleImputer | str | None):
        self.categorical = categorical
        self.imputer = None if imputer is None else _new_imputer(imputer)
        self.sizes: list[int] = []

    @property
    def plain(self) -> bool:
        """Return whether rows need no encoding: no categories, no imputation."""
        return self.categorical is None and self.imputer is None

    @property
    def allows_nan(self) -> bool:
        """Return whether a number may be NaN."""
        return fills_nan(self.imputer)

    # ----------------------------------------------------------------------------------- categories

    def fit_categories(self, X: Any) -> None:
        """Learn the categories of X."""
        if self.categorical is None:
            return
        self._encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
        )
        with _naming_mixed_types(X, self.categorical):
            self._encoder.fit(_categories(X, self.categorical))
        self._number_categories()

    def _number_categories(self) -> None:
        """Assign codes to the categories that the encoder has learned."""
        known = [
            [category for category in categories if category == category]  # NaN is missing
            for categories in self._encoder.categories_
        ]
        self._codes = [{value: code for code, value in enumerate(column)} for column in known]
        self.sizes = [len(column) + 1 for column in known]

    def encode(self, X: Any) -> Any:
        """Return codes of the categories and the numbers, (n, n_features); X if all are numbers."""
        if self.categorical is None:
            return X
        with _naming_mixed_types(X, self.categorical):
            categories = _categories(X, self.categorical)
            codes = self._encoder.transform(categories)
        is_unknown = np.isnan(codes)
        self._warn_of_unknown(X, categories, is_unknown)
        codes = np.where(is_unknown, np.array(self.sizes) - 1, codes)
        if self.categorical.all():
            return codes
        numeric = _select_columns(X, ~self.categorical)
        with frames.naming_text("X", numeric, CURE):
            numbers = check_array(numeric, dtype=DTYPES, ensure_all_finite=False)
        return np.hstack([codes.astype(numbers.dtype), numbers])

    def _warn_of_unknown(self, X: Any, categories: np.ndarray, is_unknown: np.ndarray) -> None:
        """Warn of columns with categories, (n, columns), that the fit did not contain.

        `is_unknown`, of the same shape, marks the missing ones too.
        """
        assert self.categorical is not None
        for j, i in enumerate(np.flatnonzero(self.categorical)):
            values = categories[is_unknown[:, j], j].astype(object)
            unknown = values[~frames.missing(values)]
            if len(unknown):
                warn_caller(
                    f"column {_name(X, i)} of X: {len(unknown)} of {len(categories)} rows hold "
                    f"unknown categories, such as {unknown[0]!r}, which count as missing",
                    UnknownCategoryWarning,
                )

    # ------------------------------------------------------------------------------- missing values

    def fit_missing(self, X: Any) -> None:
        """Fit the imputer to encoded rows."""
        if self.imputer is not None and X.shape[1] > len(self.sizes):
            self.imputer.fit(X[:, len(self.sizes) :])

    def impute(self, X: Any) -> Any:
        """Return encoded rows with missing values filled in."""
        if self.imputer is None or X.shape[1] == len(self.sizes):
            return X
        codes, numbers = X[:, : len(self.sizes)], self.imputer.transform(X[:, len(self.sizes) :])
        assert_all_finite(numbers, input_name="X after imputation")
        return np.hstack([codes, numbers]) if self.sizes else numbers

    # ------------------------------------------------------------------------------------- pickles

    def state(self) -> dict[str, Any]:
        """Return the fitted encoder as arrays and scikit-learn's own objects."""
        encoder = getattr(self, "_encoder", None)
        return {"categorical": self.categorical, "imputer": self.imputer, "encoder": encoder}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Columns:
        """Return the columns described by what `state` returned."""
        columns = cls(state["categorical"], None)
        columns.imputer = state["imputer"]
        if state["encoder"] is not None:
            columns._encoder = state["encoder"]
            columns._number_categories()
        return columns

    # ---------------------------------------------------------------------------------- single rows

    def encode_row(self, values: Any) -> np.ndarray:
        """Return the encoded values of one row, given in the order of the columns of X."""
        codes: list[int] = []
        if self.categorical is not None:
            marked = list(zip(values, self.categorical, strict=True))
            categories = [value for value, is_category in marked if is_category]
            values = [value for value, is_category in marked if not is_category]
            columns = zip(self._codes, categories, self.sizes, strict=True)
            codes = [known.get(value, size - 1) for known, value, size in columns]
        row = np.array([[*codes, *values]], float)
        return self.impute(row)[0]


def _new_imputer(imputer: SimpleImputer | str) -> SimpleImputer:
    if isinstance(imputer, str):
        return SimpleImputer(strategy=imputer, keep_empty_features=True)
    return clone(imputer)


def fills_nan(imputer: SimpleImputer | str | None) -> bool:
    """Return whether an imputer replaces NaN."""
    if imputer is None or isinstance(imputer, str):
        return imputer is not None
    return is_scalar_nan(imputer.missing_values)


def categorical_columns(X: Any, features: Any) -> np.ndarray | None:
    """Return the mask of the categorical columns, bool (n_features,); None if there are none."""
    columns = frames.columns(X)
    if isinstance(features, str):  # "from_dtype"
        mask = np.array([frames.kind(dtype) == "category" for _, dtype in columns])
    else:
        names = [name for name, _ in columns] or None
        mask = _column_mask(np.asarray(features), X.shape[1], names)
    return mask if mask.any() else None


def _column_mask(features: np.ndarray, count: int, names: Any) -> np.ndarray:
    """Return the mask of `count` columns for a mask, column numbers or column names."""
    if features.dtype == bool:
        if features.shape != (count,):
            raise ValueError(
                f"categorical_features as a mask must have shape ({count},), got {features.shape}"
            )
        return features
    mask = np.zeros(count, bool)
    if features.size == 0:
        return mask
    if features.dtype.kind in "iu":
        if features.min() < 0 or features.max() >= count:
            raise ValueError(
                f"categorical_features must be in [0, {count - 1}], the columns of X; got "
                f"{features.tolist()}"
            )
        mask[features] = True
        return mask
    if not all(isinstance(name, str) for name in features):
        raise ValueError(
            "categorical_features must be 'from_dtype', None, or an array-like of bool, int or "
            f"str; got {features.tolist()}"
        )
    if names is None:
        raise ValueError(
            "categorical_features names columns, but X has no names; use their numbers or a mask"
        )
    unknown = [name for name in features if name not in names]
    if unknown:
        raise ValueError(
            f"categorical_features names {str(unknown[0])!r}, which is no column of X: {names}"
        )
    return np.isin(np.asarray(names, object), features)


def as_table(X: Any, estimator: Any) -> Any:
    """Return X as a frame, or as an array of any dtype with rows and columns."""
    if frames.columns(X):
        return X
    return check_array(X, dtype=None, ensure_all_finite=False, estimator=estimator)


def _select_columns(X: Any, mask: np.ndarray) -> Any:
    """Return the columns of a table under a mask."""
    if hasattr(X, "select") and hasattr(X, "schema") and hasattr(X, "column"):  # of Arrow
        return X.select(np.flatnonzero(mask).tolist())
    return _safe_indexing(X, np.flatnonzero(mask), axis=1)


def _categories(X: Any, mask: np.ndarray) -> np.ndarray:
    """Return the categorical columns of a table (n, columns), NaN for what is missing."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X[:, mask]
    columns = [frames.objects(frames.column(X, i)) for i in np.flatnonzero(mask)]
    return np.stack(columns, axis=1)


def _name(X: Any, i: SupportsIndex) -> str:
    """Return the name of a column in quotes, or its number."""
    columns = frames.columns(X)
    return repr(columns[i][0]) if columns else str(i)


@contextmanager
def _naming_mixed_types(X: Any, mask: np.ndarray) -> Iterator[None]:
    """Raise an error that names the column whose categories cannot be sorted."""
    try:
        yield
    except TypeError as error:
        for i in np.flatnonzero(mask):
            values = frames.objects(frames.column(X, i))
            kinds = sorted({type(v).__name__ for v in values if not frames.is_missing(v)})
            if len(kinds) > 1:
                raise ArgumentError(
                    f"column {_name(X, i)} of X mixes categories of types {', '.join(kinds)}: make "
                    "them all text, or all numbers"
                ) from error
        raise
