"""Kinds of the columns of a table: numbers, codes, categories, or columns to leave out.

Decisions use the whole table, with one sentence for each (`Schema.notices`); no statistic of a
column is computed here, so that held-out rows stay unseen (see `encoder.py`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..errors import ArgumentError, ArgumentTypeError
from .cells import Numbers, has_leading_zeros, is_text, is_whole, numbers, words
from .columns import Schema, check_frame, options_of
from .dialect import Dialect
from .findings import count
from .notation import FEW_UNREADABLE, PLAIN, Notation

_MOST_CODES = 10  # distinct whole numbers that are still taken as categories
_ROWS_PER_CODE = 20  # rows each of them must have on average
_DISTINCT_TEXT = 0.9  # share of distinct texts from which a column identifies rows
_DISTINCT_INDEX = 0.5  # the same for a column without a name, in a sample drawn with replacement
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./](\d{4}|\d{2})\b")
_CALLED_ID = re.compile(r"(^|[_\W])id$|I[dD]$", re.ASCII)
# Names of a column of row numbers in pandas, R and spreadsheets.
_CALLED_INDEX = re.compile(
    r"(unnamed: \d+(\.\d+)*|level_\d+|index|row[ _.]?(names?|number|nr|id)?)?", re.I
)
_MOST_REASONS = 3  # of columns left out that a message shows
_NUMBERS_ROWS = "its values number the rows"
_TRUTH = {"true", "false"}


def find_columns(
    frame: pd.DataFrame,
    target: str,
    *,
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    notations: Mapping[str, Notation] | None = None,
    dialect: Dialect | None = None,
) -> Schema:
    """Decide the kind of each column other than the target.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of any dtype: numbers, also nullable ones and those of Arrow; text; booleans,
        categories and dates, which become categories.
    target : str
        Name of the column to predict.
    numeric, categorical, drop : sequences of str
        Names of columns for which the caller decides.
    notations : mapping of str to Notation, optional
        Notations of columns, as ``CsvTable.notations`` has them; found by default.
    dialect : Dialect, optional
        Known notation and words for missing cells.

    Returns
    -------
    Schema

    Raises
    ------
    ArgumentError
        A name is unknown or has two roles; a column holds lists or complex numbers; or no column
        is left to learn from.
    ArgumentTypeError
        A name in the frame is no text.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import find_columns
    >>> frame = pd.DataFrame({"row": [1, 2, 3], "size": ["1.5", " ", "2"], "y": ["a", "b", "b"]})
    >>> for notice in find_columns(frame, "y").notices:
    ...     print(notice)
    row: dropped, its values number the rows
    size: text that is numbers but for 1 blank cell: read as numbers
    """
    _check_names(frame, target, numeric, categorical, drop)
    known, dialect = notations or {}, dialect or Dialect()
    schema = Schema()
    for name, cells in frame.items():
        assert isinstance(name, str)
        if name == target:
            continue
        if name in drop:
            schema.drop(name, "as asked")
        elif name in numeric:
            found = notation_in(cells, dialect)
            notation = known.get(name) or (found[0] if found else dialect.notation)
            schema.use(name, "number", "read as numbers, as asked", notation)
        elif name in categorical:
            kind = "code" if _is_coded(cells) else "category"
            schema.use(name, kind, "read as categories, as asked")
        else:
            _decide(schema, name, cells, known.get(name), dialect)
    if not schema.columns:
        dropped = [f"{name}: {reason}" for name, reason in schema.dropped.items()]
        more = "; and others" if len(dropped) > _MOST_REASONS else ""
        why = "".join(f"; {one}" for one in [*schema.doubts, *dropped[:_MOST_REASONS]])
        raise ArgumentError(f"no column but the target {target!r} is left to learn from{why}{more}")
    return schema


def _check_names(frame: pd.DataFrame, target: str, *roles: Sequence[str]) -> None:
    check_frame(frame)
    for name in frame.columns:
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"columns must have names of type str, got {name!r}; rename them, for instance by "
                "frame.columns = [str(name) for name in frame.columns]"
            )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ArgumentError(f"more than one column is called {twice!r}; rename them")
    given = [name for role in roles for name in role]
    for name in [target, *given]:
        check_column(frame, name)
    for name in given:
        if name == target:
            raise ArgumentError(f"column {name!r} is the target and cannot have another role")
        if sum(name in role for role in roles) > 1:
            raise ArgumentError(f"column {name!r} is given more than one role")


def check_column(frame: pd.DataFrame, name: str) -> None:
    """Raise ArgumentError, with the nearest name, if a table has no column of this name."""
    check_frame(frame)
    if name in frame.columns:
        return
    by_lower = {str(known).lower(): known for known in frame.columns}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    hint = (
        f"did you mean {by_lower[near[0]]!r}?" if near else f"columns: {_some(list(frame.columns))}"
    )
    raise ArgumentError(f"no column is called {name!r}; {hint}")


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(str(name) for name in names[:most])
    return f"{shown}, … ({len(names)} in all)" if len(names) > most else shown


def notation_in(cells: pd.Series, dialect: Dialect) -> tuple[Notation, ...]:
    """Find the notations in which nearly all present cells of a column are numbers."""
    if not is_text(cells):
        return (PLAIN,)
    return dialect.notation_of([word for word in dict.fromkeys(words(cells)) if word])


def _is_coded(cells: pd.Series) -> bool:
    """Return whether all cells are whole numbers, and none of them written as "007"."""
    read = numbers(cells)
    return not read.unreadable.any() and is_whole(read.values) and not _has_zeros(cells)


def _has_zeros(cells: pd.Series) -> bool:
    return is_text(cells) and has_leading_zeros(set(words(cells)))


def _decide(
    schema: Schema, name: str, cells: pd.Series, known: Notation | None, dialect: Dialect
) -> None:
    notation = known or (dialect.notation if is_text(cells) else PLAIN)
    read = numbers(cells, notation)
    if isinstance(cells.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(cells):
        _decide_words(schema, name, cells)
        return
    if read.unreadable.any() and known is None:
        found = notation_in(cells, dialect)
        if len(found) > 1:
            ways = " or ".join(f"{one.describe()} ({options_of(one)})" for one in found)
            schema.doubts.append(f"{name}: numbers that can be read in two ways: {ways}")
        elif found:
            [notation] = found
            read = numbers(cells, notation)
        elif other := notation_in(cells, Dialect()):
            ways = " or ".join(f"{one.describe()} ({options_of(one)})" for one in other)
            schema.doubts.append(f"{name}: no numbers as they are asked for, but with {ways}")
    values, unreadable = read.values, read.unreadable
    if np.isnan(values).all() and not unreadable.any() and not read.infinite.any():
        schema.drop(name, "it is empty")
    elif _has_zeros(cells) and is_whole(values):
        _decide_words(schema, name, cells, "numbers with zeros in front: read as categories")
    elif not unreadable.any() or _few_unreadable(values, unreadable):
        _decide_numbers(schema, name, cells, read, notation)
    else:
        _decide_words(schema, name, cells, _mixture(cells, values, unreadable))


def _few_unreadable(values: np.ndarray, unreadable: np.ndarray) -> bool:
    """Return whether a column is numbers but for few cells, with many distinct numbers."""
    present = values[~np.isnan(values)]
    few = unreadable.sum() <= FEW_UNREADABLE * (len(present) + unreadable.sum())
    return bool(few) and len(np.unique(present)) > _MOST_CODES


def _decide_numbers(
    schema: Schema, name: str, cells: pd.Series, read: Numbers, notation: Notation
) -> None:
    values = read.values
    missing = np.isnan(values)
    complete, present = not missing.any(), values[~missing]
    distinct = _distinct(cells, present) if is_whole(present) else 0
    written = "" if notation == PLAIN else f"numbers with {notation.describe()}"
    if complete and present.min() == present.max() and distinct <= 1:
        schema.drop(name, f"it is {present[0]:.15g} in every row")
    elif distinct and complete and (reason := _index(name, values, distinct)):
        schema.drop(name, reason)
        if reason != _NUMBERS_ROWS:
            schema.doubts.append(f"{name}: taken for an index and left out, since {reason}")
    elif complete and distinct == len(values) > 2 and _CALLED_ID.search(name):
        schema.drop(name, "by its name and its distinct values it identifies rows")
    elif not written and 2 < distinct <= min(_MOST_CODES, len(values) / _ROWS_PER_CODE):
        schema.use(name, "code", f"{distinct} distinct whole numbers: read as categories")
    elif read.unreadable.any():
        odd = count(int(read.unreadable.sum()), "cell")
        schema.use(name, "number", f"{written or 'numbers'} but for {odd}", notation)
    elif is_text(cells) and not written and _has_odd_blanks(cells, missing):
        blank = count(int(missing.sum()), "blank cell")
        schema.use(name, "number", f"text that is numbers but for {blank}: read as numbers")
    else:
        gaps = "" if complete else count(int(missing.sum()), "missing cell")
        schema.use(name, "number", ", ".join(filter(None, (written, gaps))), notation)


def _distinct(cells: pd.Series, present: np.ndarray) -> int:
    """Count distinct whole numbers, exactly also beyond the 53 bits of float64."""
    if np.abs(present).max(initial=0) < 2.0**53:
        return len(np.unique(present))
    return len(set(words(cells)) - {""})


def _index(name: str, values: np.ndarray, distinct: int) -> str:
    """Return the reason why whole numbers are an index of the rows; "" if they are none."""
    n, span = len(values), values.max() - values.min()
    if n > 2 and distinct == n and span == n - 1:
        return _NUMBERS_ROWS
    if n > 2 and distinct == n and span < 2 * n and np.all(np.diff(values) > 0):
        return "its values count up with the rows"
    if distinct > _DISTINCT_INDEX * n > 1 and _CALLED_INDEX.fullmatch(name):
        return "its name and its values are those of an index"
    return ""


def _has_odd_blanks(cells: pd.Series, missing: np.ndarray) -> bool:
    """Return whether a missing cell holds something: blanks or a word such as "NA"."""
    return any(str(cell) != "" for cell in set(cells[missing]))


def _mixture(cells: pd.Series, values: np.ndarray, unreadable: np.ndarray) -> str:
    """Return the notice of words among numbers; "" if words prevail."""
    if unreadable.sum() > FEW_UNREADABLE * np.sum(~np.isnan(values)):
        return ""
    row = int(np.argmax(unreadable))
    return (
        f"read as categories because of {count(int(unreadable.sum()), 'cell')} such as "
        f"{words(cells)[row]!r} in data row {row + 1} among numbers"
    )


def _decide_words(schema: Schema, name: str, cells: pd.Series, notice: str = "") -> None:
    text = words(cells)
    known = set(text)
    distinct = len(known - {""})
    n_present = int(np.sum(text != ""))
    sample = [word for word in text if word][:100]
    dates = bool(sample) and np.mean([_DATE.match(word) is not None for word in sample]) > 0.9
    if distinct == 0:
        schema.drop(name, "it is empty")
    elif distinct == 1 and n_present == len(text):
        schema.drop(name, f"it is {sample[0]!r} in every row")
    elif distinct > 1 and distinct > _DISTINCT_TEXT * n_present:
        what = "dates" if dates else "texts"
        schema.drop(name, f"{distinct:,} distinct {what} in {n_present:,} rows: they identify rows")
    elif dates:
        hint = "read as categories; columns of year, month or age would say more"
        schema.use(name, "category", f"looks like dates: {hint}")
    elif {word.lower() for word in known - {""}} <= _TRUTH:
        schema.use(name, "category", notice or "true and false: read as categories")
    else:
        schema.use(name, "category", notice)
