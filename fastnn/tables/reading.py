"""Reading of CSV files: columns of numbers as numbers, all others as text.

pandas' parser reads the rows; `column_types.py` says which columns it reads as numbers, so that
"001" and "True" stay what they are. What a column means is decided in `deciding.py`, once, when a
model is trained.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from .column_types import read_all, read_wanted, short_rows
from .csv_text import CsvText
from .dialect import Dialect
from .notation import Notation


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
class CsvFile(CsvText):
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
