"""Encoding of columns as the network's inputs, by statistics that are plain data.

Numbers: missing cells take the median; then ``arcsinh((x - median) / interquartile range)``, which
is nearly linear in the bulk and logarithmic in the tails, so that an outlier cannot swamp its
column; then mean 0 and standard deviation 1. Columns with missing cells add a 0/1 input "missing".

Categories: one 0/1 input per category. Blank is a category of its own if there was one; the rarest
of very many categories, and categories never seen in training, are all zeros.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import TableWarning
from ..utils.warn import warn_caller
from . import stored
from .cell_arrays import Cells, read_cells
from .columns import Column
from .findings import BLANK, FAR, UNKNOWN, count
from .notation import PLAIN, Notation
from .scaling import Scaling

_MOST_CATEGORIES = 50  # with an input of their own
_MOST_RARE = 10_000  # others whose names are kept, so that they are not taken for unknown ones


class TableEncoder:
    """Writes the columns of a table as numbers for a network.

    Parameters
    ----------
    columns : sequence of Column

    Attributes
    ----------
    notices : list of str
        Notices of `fit`.

    Warns
    -----
    TableWarning
        By `transform`, about cells unlike those of training.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import TableEncoder, find_columns
    >>> frame = pd.DataFrame({"legs": [4.0, 2.5], "pet": ["cat", "hen"], "y": [0, 1]})
    >>> encoder = TableEncoder(find_columns(frame, "y", categorical=["pet"]).columns).fit(frame)
    >>> encoder.transform(frame)
    array([[ 1.,  1.,  0.],
           [-1.,  0.,  1.]], dtype=float32)
    """

    def __init__(self, columns: Sequence[Column]):
        self.columns = list(columns)
        self.notices: list[str] = []
        self._numbers = [column for column in columns if column.kind == "number"]
        self._words = [column for column in columns if column.kind != "number"]
        self._categories: dict[str, list[str]] = {}
        self._rare: dict[str, list[str] | None] = {}

    def fit(self, frame: pd.DataFrame) -> TableEncoder:
        """Learn medians, scales and categories from the training rows."""
        return self.learn(self.read(frame))

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return rows of a table as an array, shape (n, features), float32.

        Raises
        ------
        ArgumentError
            A column is missing, or many of its cells are text where there were numbers in training.
        """
        cells = self.read(frame)
        for sentence in self.unfamiliar(cells):
            warn_caller(sentence, TableWarning)
        return self.encode(cells)

    def read(self, frame: pd.DataFrame) -> Cells:
        """Read the used columns of a table; raise the errors of `transform`."""
        return read_cells(self.columns, frame)

    def learn(self, cells: Cells) -> TableEncoder:
        """Learn from cells that `read` returned, those of the training rows."""
        self._scaling = Scaling.learn(cells.numbers)
        self._categories, self._rare = {}, {}
        for j, column in enumerate(self._words):
            self._learn_categories(column.name, Counter(cells.words[:, j]))
        return self

    def _learn_categories(self, name: str, counts: Counter[str]) -> None:
        """Keep the categories of a column, sorted; of very many, the most frequent."""
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        frequent, rare = ordered[:_MOST_CATEGORIES], ordered[_MOST_CATEGORIES:]
        self._categories[name] = sorted(frequent)
        if not rare:
            return
        self._rare[name] = sorted(rare) if len(rare) <= _MOST_RARE else None
        share = sum(counts[word] for word in frequent) / counts.total()
        self.notices.append(
            f"{name}: {count(len(counts), 'category')}, of which the {_MOST_CATEGORIES} most "
            f"frequent ({share:.0%} of the rows) are told apart"
        )

    def encode(self, cells: Cells) -> np.ndarray:
        """Return cells that `read` returned as an array, shape (n, features), float32."""
        flagged = np.flatnonzero(self._scaling.flagged)
        sizes = [len(self._categories[column.name]) for column in self._words]
        starts = itertools.accumulate(sizes, initial=len(self._numbers) + len(flagged))
        encoded = np.zeros((len(cells), self.features), dtype=np.float32)
        self._scaling.apply(cells.numbers, out=encoded[:, : len(self._numbers)])
        for j, source in enumerate(flagged, start=len(self._numbers)):
            encoded[:, j] = np.isnan(cells.numbers[:, source])
        for start, places in zip(starts, self._places(cells), strict=False):
            known = np.flatnonzero(places >= 0)
            encoded[known, start + places[known]] = 1
        return encoded

    def _places(self, cells: Cells) -> list[np.ndarray]:
        """Return for each column the numbers of its cells' categories, (n,); -1 if unknown."""
        places = []
        for j, column in enumerate(self._words):
            number = {word: i for i, word in enumerate(self._categories[column.name])}
            found = map(number.get, cells.words[:, j], itertools.repeat(-1))
            places.append(np.fromiter(found, dtype=np.intp, count=len(cells)))
        return places

    def unfamiliar(self, cells: Cells) -> list[str]:
        """Return sentences on cells unlike those of training, with counts.

        Unreadable and infinite numbers; blanks where training had none; unknown categories; numbers
        further outside the range of training than that range is wide.
        """
        found = cells.findings.copy()
        if not len(cells):
            return found.sentences()
        blank, far = self._scaling.unfamiliar(cells.numbers)
        for j, faulty in cells.faulty.items():
            blank[faulty, j] = False
        for kind, where in ((BLANK, blank), (FAR, far)):
            for j in np.flatnonzero(where.any(axis=0)).tolist():
                shown = cells.numbers[:, j] if kind == FAR else None
                found.add(kind, self._numbers[j].name, where[:, j], shown)
        for j, (column, places) in enumerate(zip(self._words, self._places(cells), strict=True)):
            words, unknown = cells.words[:, j], places < 0
            rare = self._rare.get(column.name, [])
            if rare is None or not unknown.any():
                continue
            if rare:
                unknown &= ~np.isin(words.astype(str), rare)
            found.add(BLANK, column.name, unknown & (words == ""))
            found.add(UNKNOWN, column.name, unknown & (words != ""), words)
        return found.sentences()

    def with_columns(self, columns: Sequence[Column]) -> TableEncoder:
        """Return the same encoder for columns of the same names in other notations."""
        encoder = TableEncoder(columns)
        encoder._scaling = self._scaling
        encoder._categories, encoder._rare = self._categories, self._rare
        return encoder

    @property
    def features(self) -> int:
        """The number of inputs of the network."""
        words = sum(len(categories) for categories in self._categories.values())
        return len(self._numbers) + int(self._scaling.flagged.sum()) + words

    def to_list(self) -> list[dict[str, Any]]:
        """Return itself as JSON-able data, one entry per column."""
        statistics = iter(self._scaling.to_list())
        return [
            {"name": column.name, "kind": column.kind}
            | ({} if column.notation == PLAIN else {"notation": column.notation.to_dict()})
            | (
                next(statistics)
                if column.kind == "number"
                else {"categories": self._categories[column.name]}
            )
            | self._rare_entry(column.name)
            for column in self.columns
        ]

    def _rare_entry(self, name: str) -> dict[str, Any]:
        many = len(self._categories.get(name, ())) >= _MOST_CATEGORIES
        return {"rare": self._rare.get(name, [])} if many else {}

    @classmethod
    def from_list(cls, data: Sequence[Mapping[str, Any]]) -> TableEncoder:
        """Return the encoder that `to_list` described; its `transform` gives the same bits.

        Raises
        ------
        ArgumentError, ArgumentTypeError, KeyError
            `data` is not such a description.
        """
        stored.check_columns(data)
        encoder = cls(
            [
                Column(one["name"], one["kind"], Notation.from_dict(one.get("notation", {})))
                for one in data
            ]
        )
        encoder._scaling = Scaling.from_list([one for one in data if one["kind"] == "number"])
        encoder._categories = {
            entry["name"]: list(entry["categories"]) for entry in data if entry["kind"] != "number"
        }
        # Old files list no rare categories; there may have been some if the others are many.
        for name, rare in ((entry["name"], entry.get("rare")) for entry in data):
            if len(encoder._categories.get(name, ())) >= _MOST_CATEGORIES:
                encoder._rare[name] = rare
        return encoder
