"""Faults of cells, counted: one sentence for each kind of fault over all columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..utils import counting

#: Kinds of faults, in the order of messages.
UNREADABLE = "cells that are no numbers count as missing"
INFINITE = "infinite numbers count as missing"
BLANK = "blank cells, of which training had none, count as typical ones"
UNKNOWN = "categories that the model does not know count as none of those it knows"
FAR = "numbers far outside those of training"

_KINDS = (UNREADABLE, INFINITE, BLANK, UNKNOWN, FAR)
_MOST_COLUMNS = 5  # that are named


def count(n: int, noun: str) -> str:
    """Return a number and its noun: "1 row", "2,000 rows", "2 classes"."""
    return counting.count(n, noun, ",")


def _shown(cell: Any) -> str:
    return f"{cell:g}" if isinstance(cell, float) else repr(str(cell))


@dataclass
class Findings:
    """Faults by kind and column.

    Attributes
    ----------
    n_rows : int
        Number of rows of the table.
    """

    n_rows: int
    _found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str, where: np.ndarray, cells: Any = None) -> None:
        """Count the rows of a column where a mask (n,) is true; the first such cell is shown."""
        n = int(np.count_nonzero(where))
        if not n:
            return
        first = int(np.argmax(where))
        example = (
            "" if cells is None else f", such as {_shown(cells[first])} in data row {first + 1}"
        )
        of = "every row" if n == self.n_rows else count(n, "row")
        self._found.setdefault(kind, []).append(f"{name} ({of}{example})")

    def copy(self) -> Findings:
        """Return a copy, to which more can be added."""
        return Findings(self.n_rows, {kind: list(said) for kind, said in self._found.items()})

    def sentences(self) -> list[str]:
        """Return a sentence for each kind of fault that was found."""
        said = []
        for kind in (kind for kind in _KINDS if kind in self._found):
            columns = self._found[kind]
            more = len(columns) - _MOST_COLUMNS
            named = ", ".join(columns[:_MOST_COLUMNS])
            said.append(f"{kind}: {named}" + (f", and {more:,} more columns" if more > 0 else ""))
        return said
