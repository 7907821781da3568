"""Columns of X that are no plain numbers: categories become codes, missing values are filled in."""

from __future__ import annotations

import warnings
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

#: What the columns of numbers may hold.
DTYPES = (np.float64, np.float32)

#: What to do about a column of text.
CURE = (
    "give it a categorical dtype and pass categorical_features='from_dtype', or pass its name or "
    "number as one of categorical_features"
)

IMPUTATIONS = ("mean", "median", "most_frequent", "constant")


class Columns:
    """What was learned about the columns of X, and how it makes numbers of its rows.

    The codes of the categorical columns come first, then the numbers. Missing categories, and those
    that were not there in the fit, have the code behind the last, as if they were one category.

    Parameters
    ----------
    categorical : ndarray of bool, shape (n_features,), or None
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
        """Whether rows are numbers already, of which none are missing."""
        return self.categorical is None and self.imputer is None

    @property
    def allows_nan(self) -> bool:
        """Whether a number may be missing."""
        return fills_nan(self.imputer)

    # ----------------------------------------------------------------------------------- categories

    def fit_categories(self, X: Any) -> None:
        """Learn which categories there are."""
        if self.categorical is None:
            return
        self._encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
        )
        with _one_type(X, self.categorical):
            self._encoder.fit(_categories(X, self.categorical))
        self._number_categories()

    def _number_categories(self) -> None:
        """Settle the codes of the categories that the encoder has learned."""
        known = [
            [category for category in categories if category == category]  # NaN is missing
            for categories in self._encoder.categories_
        ]
        self._codes = [{category: code for code, category in enumerate(own)} for own in known]
        self.sizes = [len(own) + 1 for own in known]

    def encode(self, X: Any) -> Any:
        """X, or the codes of its categories and its numbers, (n, n_features)."""
        if self.categorical is None:
            return X
        with _one_type(X, self.categorical):
            categories = _categories(X, self.categorical)
            codes = self._encoder.transform(categories)
        last = np.isnan(codes)
        self._warn_of_unknown(X, categories, last)
        codes = np.where(last, np.array(self.sizes) - 1, codes)
        if self.categorical.all():
            return codes
        rest = _part(X, ~self.categorical)
        with frames.naming_text("X", rest, CURE):
            numbers = check_array(rest, dtype=DTYPES, ensure_all_finite=False)
        return np.hstack([codes.astype(numbers.dtype), numbers])

    def _warn_of_unknown(self, X: Any, categories: np.ndarray, last: np.ndarray) -> None:
        """Say which columns hold categories, (n, columns), that the fit has not met.

        `last` is where the code is that of missing ones too.
        """
        assert self.categorical is not None
        for place, i in enumerate(np.flatnonzero(self.categorical)):
            values = categories[last[:, place], place].astype(object)
            unknown = values[~frames.missing(values)]
            if len(unknown):
                warnings.warn(
                    f"column {_name(X, i)} of X: {len(unknown)} of {len(categories)} rows hold "
                    f"unknown categories, such as {unknown[0]!r}, which count as missing",
                    UnknownCategoryWarning,
                    stacklevel=6,
                )

    # ------------------------------------------------------------------------------- missing values

    def fit_missing(self, X: Any) -> None:
        """Learn, from rows that `encode` has seen, what stands for missing values."""
        if self.imputer is not None and X.shape[1] > len(self.sizes):
            self.imputer.fit(X[:, len(self.sizes) :])

    def impute(self, X: Any) -> Any:
        """Rows, which `encode` has seen, without missing values."""
        if self.imputer is None or X.shape[1] == len(self.sizes):
            return X
        codes, numbers = X[:, : len(self.sizes)], self.imputer.transform(X[:, len(self.sizes) :])
        assert_all_finite(numbers, input_name="X after imputation")
        return np.hstack([codes, numbers]) if self.sizes else numbers

    # ------------------------------------------------------------------------------------- pickles

    def state(self) -> dict[str, Any]:
        """Return what was learned as arrays and scikit-learn's own objects."""
        encoder = getattr(self, "_encoder", None)
        return {"categorical": self.categorical, "imputer": self.imputer, "encoder": encoder}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Columns:
        """Return the columns that `state` described."""
        columns = cls(state["categorical"], None)
        columns.imputer = state["imputer"]
        if state["encoder"] is not None:
            columns._encoder = state["encoder"]
            columns._number_categories()
        return columns

    # ---------------------------------------------------------------------------------- single rows

    def row(self, values: Any) -> np.ndarray:
        """The numbers of one row: values as X has them, in the order of its columns."""
        codes: list[int] = []
        if self.categorical is not None:
            chosen = [v for v, yes in zip(values, self.categorical, strict=True) if yes]
            values = [v for v, yes in zip(values, self.categorical, strict=True) if not yes]
            columns = zip(self._codes, chosen, self.sizes, strict=True)
            codes = [known.get(value, size - 1) for known, value, size in columns]
        row = np.array([[*codes, *values]], float)
        return self.impute(row)[0]


def _new_imputer(imputer: SimpleImputer | str) -> SimpleImputer:
    if isinstance(imputer, str):
        return SimpleImputer(strategy=imputer, keep_empty_features=True)
    return clone(imputer)


def fills_nan(imputer: SimpleImputer | str | None) -> bool:
    """Whether NaN is what an imputer fills in."""
    if imputer is None or isinstance(imputer, str):
        return imputer is not None
    return is_scalar_nan(imputer.missing_values)


def categorical_columns(X: Any, features: Any) -> np.ndarray | None:
    """Which columns of a table are meant, bool (n_features,); None if none are."""
    columns = frames.columns(X)
    if isinstance(features, str):  # "from_dtype"
        mask = np.array([frames.kind(dtype) == "category" for _, dtype in columns])
    else:
        names = [name for name, _ in columns] or None
        mask = _chosen(np.asarray(features), X.shape[1], names)
    return mask if mask.any() else None


def _chosen(features: np.ndarray, count: int, names: Any) -> np.ndarray:
    """A mask of `count` columns for a mask, for their numbers or for their names."""
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
    """A frame, or an array of any dtype with rows and columns."""
    if frames.columns(X):
        return X
    return check_array(X, dtype=None, ensure_all_finite=False, estimator=estimator)


def _part(X: Any, mask: np.ndarray) -> Any:
    """Some columns of a table."""
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
    """Return what to call a column of a table: its name in quotes, or its number."""
    known = frames.columns(X)
    return repr(known[i][0]) if known else str(i)


@contextmanager
def _one_type(X: Any, mask: np.ndarray) -> Iterator[None]:
    """A context that names the column whose categories cannot be put in order."""
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
