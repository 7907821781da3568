"""Encoding of a single row as a network's inputs in microseconds, equal to that of a table.

A DataFrame costs a millisecond. Here the statistics of an encoder are arrays, ordinary numbers are
taken as they are, and every other cell is read by the encoder's own columns and cached, so that
both ways of reading cannot differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .columns import Column
from .encoder import TableEncoder
from .scaling import Scaling

#: Numbers up to this size are neither missing nor infinite for a column of any kind.
_ORDINARY = 1e30
_NUMBERS: frozenset[Any] = frozenset({float, int, np.float64, np.float32, np.int64, np.int32})
_CACHE_SIZE = 4096


class RowEncoder:
    """Encodes a row as `TableEncoder.transform` encodes a table of that row alone.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted.

    Attributes
    ----------
    names : list of str
        Names of the cells of a row, in order.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Column, RowEncoder, TableEncoder
    >>> frame = pd.DataFrame({"legs": [4.0, 2.0, 3.0], "pet": ["cat", "hen", "hen"]})
    >>> encoder = TableEncoder([Column("legs", "number"), Column("pet", "category")]).fit(frame)
    >>> RowEncoder(encoder)([3, "cat"])
    array([0., 1., 0.], dtype=float32)
    """

    def __init__(self, encoder: TableEncoder):
        entries = encoder.to_list()
        self.names = [column.name for column in encoder.columns]
        self._numbers = _Numbers(
            [entry for entry in entries if entry["kind"] == "number"],
            [(i, c) for i, c in enumerate(encoder.columns) if c.kind == "number"],
        )
        start = self._numbers.width
        self._categories: list[_Categories] = []
        for place, (column, entry) in enumerate(zip(encoder.columns, entries, strict=True)):
            if column.kind != "number":
                self._categories.append(_Categories(place, column, entry["categories"], start))
                start += len(entry["categories"])
        self.width = start

    def __call__(self, cells: Sequence[Any]) -> np.ndarray:
        """Return the inputs (features,), float32, of the cells of a row, in the order of `names`.

        Raises
        ------
        ArgumentError
            A cell of a column of numbers is not a number.
        """
        inputs = np.zeros(self.width, np.float32)
        self._numbers.write(cells, inputs)
        for categories in self._categories:
            position = categories.position(cells[categories.place])
            if position is not None:
                inputs[position] = 1.0
        return inputs


class _Numbers:
    """The columns of numbers: scaled, then a 0/1 input for those that may be missing."""

    def __init__(self, entries: Sequence[dict[str, Any]], columns: Sequence[tuple[int, Column]]):
        self._readers = [(i, place, _Cells(column)) for i, (place, column) in enumerate(columns)]
        self._scaling = Scaling.from_list(entries)
        self._flagged = np.flatnonzero(self._scaling.flagged)
        self.width = len(entries) + len(self._flagged)

    def write(self, cells: Sequence[Any], inputs: np.ndarray) -> None:
        """Write the first inputs."""
        if not self._readers:
            return
        x = np.empty(len(self._readers))
        for i, place, reader in self._readers:
            cell = cells[place]
            if type(cell) in _NUMBERS and -_ORDINARY < cell < _ORDINARY:
                x[i] = cell
            else:
                x[i] = reader.read(cell)
        self._scaling.apply(x[None], out=inputs[None, : len(x)])
        if len(self._flagged):
            inputs[len(x) : self.width] = np.isnan(x[self._flagged])


class _Categories:
    """A column of categories: which of its 0/1 inputs is 1, if any."""

    def __init__(self, place: int, column: Column, categories: Sequence[str], start: int):
        self.place = place
        self._cells = _Cells(column)
        self._positions = {word: start + i for i, word in enumerate(categories)}

    def position(self, cell: Any) -> int | None:
        return self._positions.get(self._cells.read(cell))


class _Cells:
    """A cache of the cells of a column, read one at a time as the column reads a table."""

    def __init__(self, column: Column):
        self._column = column
        self._cache: dict[Hashable, Any] = {}

    def read(self, cell: Any) -> Any:
        # 1, 1.0 and True are one key of a dict, but not one text; NaN is no key at all.
        key = (cell.__class__, "nan" if isinstance(cell, float) and cell != cell else cell)
        try:
            return self._cache[key]
        except KeyError:
            pass
        except TypeError:  # not hashable, so no cell of a table
            return self._column.read(self._table(cell))[0]
        value = self._column.read(self._table(cell))[0]
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = value
        return value

    def _table(self, cell: Any) -> pd.DataFrame:
        return pd.DataFrame({self._column.name: [cell]})
