"""Notations of the numbers of a file's columns, by its first rows.

Columns that allow one reading only decide for those that allow two, such as "1,234".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from .cells import MISSING_NUMBERS
from .dialect import Dialect
from .notation import COMMA, PLAIN, Notation

_PLAIN = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE
)
_LEADING_ZERO = re.compile(r"[+-]?0\d+", re.ASCII)
_POINT_BETWEEN_THOUSANDS = Notation(",", ".")


def notations_by_name(
    columns: Mapping[str, Iterable[str]], dialect: Dialect, delimiter: str
) -> dict[str, Notation]:
    """Find the notations of columns.

    Parameters
    ----------
    columns : mapping of str to iterable of str
        The first cells of each column.
    dialect : Dialect
        Known notation and words for missing cells.
    delimiter : str
        Delimiter of the file.

    Returns
    -------
    dict of str to Notation
        Columns of words, of numbers with zeros in front, and those that stay unclear are not in it.
    """
    missing = MISSING_NUMBERS | {word.strip().lower() for word in dialect.missing}
    present = {
        name: [cell for cell in map(str.strip, cells) if cell.lower() not in missing]
        for name, cells in columns.items()
    }
    options = {name: _options(cells, dialect) for name, cells in present.items()}
    usual = dialect.decimal or _usual_decimal(present, options, delimiter)
    clear = {name: one[0] for name, one in options.items() if len(one) == 1}
    for name, several in options.items():
        likely = [one for one in several if one.decimal == usual]
        if len(several) > 1 and (len(likely) == 1 or PLAIN in several):
            clear[name] = likely[0] if len(likely) == 1 else PLAIN
    return clear


def _options(cells: list[str], dialect: Dialect) -> tuple[Notation, ...]:
    """Return the notations that a column allows; none for words."""
    if any(map(_LEADING_ZERO.fullmatch, cells)):
        return ()
    if not all(map(_PLAIN.fullmatch, cells)):
        return dialect.notation_of(cells)
    if not any("." in cell for cell in cells):  # whole numbers so far
        return (COMMA if dialect.decimal == "," else PLAIN,)
    as_thousands = bool(np.isfinite(_POINT_BETWEEN_THOUSANDS.parse(cells)).all())
    if dialect.decimal == ".":
        return (PLAIN,)
    if dialect.decimal == ",":
        return (_POINT_BETWEEN_THOUSANDS,) if as_thousands else ()
    return (PLAIN, _POINT_BETWEEN_THOUSANDS) if as_thousands else (PLAIN,)


def _usual_decimal(
    present: Mapping[str, list[str]], options: Mapping[str, tuple[Notation, ...]], delimiter: str
) -> str | None:
    """Return the decimal mark of the columns that allow one reading; None if they disagree."""
    marks = {
        one[0].decimal
        for name, one in options.items()
        if len(one) == 1 and any(mark in cell for cell in present[name] for mark in ".,")
    }
    if not marks and delimiter == ",":
        return "."  # files with decimal commas have another delimiter
    return marks.pop() if len(marks) == 1 else None
