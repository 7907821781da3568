"""The cells of the columns that a network sees, as two arrays: of numbers, and of words."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .cells import Numbers
from .columns import Column, check_frame
from .findings import INFINITE, UNREADABLE, Findings


@dataclass(frozen=True)
class Cells:
    """The cells of some columns.

    Attributes
    ----------
    numbers : ndarray, shape (n, columns of numbers), float64
        NaN where missing.
    words : ndarray, shape (n, other columns), object
        Text, "" where missing.
    findings : Findings
        Cells that are no numbers, or infinite.
    faulty : dict of int to ndarray of bool, shape (n,)
        Rows of those, by the number of their column in `numbers`.
    """

    numbers: np.ndarray
    words: np.ndarray
    findings: Findings
    faulty: dict[int, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> Cells:
        """Return some of the rows."""
        numbers, words = (part.T.take(rows, axis=1).T for part in (self.numbers, self.words))
        return Cells(numbers, words, Findings(len(rows)))


def check_columns(columns: Sequence[Column], names: Sequence[str]) -> None:
    """Raise `ArgumentError` unless a table has all columns.

    Raises
    ------
    ArgumentError
        Some are not among the names; the message has the nearest name.
    """
    there = set(names)
    absent = [column.name for column in columns if column.name not in there]
    if absent:
        near = difflib.get_close_matches(absent[0], map(str, names), n=1)
        hint = f" ({near[0]!r} is there)" if near else ""
        lacking = ", ".join(map(repr, absent))
        raise ArgumentError(f"the table lacks {lacking}{hint}, which the model was trained on")


def read_cells(columns: Sequence[Column], frame: pd.DataFrame) -> Cells:
    """Read columns of a table.

    Raises
    ------
    ArgumentError
        A column is missing, or many cells of a column of numbers are none.
    """
    check_frame(frame)
    check_columns(columns, list(frame.columns))
    of_numbers = [column for column in columns if column.kind == "number"]
    of_words = [column for column in columns if column.kind != "number"]
    numbers, faults = _numbers(of_numbers, frame[[column.name for column in of_numbers]])
    findings, faulty = Findings(len(frame)), {}
    for j, read in faults.items():
        name = of_numbers[j].name
        if read.unreadable.any():
            findings.add(UNREADABLE, name, read.unreadable, frame[name].to_numpy(dtype=object))
        findings.add(INFINITE, name, read.infinite)
        faulty[j] = read.unreadable | read.infinite
    words = _words(of_words, frame[[column.name for column in of_words]])
    return Cells(numbers, words, findings, faulty)


def _numbers(
    columns: Sequence[Column], frame: pd.DataFrame
) -> tuple[np.ndarray, dict[int, Numbers]]:
    """Return numbers (n, columns), and by column the cells that are none.

    Columns of plain numeric dtypes are converted all at once.
    """
    plain = all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in frame.dtypes)
    if plain:
        values = frame.to_numpy(dtype=np.float64)
        doubtful = np.flatnonzero(np.isinf(values).any(axis=0)).tolist()
        values = values.copy(order="F") if doubtful else values
    else:
        values = np.empty(frame.shape, order="F")
        doubtful = list(range(len(columns)))
    faults = {}
    for j in doubtful:
        read = columns[j].numbers(frame[columns[j].name])
        values[:, j] = read.values
        if read.unreadable.any() or read.infinite.any():
            faults[j] = read
    return values, faults


def _words(columns: Sequence[Column], frame: pd.DataFrame) -> np.ndarray:
    read = np.empty(frame.shape, dtype=object, order="F")
    for j, (column, (_, cells)) in enumerate(zip(columns, frame.items(), strict=True)):
        read[:, j] = column.values(cells)
    return read
