"""Arrays whose rows have axes of their own: their shapes and dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError

Shape = tuple[int, ...]


def as_array(X: Any) -> Any:
    """Return a list of numbers, or anything of more than two axes, as an array; others as given."""
    if isinstance(X, Sequence) and not isinstance(X, str):
        try:
            array = np.asarray(X)
        except ValueError:  # rows of several lengths, which the checks of matrices explain
            return X
        return array if array.ndim > 1 and array.dtype.kind in "biuf" else X
    return np.asarray(X) if len(getattr(X, "shape", ())) > 2 else X


def holds_bytes(X: Any) -> bool:
    """Return whether an array, or every column of a data frame, is of uint8."""
    dtypes = getattr(X, "dtypes", None)
    columns = [getattr(X, "dtype", None)] if dtypes is None else list(dtypes)
    return bool(columns) and all(_is_uint8(dtype) for dtype in columns)


def _is_uint8(dtype: Any) -> bool:
    """Compare by name: pandas and Polars have dtypes of their own, called UInt8."""
    return str(dtype).lower() == "uint8"


def same_rows(shape: Shape, other: Shape) -> bool:
    """Return whether two shapes of rows differ in a last axis of one channel at most."""
    return _without_channel(shape) == _without_channel(other)


def _without_channel(shape: Shape) -> Shape:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def check_shape(given: Shape, fitted: Shape) -> None:
    """Raise `ArgumentError` for rows of another shape than the estimator was fitted on."""
    if not same_rows(given, fitted):
        raise ArgumentError(
            f"X has rows of shape {given}, but the estimator was fitted on rows of shape {fitted}"
        )
