"""Types of the columns of a CSV file: numbers or text.

Columns whose first rows are numbers are read as such. Those that turn out to hold anything else, or
whole numbers that would lose zeros in front or digits, are read again as text.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .cells import has_leading_zeros, is_whole
from .csv_text import CsvText
from .findings import count
from .first_rows import notations_by_name
from .layout import may_have_leading_zeros
from .notation import COMMA, PLAIN, Notation

_EXACT = 2.0**53  # whole numbers from here on are not all in float64


def read_all(file: CsvText, text: Collection[str]) -> tuple[pd.DataFrame, dict[str, Notation]]:
    """Read all columns; those that are not numbers throughout, as text.

    Returns
    -------
    frame : pandas.DataFrame
    notations : dict of str to Notation
        The notations of columns of numbers, where not plain.
    """
    notations = _notations(file, text)
    plain = [name for name, notation in notations.items() if notation == PLAIN]
    comma = [name for name, notation in notations.items() if notation == COMMA]
    if comma:
        file.check_lengths()
    known = {*plain, *comma}
    frame = file.read(plain, comma, [name for name in file.names if name not in known])
    doubtful = _doubtful(frame[[*plain, *comma]], file)
    if doubtful:
        again = file.read(text=doubtful)
        for name in doubtful:
            if not _is_number(frame[name]) or _is_inexact(frame[name], set(again[name])):
                frame[name] = again[name]
    _empty_missing(frame, file.dialect.missing)
    return frame, {name: notation for name, notation in notations.items() if notation != PLAIN}


def read_wanted(file: CsvText, known: Mapping[str, Notation | None]) -> pd.DataFrame:
    """Read the wanted columns that are there."""
    there = {name: known[name] for name in file.names if name in known}
    if not there:
        raise ArgumentError(f"{file.path}: holds none of the columns that are wanted")
    if len(there) < len(file.names):
        file.check_lengths()
    plain = [name for name, notation in there.items() if notation == PLAIN]
    comma = [name for name, notation in there.items() if notation == COMMA]
    numeric = {*plain, *comma}
    frame = file.read(plain, comma, [name for name in there if name not in numeric])
    _empty_missing(frame, file.dialect.missing)
    return frame


def _notations(file: CsvText, text: Collection[str]) -> dict[str, Notation]:
    """Return the notation of each column by the first rows; columns of text are left out."""
    columns = itertools.zip_longest(*file.layout.rows, fillvalue="")
    first = dict.fromkeys(file.names, ()) | dict(zip(file.names, columns, strict=False))
    asked = {name: cells for name, cells in first.items() if name not in text}
    return notations_by_name(asked, file.dialect, file.layout.delimiter)


def _is_number(cells: pd.Series) -> bool:
    return cells.dtype.kind in "iuf"


def _doubtful(frame: pd.DataFrame, file: CsvText) -> list[str]:
    """Return the columns whose text must be checked: no numbers, or whole numbers, perhaps codes.

    Whole ones are such where the file has zeros in front of digits, or that float64 rounds.
    """
    other = [name for name, cells in frame.items() if not _is_number(cells)]
    whole = [
        name
        for name, cells in frame.items()
        if cells.dtype.kind in "iu" or (cells.dtype.kind == "f" and is_whole(cells.to_numpy()))
    ]
    if whole and not may_have_leading_zeros(file.data, file.layout):
        whole = [name for name in whole if _is_rounded(frame[name])]
    return [str(name) for name in (*other, *whole)]


def _is_rounded(cells: pd.Series) -> bool:
    return cells.dtype.kind == "f" and bool(np.any(np.abs(cells.to_numpy()) >= _EXACT))


def _is_inexact(cells: pd.Series, texts: set[str]) -> bool:
    """Return whether whole numbers differ from the text: leading zeros, beyond 53 bits."""
    return _is_rounded(cells) or has_leading_zeros(texts)


def _empty_missing(frame: pd.DataFrame, missing: Iterable[str]) -> None:
    """Empty the cells of text that mean "missing", in place."""
    words = {word.strip().lower() for word in missing}
    for name in frame.columns if words else ():
        if not _is_number(frame[name]):
            cells = frame[name].astype(object)
            alike = {cell: cell for cell in set(cells)}
            alike = {c: "" if str(c).strip().lower() in words else c for c in alike}
            frame[name] = cells.map(alike)


def short_rows(file: CsvText, frame: pd.DataFrame) -> list[str]:
    """Return a notice of rows with fewer cells than the header, which pandas fills silently."""
    names = file.names
    if len(names) == 1:
        return []
    last = frame.get(names[-1])
    if last is not None and not (last.isna() | (last == "")).any():
        return []
    lengths = file.row_lengths
    short = lengths < len(names)
    if len(lengths) != len(frame) or not short.any():  # quotes within cells: cannot be counted
        return []
    first = int(np.argmax(short)) + 1
    return [
        f"{count(int(short.sum()), 'row')} with fewer cells than the header, the first of them "
        f"data row {first}: what lacks counts as blank"
    ]
