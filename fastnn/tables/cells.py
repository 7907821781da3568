"""Cells of one column: as numbers, as words, as codes, as labels.

Text is parsed once for each distinct cell, since columns of words repeat few.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .notation import PLAIN, Notation

#: Cells that mean "missing", compared without case and surrounding blanks.
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null", "nat"})
#: Cells that mean "missing" among numbers, though among words they may be one of the words.
MISSING_NUMBERS = MISSING | {"none", "?", "-", "."}

_LEADING_ZERO = re.compile(r"\s*[+-]?0\d+\s*", re.ASCII)
_EXACT_DIGITS = 15  # whole numbers of so many digits are all in float64
_WHOLE = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?", re.ASCII)


class Numbers(NamedTuple):
    """A column as numbers.

    Attributes
    ----------
    values : ndarray, shape (n,), float64
        NaN where a cell is missing, unreadable or infinite.
    unreadable : ndarray, shape (n,), bool
        True where a cell is neither missing nor a number.
    infinite : ndarray, shape (n,), bool
        True where a cell is infinite, or too large for float64.
    """

    values: np.ndarray
    unreadable: np.ndarray
    infinite: np.ndarray


def is_text(column: pd.Series) -> bool:
    """Return whether a column holds anything but numbers: text, booleans, dates, categories."""
    return not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def numbers(column: pd.Series, notation: Notation = PLAIN) -> Numbers:
    """Read a column as numbers.

    Raises
    ------
    ArgumentError
        The cells are complex numbers, lists, or other objects that are no cells of a table.
    """
    if is_text(column):
        parsed, unreadable = _text_as_numbers(column, notation)
    else:
        if pd.api.types.is_complex_dtype(column):
            raise ArgumentError(f"column {column.name!r} holds complex numbers; split or drop it")
        parsed = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=False)
        unreadable = np.zeros(len(parsed), dtype=bool)
    infinite = np.isinf(parsed)
    values = np.where(infinite, np.nan, parsed) if infinite.any() else parsed
    return Numbers(values, unreadable, infinite)


def _text_as_numbers(column: pd.Series, notation: Notation) -> tuple[np.ndarray, np.ndarray]:
    cells = column.to_numpy(dtype=object)
    distinct = list(_distinct(column, cells))
    texts = ["" if _is_missing(cell) else _text(cell).strip() for cell in distinct]
    parsed = notation.parse(texts)
    for j, cell in enumerate(distinct):
        if _is_number(cell):  # its text has a decimal point, whatever the notation of the column
            parsed[j] = _as_float(cell)
    foreign = np.isnan(parsed)
    for i in np.flatnonzero(foreign):
        foreign[i] = texts[i].lower() not in MISSING_NUMBERS
    position = {cell: i for i, cell in enumerate(distinct)}
    where = np.fromiter(map(position.__getitem__, cells), dtype=np.intp, count=len(cells))
    return parsed[where], foreign[where]


def words(column: pd.Series) -> np.ndarray:
    """Read a column as text, shape (n,), object: no blanks around it, "" where missing."""
    return _mapped(column, _word)


def codes(column: pd.Series) -> np.ndarray:
    """Read a column of whole numbers as text, "" where missing: 1, 1.0 and "1" are all "1".

    Integers of any length stay exact.
    """
    return _mapped(column, _code)


def labels(column: pd.Series) -> np.ndarray:
    """Read a column as class labels, shape (n,), object: as they stand, "" where missing.

    Labels that differ in surrounding blanks alone are one, written as most of them are. Whole
    numbers of a numeric column are written without a fraction.
    """
    if not is_text(column):
        return codes(column)
    cells = column.to_numpy(dtype=object)
    spellings: dict[str, str] = {}
    for cell, _ in Counter(cells).most_common():
        spellings.setdefault(_word(cell), "" if _word(cell) == "" else _text(cell))
    written = {cell: spellings[_word(cell)] for cell in _distinct(column, cells)}
    return _filled(cells, written)


def has_leading_zeros(texts: set[str]) -> bool:
    """Return whether whole numbers among texts are written with zeros in front: "007"."""
    return any(_LEADING_ZERO.fullmatch(text) for text in texts)


def are_long(texts: set[str]) -> bool:
    """Return whether texts are whole numbers in digits, some of them too long for float64."""
    return all(map(_WHOLE.fullmatch, texts)) and max(map(len, texts), default=0) > _EXACT_DIGITS


def is_whole(values: np.ndarray) -> bool:
    """Return whether all numbers that are not missing are whole."""
    present = values[~np.isnan(values)]
    return bool(np.all(present == np.floor(present)))


def _mapped(column: pd.Series, function: Any) -> np.ndarray:
    """Apply a function to each distinct cell; the results in the cells' places."""
    cells = column.to_numpy(dtype=object)
    return _filled(cells, {cell: function(cell) for cell in _distinct(column, cells)})


def _filled(cells: np.ndarray, written: dict[Any, str]) -> np.ndarray:
    filled = np.empty(len(cells), dtype=object)
    filled[:] = list(map(written.__getitem__, cells))
    return filled


def _distinct(column: pd.Series, cells: np.ndarray) -> set[Any]:
    try:
        return set(cells)
    except TypeError:
        what = type(next(cell for cell in cells if cell.__hash__ is None)).__name__
        raise ArgumentError(
            f"column {column.name!r} holds cells of type {what}, expected numbers or text; drop "
            "it, or split it into columns"
        ) from None


def _is_number(cell: Any) -> bool:
    """Return whether a cell among text is a number itself, as in a column of dtype object."""
    return isinstance(cell, (Real, Decimal)) and not isinstance(cell, bool)


def _as_float(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:
        return np.inf if cell > 0 else -np.inf
    except ValueError:  # a signalling NaN
        return np.nan


def _is_missing(cell: Any) -> bool:
    """Return whether a cell is None, NaN, NaT or NA."""
    return cell is None or cell is pd.NA or cell is pd.NaT or bool(cell != cell)


def _text(cell: Any) -> str:
    return cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)


def _word(cell: Any) -> str:
    if _is_missing(cell):
        return ""
    text = _text(cell).strip()
    return "" if text.lower() in MISSING else text


def _code(cell: Any) -> str:
    text = _word(cell)
    if match := _WHOLE.fullmatch(text):
        sign, digits = match.groups()
        return f"-{digits}" if sign == "-" and digits != "0" else digits
    if text.lower() in MISSING_NUMBERS:
        return ""
    value = PLAIN.parse([text])[0] if text else np.nan
    return f"{value:.0f}" if np.isfinite(value) and value == np.floor(value) else text
