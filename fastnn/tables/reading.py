"""Reading of CSV files: columns of numbers as numbers, all others as text.

pandas' parser reads the rows; `column_types.py` says which columns it reads as numbers, so that
"001" and "True" stay what they are. What a column means is decided in `deciding.py`, once, when a
model is trained.
"""

from __future__ import annotations

import functools
import io
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .cells import MISSING_NUMBERS
from .column_types import read_all, read_wanted, short_rows
from .dialect import Dialect
from .findings import count
from .layout import Layout, layout_of, row_lengths
from .notation import Notation
from .text_files import read_text

_TRAILING = "\x1f"  # the name of the cells behind a delimiter at the end of each row
_TOO_LONG = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_UNCLOSED = re.compile(r"EOF inside string starting at row (\d+)")


@dataclass(frozen=True)
class CsvTable:
    r"""A CSV file that was read.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns of numbers, and columns of text of dtype object.
    names : list of str
        All names of the header; `frame` may have fewer columns.
    dialect : Dialect
        Known notation and words for missing cells.
    notations : dict of str to Notation
        Notations of columns of numbers, where not plain.
    notices : list of str
        Sentences on what was guessed, skipped or filled in.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pets.csv")
    ...     _ = file.write_text("pet,legs\ncat,4\nhen\n")
    ...     read_table(file).notices[0][:39]
    '1 row with fewer cells than the header,'
    """

    frame: pd.DataFrame
    names: list[str]
    dialect: Dialect
    notations: dict[str, Notation] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read a CSV file, every cell as text.

    Parameters
    ----------
    path : str or path-like
        Text with a header line; may be compressed (``.gz``, ``.xz``, ``.zip``, …). A pipe, or "-"
        for standard input, is read once.

    Returns
    -------
    pandas.DataFrame
        At least one row; all columns are text, with different names.

    Raises
    ------
    ArgumentError
        The file is missing, unreadable, not CSV, has no rows, or two columns have one name.

    See Also
    --------
    read_table : Numbers as numbers, which is faster by far.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pets.csv")
    ...     _ = file.write_text("pet;legs\ncat;4\nhen;2\n")
    ...     read_csv(file)["legs"].tolist()
    ['4', '2']
    """
    file = CsvFile.open(path, Dialect())
    return file.read(text=file.names)


def read_table(
    path: str | os.PathLike[str],
    dialect: Dialect | None = None,
    *,
    text: Collection[str] = (),
    known: Mapping[str, Notation | None] | None = None,
) -> CsvTable:
    r"""Read a CSV file and report its layout and notations.

    The delimiter (comma, semicolon, tab or bar) is the one with which the rows have as many cells
    as the header.

    Parameters
    ----------
    path : str or path-like
        Text with a header line; may be compressed (``.gz``, ``.xz``, ``.zip``, …). A pipe, or "-"
        for standard input, is read once.
    dialect : Dialect, optional
        Known notation and words for missing cells.
    text : collection of str
        Names of columns to read as text.
    known : mapping of str to Notation or None, optional
        The columns that are wanted, and how their numbers are written (None: words); others are
        not read. By default all columns are, and their kinds are found.

    Returns
    -------
    CsvTable

    Raises
    ------
    ArgumentError
        The file is missing, unreadable, not CSV, has no rows, or two columns have one name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pets.csv")
    ...     _ = file.write_text("pet;weight\ncat;4,2\nhen;1,75\n")
    ...     table = read_table(file)
    >>> table.frame["weight"].tolist(), table.notations["weight"].describe()
    ([4.2, 1.75], 'decimal comma')
    """
    return CsvFile.open(path, dialect or Dialect()).table(text, known)


@dataclass(frozen=True)
class CsvFile:
    r"""A CSV file in memory, whose columns are read as numbers or as text.

    Attributes
    ----------
    path : str or path-like
    data : bytes
        UTF-8.
    layout : Layout
    dialect : Dialect
    notices : list of str
        Sentences on what was guessed or skipped.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import CsvFile, Dialect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "pets.csv")
    ...     _ = path.write_text("pet,legs\ncat,4\n")
    ...     file = CsvFile.open(path, Dialect())
    >>> file.names
    ['pet', 'legs']
    >>> file.table(text=["legs"]).frame["legs"].tolist()
    ['4']
    """

    path: str | os.PathLike[str]
    data: bytes
    layout: Layout
    dialect: Dialect
    notices: list[str]

    @classmethod
    def open(cls, path: str | os.PathLike[str], dialect: Dialect) -> CsvFile:
        """Read a file into memory and find its layout; raise the errors of `read_table`."""
        data, notices = read_text(path)
        layout = layout_of(data)
        _check_names(layout.names, path)
        if layout.skipped:
            notices.append(f"{count(layout.skipped, 'line')} of comments above the header left out")
        return cls(path, data, layout, dialect, notices)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return self.layout.names

    def table(
        self, text: Collection[str] = (), known: Mapping[str, Notation | None] | None = None
    ) -> CsvTable:
        """Return the columns, as `read_table` does."""
        if known is None:
            frame, notations = read_all(self, text)
        else:
            frame, notations = read_wanted(self, known), {}
        notices = [*self.notices, *short_rows(self, frame)]
        return CsvTable(frame, self.names, self.dialect, notations, notices)

    def read(
        self, plain: Collection[str] = (), comma: Collection[str] = (), text: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns as numbers, as numbers with a decimal comma, and as text."""
        parts = []
        if plain or text:
            parts.append(self._parse({**dict.fromkeys(plain), **dict.fromkeys(text, object)}))
        if comma:
            parts.append(self._parse(dict.fromkeys(comma), decimal=","))
        frame = parts[0] if len(parts) == 1 else pd.concat(parts, axis=1)
        wanted = {*plain, *comma, *text}
        names = [name for name in self.layout.names if name in wanted]
        return frame if list(frame.columns) == names else frame[names]

    def _parse(self, dtypes: Mapping[str, Any], decimal: str = ".") -> pd.DataFrame:
        layout = self.layout
        names = [*layout.names, _TRAILING] if layout.trailing else layout.names
        wanted = {*dtypes, _TRAILING} if layout.trailing else {*dtypes}
        # Where the first row is longer than the header, pandas takes its first cell as an index.
        if layout.rows and len(layout.rows[0]) > len(names):
            raise self._too_long()
        missing = {name: self._missing for name, kind in dtypes.items() if kind is None}
        stream = io.BytesIO(self.data)
        stream.seek(layout.start)
        try:
            frame = pd.read_csv(
                stream,
                sep=layout.delimiter,
                header=None,
                names=names,
                usecols=None if len(wanted) == len(names) else sorted(wanted),
                dtype={name: kind for name, kind in dtypes.items() if kind is not None},
                # pandas takes a second to prepare a list for each of 5,000 columns.
                na_values=missing if len(missing) < len(wanted) else self._missing,
                keep_default_na=False,
                decimal=decimal,
                # Blank lines separate nothing; in a single column they are missing cells.
                skip_blank_lines=len(names) > 1,
                low_memory=False,
                encoding="utf-8",
            )
        except pd.errors.EmptyDataError:
            raise ArgumentError(f"{self.path}: no rows below the header") from None
        except pd.errors.ParserError as error:
            raise ArgumentError(f"{self.path}: {self._reason(error)}") from None
        if not len(frame):
            raise ArgumentError(f"{self.path}: no rows below the header")
        if layout.trailing and (frame.pop(_TRAILING) != "").any():
            raise self._too_long()
        return frame

    @functools.cached_property
    def _missing(self) -> list[str]:
        """The cells that mean "missing" among numbers, in all cases, as pandas compares them."""
        cases = (str.lower, str.upper, str.title)
        usual = {case(word) for word in MISSING_NUMBERS for case in cases}
        return sorted({*usual, "NaN", " ", *self.dialect.missing})

    @functools.cached_property
    def row_lengths(self) -> np.ndarray:
        """The number of cells of each row, shape (n,)."""
        return row_lengths(self.data, self.layout)

    def check_lengths(self) -> None:
        """Raise ArgumentError if a row has more cells than the header.

        pandas does so itself unless it reads a part of the columns.
        """
        most = len(self.layout.names) + self.layout.trailing
        if len(self.row_lengths) and self.row_lengths.max() > most:
            raise self._too_long()

    def _too_long(self) -> ArgumentError:
        return ArgumentError(f"{self.path}: not a CSV table (rows have more cells than the header)")

    def _reason(self, error: Exception) -> str:
        if match := _TOO_LONG.search(str(error)):
            cells, line = int(match[3]), int(match[2]) + self.layout.lines
            return (
                f"not a CSV file (line {line} has {cells} cells, the header "
                f"{len(self.layout.names)}; cells that hold {self.layout.delimiter!r} need quotes)"
            )
        if match := _UNCLOSED.search(str(error)):
            return (
                f"not a CSV file (a quote that opens in data row {int(match[1]) + 1} never closes)"
            )
        return f"not a CSV file ({str(error).strip()})"


def _check_names(names: list[str], path: str | os.PathLike[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in sorted(names) if names.count(name) > 1)
        raise ArgumentError(f"{path}: more than one column is called {twice!r}; rename them")
