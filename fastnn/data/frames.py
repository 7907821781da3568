"""Arrays and frames of other packages: kinds of columns, and errors for other values.

Frames of pandas, Polars and PyArrow are known by their attributes, so no package is imported.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any, SupportsIndex

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError

#: Beginnings of the text of a dtype in lower case, of NumPy, pandas, Polars and Arrow.
_KINDS = {
    "number": r"u?int|float|bool|half|double|decimal|sparse|null",
    "time": r"date|time|duration|period",
    "category": r"categor|enum|dictionary",
    "text": r"str|utf8|large_str|large_utf8|binary|large_bin|[<>|]?[us]\d",
}


def kind(dtype: Any) -> str:
    """Return the kind of columns of a dtype: one of `_KINDS`, or "object" for all else."""
    name = str(dtype).lower()
    return next((k for k, start in _KINDS.items() if re.match(start, name)), "object")


def columns(X: Any) -> list[tuple[Any, Any]]:
    """Return name and dtype of each column of a frame; an empty list if it is none."""
    schema: Any = getattr(X, "schema", None)
    if hasattr(schema, "types"):  # of Arrow
        return list(zip(schema.names, schema.types, strict=True))
    names, dtypes = getattr(X, "columns", None), getattr(X, "dtypes", None)
    if names is None or not isinstance(dtypes, Iterable):
        return []
    return list(zip(names, dtypes, strict=True))


def require_unique_names(argument: str, X: Any) -> None:
    """Raise `ArgumentError` for a frame with two columns of one name."""
    names = [name for name, _ in columns(X)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(f"{argument} has {names.count(twice)} columns named {twice!r}")


def column(X: Any, i: SupportsIndex) -> Any:
    """Return a column of a frame or of an array (n, columns)."""
    if hasattr(X, "iloc"):  # of pandas
        return X.iloc[:, i]
    if hasattr(X, "get_columns"):  # of Polars
        return X.get_columns()[i]
    return X.column(int(i)) if hasattr(X, "schema") else np.asarray(X)[:, i]


def objects(values: Any) -> np.ndarray:
    """Return one column as Python's objects (n,), NaN for what is missing."""
    if hasattr(values, "to_numpy") and hasattr(values, "isna"):  # of pandas
        array = np.array(values.to_numpy(dtype=object, na_value=np.nan), object)
    elif hasattr(values, "to_pylist") or hasattr(values, "to_list"):  # of Arrow, of Polars
        items = values.to_pylist() if hasattr(values, "to_pylist") else values.to_list()
        array = np.empty(len(items), object)
        array[:] = items
    else:
        array = np.array(values, object)
    array[missing(array)] = np.nan
    return array


def missing(array: np.ndarray) -> np.ndarray:
    """Return where an array of objects holds None, NaN, pandas' NA or NaT; bool, of its shape."""
    nothing: Any = None
    try:
        return np.not_equal(array, array).astype(bool) | np.equal(array, nothing).astype(bool)
    except (TypeError, ValueError):  # pandas' NA is neither equal nor unequal
        return np.array([is_missing(v) for v in array.flat], bool).reshape(array.shape)


def is_missing(value: Any) -> bool:
    """Return whether a value is None or, as NaN is, not equal to itself."""
    if value is None:
        return True
    equal = value == value
    return type(equal).__name__ == "NAType" or equal is False or equal is np.False_


def arrayable(argument: str, values: Any) -> Any:
    """Return `values`, which must be an array, a frame or nested sequences; no conversion yet.

    Raises
    ------
    ArgumentError
        Entries are masked, or hold dates or times.
    ArgumentTypeError
        They are something else.
    """
    if type(values) is np.ndarray and values.dtype.kind not in "mM":
        return values
    _require_array(argument, values)
    if type(values).__name__ == "RecordBatch" and hasattr(values, "schema"):
        values = sys.modules["pyarrow"].Table.from_batches([values])
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise ArgumentError(
                f"{argument} has masked entries: pass {argument}.filled(numpy.nan) for missing "
                "values, or leave out those rows"
            )
        return values.data
    for name, dtype in columns(values):
        if kind(dtype) == "time":
            raise _no_times(f"column {name!r} of {argument}", dtype)
    own = getattr(values, "dtype", getattr(values, "type", None))
    if own is not None and kind(own) == "time":
        raise _no_times(argument, own)
    return values


