"""From columns to the network's inputs: a scikit-learn ColumnTransformer that is plain data.

Numbers: missing cells take the median; then ``arcsinh((x - median) / interquartile range)``, which
is nearly linear in the bulk and logarithmic in the tails, so that an outlier cannot swamp its
column; then mean 0 and standard deviation 1. Columns with missing cells add a 0/1 input "missing".

Categories: one 0/1 input per category. Blank is a category of its own if there was one; the rarest
of very many categories, and categories never seen in training, are all zeros.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from ..errors import ArgumentError
from .columns import Column

_MOST_CATEGORIES = 50
# Learnt numbers of a column: name in the data → step of the pipeline, its public attribute.
_STATISTICS = {
    "median": ("impute", "statistics_"),
    "center": ("spread", "center_"),
    "spread": ("spread", "scale_"),
    "mean": ("scale", "mean_"),
    "scale": ("scale", "scale_"),
}


class TableEncoder:
    """Writes the columns of a table as numbers for a network.

    Parameters
    ----------
    columns : sequence of Column

    Attributes
    ----------
    notices : list of str
        What `fit` has to say.
    transformer : sklearn.compose.ColumnTransformer
        Fitted on ``cells(frame)``.

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
        self._numbers = [column.name for column in columns if column.kind == "number"]

    def fit(self, frame: pd.DataFrame) -> TableEncoder:
        """Learn medians, scales and categories from the training rows."""
        cells = self.cells(frame)
        self._flagged = [name for name in self._numbers if cells[name].isna().any()]
        self._categories = {
            name: self._frequent(cells[name]) for name in cells if name not in self._numbers
        }
        self.transformer = self._new_transformer().fit(cells)
        return self

    def _frequent(self, cells: pd.Series) -> list[str]:
        """The categories of a column, sorted; the most frequent ones where there are very many."""
        counts = cells.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        frequent = counts.index[:_MOST_CATEGORIES]
        if len(counts) > _MOST_CATEGORIES:
            share = counts.iloc[:_MOST_CATEGORIES].sum() / counts.sum()
            self.notices.append(
                f"{cells.name}: {len(counts)} categories, of which the {_MOST_CATEGORIES} most "
                f"frequent ({share:.0%} of the rows) are told apart"
            )
        return sorted(frequent)

    def _new_transformer(self) -> ColumnTransformer:
        """The transformer of these columns, not fitted."""
        numbers = Pipeline(
            [
                ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
                ("spread", RobustScaler()),
                ("squash", FunctionTransformer(np.arcsinh)),
                ("scale", StandardScaler()),
            ]
        )
        missing = MissingIndicator(features="all")
        categories = OneHotEncoder(
            categories=list(self._categories.values()), handle_unknown="ignore", sparse_output=False
        )
        groups = [
            ("numbers", numbers, self._numbers),
            ("missing", missing, self._flagged),
            ("categories", categories, list(self._categories)),
        ]
        return ColumnTransformer([group for group in groups if group[2]], sparse_threshold=0)

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows of a table as an array, shape (n, features), float32.

        Raises
        ------
        ArgumentError
            A column is missing, or holds text where there were numbers in training.
        """
        return self.transformer.transform(self.cells(frame)).astype(np.float32)

    def cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The used columns alone, as float64 or text."""
        absent = [column.name for column in self.columns if column.name not in frame.columns]
        if absent:
            near = difflib.get_close_matches(absent[0], map(str, frame.columns), n=1)
            hint = f" ({near[0]!r} is there)" if near else ""
            names = ", ".join(map(repr, absent))
            raise ArgumentError(f"the table lacks {names}{hint}, which the model was trained on")
        return pd.DataFrame({column.name: column.read(frame) for column in self.columns})

    def to_list(self) -> list[dict[str, Any]]:
        """Itself as JSON-able data, one entry per column."""
        learnt = self._learnt_numbers()
        return [
            {"name": column.name, "kind": column.kind}
            | (
                {"flag_missing": column.name in self._flagged} | learnt[column.name]
                if column.kind == "number"
                else {"categories": self._categories[column.name]}
            )
            for column in self.columns
        ]

    def _learnt_numbers(self) -> dict[str, dict[str, float]]:
        if not self._numbers:
            return {}
        steps = self.transformer.named_transformers_["numbers"]
        values = {key: getattr(steps[step], name) for key, (step, name) in _STATISTICS.items()}
        return {
            column: {key: float(value[i]) for key, value in values.items()}
            for i, column in enumerate(self._numbers)
        }

    @classmethod
    def from_list(cls, data: Sequence[Mapping[str, Any]]) -> TableEncoder:
        """The encoder that `to_list` described; its `transform` gives the same bits."""
        encoder = cls([Column(entry["name"], entry["kind"]) for entry in data])
        numbers = [entry for entry in data if entry["kind"] == "number"]
        encoder._flagged = [entry["name"] for entry in numbers if entry["flag_missing"]]
        encoder._categories = {
            entry["name"]: list(entry["categories"]) for entry in data if entry not in numbers
        }
        # A row of the right types makes the transformers fitted, then they get what was learnt.
        row = {
            column.name: 0.0 if column.kind == "number" else encoder._categories[column.name][0]
            for column in encoder.columns
        }
        encoder.transformer = encoder._new_transformer().fit(pd.DataFrame([row]))
        if numbers:
            steps = encoder.transformer.named_transformers_["numbers"]
            for key, (step, name) in _STATISTICS.items():
                setattr(steps[step], name, np.array([entry[key] for entry in numbers], dtype=float))
        return encoder
