"""Checks and conversions of users' arrays."""

from __future__ import annotations

import numbers as numeric
from contextlib import suppress
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from . import frames

#: What batches are converted from as they are gathered; arrays of other dtypes are converted whole.
GATHERED = frozenset(map(np.dtype, ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]))


#: What to do about text, by argument.
CURES = {
    "X": "encode categories as numbers first, or let MLPClassifier(categorical_features=…) do so",
    "y": "a network's classes are numbers 0, 1, 2 …; MLPClassifier takes labels of any kind",
}


def numbers(argument: str, values: Any) -> np.ndarray:
    """Return `values` as an aligned array of finite numbers of a real dtype, in native byte order.

    Parameters
    ----------
    argument : str
        What error messages call it.
    values : array-like, or frame of pandas, Polars or PyArrow
        Arrays and columns of objects are taken if these are numbers.

    Raises
    ------
    ArgumentError
        A value is not finite, or missing; or there is none.
    ArgumentTypeError
        These are no numbers.
    """
    if hasattr(values, "tocsr") and not isinstance(values, np.ndarray):
        raise ArgumentTypeError(f"{argument} is sparse; pass {argument}.toarray()")
    values = frames.arrayable(argument, values)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ArgumentError(f"{argument} is not a rectangular array: {error}") from None
    if array.dtype.kind == "O":
        array = _numbers_of_objects(argument, values, array)
    if array.dtype.kind not in "biuf":
        raise _no_numbers(argument, values, array)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    elif not array.flags.aligned:
        array = array.copy()
    if array.ndim == 0 or array.size == 0:
        raise ArgumentError(f"{argument} must hold at least one row, got shape {array.shape}")
    if array.dtype.kind == "f":
        _require_finite(argument, array)
    return array


def _numbers_of_objects(argument: str, values: Any, array: np.ndarray) -> np.ndarray:
    """Return an array of objects, that of `values`, in float64; NaN for what is missing."""
    if any(isinstance(entry, (str, bytes)) for entry in array.flat):
        raise _no_numbers(argument, values, array)
    with suppress(TypeError, ValueError):
        return np.where(frames.missing(array), np.nan, array).astype(np.float64)
    raise _no_numbers(argument, values, array)


def _no_numbers(argument: str, values: Any, array: np.ndarray) -> ArgumentTypeError:
    """Return the error for values whose array holds no real numbers."""
    if array.dtype.kind in "OUST":
        found = frames.text(values, numerals=True)
        if found is not None:
            return ArgumentTypeError(
                f"{argument} must hold numbers, but {frames.described(argument, found)}: "
                + CURES.get(argument, "make numbers of it first")
            )
        odd = next((v for v in array.flat if not isinstance(v, numeric.Number)), None)
        return ArgumentTypeError(f"{argument} must hold numbers, got {type(odd).__name__} objects")
    return ArgumentTypeError(f"{argument} must hold numbers, got dtype {array.dtype}")


def inputs(X: Any, shape: tuple[int, ...] | None, dtype: np.dtype) -> np.ndarray:
    """Return X, checked and C-contiguous, for a network of `dtype`, and rows of `shape` if given.

    The dtype stays as it is if batches can be gathered from it, so that bytes need not become
    floats all at once, and arrays on disk stay there.
    """
    array = numbers("X", X)
    if array.ndim == 1:
        raise ArgumentError(
            f"X must have one row per sample, got shape {array.shape}; "
            "use X.reshape(-1, 1) for one feature or X.reshape(1, -1) for one sample"
        )
    return converted_inputs(array, shape, dtype)


def converted_inputs(
    array: np.ndarray, shape: tuple[int, ...] | None, dtype: np.dtype
) -> np.ndarray:
    """Return finite numbers X (n, …) as `inputs` does."""
    if shape is not None and array.shape[1:] != shape:
        if len(shape) == 1 and array.ndim == 2:
            raise ArgumentError(
                f"X has {array.shape[1]} features, but the network was built for {shape[0]}"
            )
        raise ArgumentError(
            f"X has rows of shape {array.shape[1:]}, but the network was built for {shape}"
        )
    if array.dtype == bool:
        return np.ascontiguousarray(array).view(np.uint8)
    if array.dtype not in GATHERED:
        return converted("X", array, dtype)
    require_in_range("X", array, dtype)
    return np.ascontiguousarray(array)


def converted(argument: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return finite numbers in C order and in `dtype`; raise `ArgumentError` on overflow."""
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, dtype)
    if result is not array and array.dtype.itemsize > dtype.itemsize:
        finite = np.isfinite(result)
        if not finite.all():
            where = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise ArgumentError(
                f"{argument}[{', '.join(map(str, where))}] is {array[where]:.6g}, which {dtype} "
                f"cannot hold; scale {argument}, or use dtype='float64'"
            )
    return result


def _require_finite(argument: str, array: np.ndarray) -> None:
    # The sum of finite numbers is almost always finite, and one pass; only else look at each.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious and not (finite := np.isfinite(array)).all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        at = ", ".join(map(str, where))
        raise ArgumentError(f"{argument}[{at}] is {array[where]}; values must be finite")


def require_in_range(argument: str, array: np.ndarray, dtype: np.dtype) -> None:
    """Raise `ArgumentError` for numbers that `dtype` cannot hold, without a copy."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= dtype.itemsize:
        return
    if max(array.max(), -array.min()) > np.finfo(dtype).max:
        converted(argument, array, dtype)  # names the first of them
