"""Notations of numbers: decimal mark, thousands separator, currency or per cent sign.

``1,234.5`` and ``1.234,5`` are one number in two notations. A column has one notation; it is found
from its cells where they allow one reading only, and is otherwise left to the caller.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd

from . import stored

#: Share of the cells of a column that may be unreadable; more of them make it a column of words.
FEW_UNREADABLE = 0.1

_SAMPLE = 1000  # cells that are tried first
_SPACES = " \u00a0\u2009\u202f"  # blank, and the no-break and thin ones that programs write
_CODES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN")
_PARTS = ("%", "‰")
_THOUSANDS = {",": ",", ".": r"\.", "'": "['\u2019]", "_": "_", " ": f"[{_SPACES}]"}


@dataclass(frozen=True)
class Notation:
    """A way to write numbers.

    Attributes
    ----------
    decimal : str
        Decimal mark, "." or ",".
    thousands : str
        Separator of groups of three digits, or "".
    unit : str
        Currency or per cent sign that may stand before or behind the digits, or "".

    Examples
    --------
    >>> from fastnn.tables import Notation
    >>> Notation(",", ".", "€").parse(["1.234,5 €", "-3", "1,234.5"])
    array([1234.5,   -3. ,    nan])
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    def parse(self, texts: Sequence[str]) -> np.ndarray:
        """Return texts as numbers, shape (n,), float64; NaN where one is no number."""
        if self == PLAIN:
            cells = pd.Series(list(texts), dtype=object)
            return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, copy=True)
        pattern = _pattern(self)
        return np.array([float(_plain(pattern.fullmatch(text))) for text in texts], np.float64)

    def exact(self, text: str) -> Decimal:
        """Return a text that is a number in this notation as that number, of any length.

        Raises
        ------
        ValueError
            It is no number.
        """
        with suppress(InvalidOperation):
            value = Decimal(text if self == PLAIN else _plain(_pattern(self).fullmatch(text)))
            if not value.is_nan():
                return value
        raise ValueError(f"{text!r} is no number ({self.describe()})")

    def describe(self) -> str:
        """Return the notation in words: "decimal comma, '.' between thousands"."""
        parts = [] if self.decimal == "." else ["decimal comma"]
        if self.thousands:
            parts.append(f"{self.thousands!r} between thousands")
        if self.unit:
            parts.append(f"{self.unit!r}")
        return ", ".join(parts) or "decimal point"

    def to_dict(self) -> dict[str, str]:
        """Return itself as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Notation:
        """Return the notation that `to_dict` described; missing marks are plain ones.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            `data` is not such a description.
        """
        stored.check_notation(data)
        return cls(**data)


#: Digits with a decimal point and nothing else.
PLAIN = Notation()
#: Digits with a decimal comma and nothing else.
COMMA = Notation(",")


def _plain(match: re.Match[str] | None) -> str:
    """Return a matched number as digits with a decimal point; "nan" if there is none."""
    if match is None:
        return "nan"
    digits = re.sub(r"\D", "", match["whole"] or "")
    sign = "-" if (match["sign"] or match["late"]) in ("-", "\u2212") else ""
    return f"{sign}{digits or 0}.{match['fraction'] or 0}{match['exponent'] or ''}"


@functools.cache
def _pattern(notation: Notation) -> re.Pattern[str]:
    unit = f"(?:{re.escape(notation.unit)})?" if notation.unit else ""
    blank = f"[{_SPACES}]*"
    groups = ""
    if notation.thousands:
        separator = _THOUSANDS.get(notation.thousands, re.escape(notation.thousands))
        groups = rf"[1-9]\d{{0,2}}(?:{separator}\d{{3}})+|"
    mark = re.escape(notation.decimal)
    return re.compile(
        rf"\s*(?P<sign>[+\-\u2212])?{blank}{unit}{blank}(?P<late>(?(sign)|[+\-\u2212]?)){blank}"
        rf"(?=[\d{mark}])(?!{mark}(?:\D|$))(?P<whole>{groups}\d*)(?:{mark}(?P<fraction>\d*))?"
        rf"(?P<exponent>[eE][+\-]?\d+)?{blank}{unit}\s*",
        re.ASCII,
    )


def notation_of(
    texts: Iterable[str], *, decimal: str | None = None, thousands: str | None = None
) -> tuple[Notation, ...]:
    """Find the notations in which nearly all distinct cells of a column are numbers.

    Parameters
    ----------
    texts : iterable of str
        Cells, none of them missing.
    decimal, thousands : str, optional
        Marks that are known; only such notations are tried.

    Returns
    -------
    tuple of Notation
        Empty where the cells are no numbers; several where they can be read in several ways that
        differ in value, such as "1,234".

    Examples
    --------
    >>> from fastnn.tables.notation import notation_of
    >>> notation_of(["0,25", "1,5"])
    (Notation(decimal=',', thousands='', unit=''),)
    >>> len(notation_of(["1,234", "5,678"]))
    2
    """
    cells = list(dict.fromkeys(texts))
    few = cells[:: max(1, len(cells) // _SAMPLE)][:_SAMPLE]  # that rule most notations out
    unit = _unit(few)
    likely = _readings(few, _candidates(unit, decimal, thousands))
    if not likely or PLAIN in likely:
        return (PLAIN,) if likely else ()
    best: dict[Notation, np.ndarray] = {}
    for notation, values in _readings(cells, list(likely)).items():
        if not any(_agree(values, other) for other in best.values()):
            best[notation] = values
    if unit not in ("", *_PARTS):  # currencies have no third decimal
        return tuple(one for one in best if one.thousands) or tuple(best)
    return tuple(best)


def _readings(cells: list[str], notations: list[Notation]) -> dict[Notation, np.ndarray]:
    """Return the numbers in the notations in which most cells, and nearly all, are numbers."""
    read = {notation: notation.parse(cells) for notation in notations}
    found = {notation: np.isfinite(values).sum() for notation, values in read.items()}
    enough = max(max(found.values()), (1 - FEW_UNREADABLE) * len(cells), 1)
    return {notation: values for notation, values in read.items() if found[notation] >= enough}


def _agree(some: np.ndarray, others: np.ndarray) -> bool:
    """Return whether two readings of cells give the same numbers."""
    return np.array_equal(np.nan_to_num(some, posinf=0), np.nan_to_num(others, posinf=0))


def _candidates(unit: str, decimal: str | None, thousands: str | None) -> list[Notation]:
    """Return notations to try, the simplest first."""
    marks = (decimal,) if decimal else (".", ",")
    separators = (thousands,) if thousands else ("", *_THOUSANDS)
    return [
        Notation(mark, separator, unit)
        for separator in separators
        for mark in marks
        if mark != separator
    ]


def _unit(cells: Sequence[str]) -> str:
    """Return the currency or per cent sign that most cells have, or ""."""
    seen: dict[str, int] = {}
    for cell in cells:
        sign = re.sub(r"[\d\s.,'\u2019+\-\u2212_]", "", cell)
        if sign in _CODES or sign in _PARTS or (sign and _is_currency(sign)):
            seen[sign] = seen.get(sign, 0) + 1
    if not seen:
        return ""
    sign = max(seen, key=lambda one: seen[one])
    return sign if seen[sign] >= 0.5 * len(cells) else ""


def _is_currency(sign: str) -> bool:
    """Return whether a sign is a currency's, alone or as in "US$"."""
    return len(sign) <= 3 and any(unicodedata.category(letter) == "Sc" for letter in sign)