def _require_array(argument: str, values: Any) -> None:
    """Raise `ArgumentTypeError` for what NumPy would take for a single object."""
    if isinstance(values, str | bytes | os.PathLike):
        cure = "pass what the file holds, for instance pandas.read_csv(path)"
    elif hasattr(values, "tocsr"):  # a sparse matrix of keys is a Mapping
        return
    elif values is None or isinstance(values, Mapping | Set):
        cure = "pass an array or a data frame"
    elif not (cure := cure_of_unread(argument, values)):
        return
    raise ArgumentTypeError(
        f"{argument} must be an array of numbers, got {type(values).__name__}: {cure}"
    )


def cure_of_unread(argument: str, values: Any) -> str:
    """Return how to pass values whose rows are not there yet; "" where they are."""
    if type(values).__name__ == "LazyFrame":
        return f"its rows are not there yet: pass {argument}.collect()"
    if isinstance(values, Iterator):
        return f"it can be read only once: pass numpy.array(list({argument}))"
    return ""


def _no_times(what: str, dtype: Any) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{what} holds times (dtype {dtype}): make numbers of them, for instance days since a date"
    )


def text(X: Any, *, numerals: bool = False) -> tuple[str, Any, Any] | None:
    """Return the place, dtype and first value of a column that holds text, if there is one.

    Parameters
    ----------
    X : frame, or array of any dtype and shape
    numerals : bool
        Whether numbers that are written out, such as "1.5", are text too.

    Returns
    -------
    place : str
        "column 'town'", or "[:, 2]"; "" of an array that has no columns.
    dtype
    example : object
    """
    known = columns(X)
    for i, (name, dtype) in enumerate(known):
        found = None if kind(dtype) == "number" else _first_text(objects(column(X, i)), numerals)
        if found is not None:
            return f"column {name!r}", dtype, found
    if known:
        return None
    dtype = getattr(X, "dtype", getattr(X, "type", None))
    array = np.asarray(X, object)
    if array.ndim != 2:
        found = _first_text(array, numerals)
        return None if found is None else ("", dtype or "object", found)
    for i, values in enumerate(array.T):
        if (found := _first_text(values, numerals)) is not None:
            return f"[:, {i}]", dtype or "object", found
    return None


def _first_text(values: np.ndarray, numerals: bool) -> Any:
    """Return the first entry that is text, if there is one."""
    texts = (value for value in values.flat if isinstance(value, str | bytes))
    return next((value for value in texts if numerals or not _is_number(value)), None)


def _is_number(value: str | bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


@contextmanager
def naming_text(argument: str, X: Any, cure: str) -> Iterator[None]:
    """Turn errors of a conversion to numbers within the context into one that names the column.

    Parameters
    ----------
    argument : str
    X : frame or array
        The values converted.
    cure : str
        Advice on text.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        found = _text_or_none(X)
        if found is None:
            raise
        raise no_numbers(argument, found, cure) from error


def _text_or_none(X: Any) -> tuple[str, Any, Any] | None:
    try:
        return text(X)
    except (ValueError, TypeError):  # no rectangle, for instance
        return None


def no_numbers(argument: str, found: tuple[str, Any, Any], cure: str) -> ArgumentError:
    """Return the error for the text that `text` found."""
    return ArgumentError(f"{described(argument, found)}: {cure}")


def described(argument: str, found: tuple[str, Any, Any]) -> str:
    """Return words for the text that `text` found."""
    place, dtype, example = found
    where = f"{place} of {argument}" if place.startswith("column") else f"{argument}{place}"
    return f"{where} holds text (dtype {dtype}), such as {_plain(example)!r}"


def _plain(example: Any) -> Any:
    """Return text of NumPy's types as Python's own."""
    return example.item() if isinstance(example, np.generic) else example
