"""Columns that a network sees, how they are read, and the list of them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ArgumentError, ArgumentTypeError
from .cells import Numbers, codes, numbers, words
from .notation import FEW_UNREADABLE, PLAIN, Notation, notation_of

_MOST_SHOWN = 1000  # cells by which a notation is suggested


@dataclass(frozen=True)
class Column:
    """A column that the network sees; `kind` is "number", "code" or "category".

    Attributes
    ----------
    name, kind : str
    notation : Notation
        Notation of numbers in text.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Column
    >>> Column("size", "number").read(pd.DataFrame({"size": ["1.5", " ", "2"]}))
    array([1.5, nan, 2. ])
    """

    name: str
    kind: str
    notation: Notation = PLAIN

    def read(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the cells, shape (n,): float64 with NaN where missing, or text with "" there.

        Cells that are no numbers count as missing where they are few.

        Raises
        ------
        ArgumentError
            More than one of ten cells of a column of numbers are not numbers.
        """
        return self.values(frame[self.name])

    def values(self, cells: pd.Series) -> np.ndarray:
        """Return what `read` returns, of the column itself."""
        if self.kind == "code":
            return codes(cells)
        if self.kind == "category":
            return words(cells)
        return self.numbers(cells).values

    def numbers(self, cells: pd.Series) -> Numbers:
        """Return the numbers of the column, and which cells are none.

        Raises
        ------
        ArgumentError
            More than one of ten cells are not numbers.
        """
        read = numbers(cells, self.notation)
        wrong = int(read.unreadable.sum())
        if wrong > FEW_UNREADABLE * (wrong + np.count_nonzero(~np.isnan(read.values))):
            row = int(np.argmax(read.unreadable))
            raise ArgumentError(
                f"column {self.name!r} holds numbers{self._how()}, but data row {row + 1} has "
                f"{cells.iloc[row]!r}{options_that_read(cells, read.unreadable)}"
            )
        return read

    def _how(self) -> str:
        return "" if self.notation == PLAIN else f" ({self.notation.describe()})"


def options_that_read(cells: pd.Series, unreadable: np.ndarray) -> str:
    """Return a clause on the option that reads the cells that are no numbers."""
    texts = [str(cell).strip() for cell in cells[unreadable].unique()[:_MOST_SHOWN]]
    found = notation_of(texts)
    if not found:
        return f"; if it means missing, give --na {shlex.quote(texts[0])}"
    ways = " or ".join(f"{one.describe()} ({options_of(one)})" for one in found)
    return f"; it looks like {ways}"


def options_of(notation: Notation) -> str:
    """Return the options of the command line that describe a notation."""
    options = [f"--decimal {notation.decimal}"]
    options += [f"--thousands {notation.thousands!r}"] if notation.thousands else []
    return " ".join(options)


def check_frame(frame: Any) -> None:
    """Raise ArgumentTypeError unless a table is a DataFrame of pandas."""
    if not isinstance(frame, pd.DataFrame):
        raise ArgumentTypeError(
            f"frame must be a pandas.DataFrame, got {type(frame).__module__.split('.')[0]}'s "
            f"{type(frame).__name__}; Polars' and Arrow's tables have to_pandas()"
        )


@dataclass
class Schema:
    """The columns that are used, those that are not (with the reason), and notices.

    Attributes
    ----------
    columns : list of Column
    dropped : dict of str to str
    notices : list of str
        A sentence for each decision.
    doubts : list of str
        Decisions that the caller may want to change.

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
    doubts: list[str] = field(default_factory=list)

    def drop(self, name: str, reason: str) -> None:
        """Leave a column out."""
        self.dropped[name] = reason
        self.notices.append(f"{name}: dropped, {reason}")

    def use(self, name: str, kind: str, notice: str = "", notation: Notation = PLAIN) -> None:
        """Let the network see a column."""
        self.columns.append(Column(name, kind, notation))
        if notice:
            self.notices.append(f"{name}: {notice}")
