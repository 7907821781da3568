"""The text of a CSV file, of which pandas' parser reads columns as numbers or as text."""

from __future__ import annotations

import functools
import io
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .cells import MISSING_NUMBERS
from .dialect import Dialect
from .findings import count
from .layout import Layout, layout_of, row_lengths
from .text_files import read_text

_TRAILING = "\x1f"  # the name of the cells behind a delimiter at the end of each row
_TOO_LONG = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_UNCLOSED = re.compile(r"EOF inside string starting at row (\d+)")


@dataclass(frozen=True)
class CsvText:
    """The text of a CSV file in memory; see `CsvFile`, which is one."""

    path: str | os.PathLike[str]
    data: bytes
    layout: Layout
    dialect: Dialect
    notices: list[str]

    @classmethod
    def open(cls, path: str | os.PathLike[str], dialect: Dialect) -> Self:
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
                f"not a CSV file (line {line} has {count(cells, 'cell')}, the header "
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
