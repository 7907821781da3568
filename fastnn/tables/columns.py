"""What each column of a table is: numbers, codes, categories, or nothing a network can learn from.

Decisions are taken from the whole table and said in one sentence each (`Schema.notices`); no
statistic of a column is computed here, so that held-out rows stay unseen (see `encoder.py`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .reading import codes, is_text, is_whole, numbers, words

#: The kinds of columns: numbers; whole numbers that stand for categories; categories.
KINDS = ("number", "code", "category")

_MOST_CODES = 10  # distinct whole numbers that are still taken as categories
_ROWS_PER_CODE = 20  # rows each of them must have on average
_DISTINCT_TEXT = 0.9  # share of distinct texts from which a column identifies rows
_FEW_FOREIGN = 0.02  # share of words in a column of numbers that looks like a mistake
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./](\d{4}|\d{2})\b")
_CALLED_ID = re.compile(r"(^|[_\W])id$|I[dD]$", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A column that the network sees; `kind` is "number", "code" or "category".

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Column
    >>> Column("size", "number").read(pd.DataFrame({"size": ["1.5", " ", "2"]}))
    array([1.5, nan, 2. ])
    """

    name: str
    kind: str

    def read(self, frame: pd.DataFrame) -> np.ndarray:
        """The cells, shape (n,): float64 with NaN where missing, or text with "" there.

        Raises
        ------
        ArgumentError
            A cell of a column of numbers is not a number.
        """
        cells = frame[self.name]
        if self.kind == "code":
            return codes(cells)
        if self.kind == "category":
            return words(cells)
        values, foreign = numbers(cells)
        if foreign.any():
            row = int(np.argmax(foreign))
            raise ArgumentError(
                f"column {self.name!r} holds numbers, but data row {row + 1} has "
                f"{cells.iloc[row]!r}"
            )
        return values


@dataclass
class Schema:
    """The columns that are used, those that are not (with the reason), and what was noticed.

    Examples
    --------
    >>> from fastnn.tables import Schema
    >>> schema = Schema()
    >>> schema.use("size", "number")
    >>> schema.drop("row", "its values number the rows")
    >>> schema.notices
    ['row: dropped, its values number the rows']
    """

    columns: list[Column] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def drop(self, name: str, reason: str) -> None:
        """Leave a column out."""
        self.dropped[name] = reason
        self.notices.append(f"{name}: dropped, {reason}")

    def use(self, name: str, kind: str, notice: str = "") -> None:
        """Let the network see a column."""
        self.columns.append(Column(name, kind))
        if notice:
            self.notices.append(f"{name}: {notice}")


def find_columns(
    frame: pd.DataFrame,
    target: str,
    *,
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Schema:
    """Decide what each column other than the target is.

    Parameters
    ----------
    frame : pandas.DataFrame
    target : str
        Name of the column to predict.
    numeric, categorical, drop : sequences of str
        Names of columns for which the caller decides.

    Returns
    -------
    Schema

    Raises
    ------
    ArgumentError
        A name is unknown or has two roles, or no column is left to learn from.

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
    schema = Schema()
    for name in frame.columns:
        if name == target:
            continue
        if name in drop:
            schema.drop(name, "as asked")
        elif name in numeric:
            schema.use(name, "number", "read as numbers, as asked")
        elif name in categorical:
            values, foreign = numbers(frame[name])
            code = not foreign.any() and is_whole(values)
            schema.use(name, "code" if code else "category", "read as categories, as asked")
        else:
            _decide(schema, name, frame[name])
    if not schema.columns:
        raise ArgumentError(f"no column but the target {target!r} is left to learn from")
    return schema


def _check_names(frame, target, *roles) -> None:
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
    """Raise ArgumentError, with the nearest name, where a table has no column of this name."""
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


def _decide(schema: Schema, name: str, cells: pd.Series) -> None:
    values, foreign = numbers(cells)
    if np.isnan(values).all() and not foreign.any():
        schema.drop(name, "it is empty")
    elif foreign.any():
        _decide_words(schema, name, cells, values, foreign)
    else:
        _decide_numbers(schema, name, cells, values)


def _decide_numbers(schema, name, cells, values) -> None:
    missing = np.isnan(values)
    distinct = np.unique(values[~missing])
    whole = is_whole(values)
    every_row = not missing.any() and len(distinct) == len(values) > 2
    if len(distinct) == 1 and not missing.any():
        schema.drop(name, f"it is {distinct[0]:g} in every row")
    elif whole and every_row and distinct[-1] - distinct[0] == len(values) - 1:
        schema.drop(name, "its values number the rows")
    elif whole and every_row and _CALLED_ID.search(name):
        schema.drop(name, "by its name and its distinct values it identifies rows")
    elif whole and 2 < len(distinct) <= min(_MOST_CODES, len(values) / _ROWS_PER_CODE):
        schema.use(name, "code", f"{len(distinct)} distinct whole numbers: read as categories")
    elif is_text(cells) and _has_odd_blanks(cells, missing):
        schema.use(
            name,
            "number",
            f"text that is numbers but for {count(missing.sum(), 'blank cell')}: read as numbers",
        )
    elif missing.any():
        schema.use(name, "number", count(missing.sum(), "missing cell"))
    else:
        schema.use(name, "number")


def _has_odd_blanks(cells: pd.Series, missing: np.ndarray) -> bool:
    """Whether a missing cell holds something: blanks or a word such as "NA"."""
    return bool((cells[missing].astype(str) != "").any())


def _decide_words(schema, name, cells, values, foreign) -> None:
    text = words(cells)
    present = text[text != ""]
    distinct = len(np.unique(present))
    dates = np.mean([_DATE.match(word) is not None for word in present[:100]]) > 0.9
    if distinct == 1 and len(present) == len(text):
        schema.drop(name, f"it is {present[0]!r} in every row")
    elif distinct > 1 and distinct > _DISTINCT_TEXT * len(present):
        what = "dates" if dates else "texts"
        schema.drop(
            name, f"{distinct:,} distinct {what} in {len(present):,} rows: they identify rows"
        )
    elif dates:
        hint = "read as categories; columns of year, month or age would say more"
        schema.use(name, "category", f"looks like dates: {hint}")
    elif foreign.sum() <= _FEW_FOREIGN * np.sum(~np.isnan(values)):
        row = int(np.argmax(foreign))
        schema.use(
            name,
            "category",
            f"read as categories because of {count(foreign.sum(), 'cell')} such as "
            f"{text[row]!r} in data row {row + 1} among numbers",
        )
    else:
        schema.use(name, "category")


def count(n: int, noun: str) -> str:
    """A number and its noun: "1 row", "2,000 rows", "2 classes"."""
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"
