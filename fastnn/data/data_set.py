"""Data sets: checked rows with their targets and weights, and their splits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..runtime.random_streams import Stream, permutation, stream_offset
from ..utils import checks
from ..utils.counting import count
from .resolution import check_resolution


@dataclass(frozen=True)
class DataSet:
    """Checked rows to train on, score or predict.

    Attributes
    ----------
    x : ndarray, shape (n, …), C-contiguous, one of the dtypes `GATHERED`, or SparseRows
        The user's own array wherever that is possible; a sparse matrix in the network's dtype.
    target : ndarray, shape (n,) int64 or (n, outputs) of the network's dtype, or None
    weight : ndarray, shape (n,), the network's dtype, or None
    rows : ndarray of int64, or None
        Numbers of the rows that belong to the set; None is all of them.
    """

    x: Any
    target: np.ndarray | None = None
    weight: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x) if self.rows is None else len(self.rows)

    @property
    def labels(self) -> bool:
        """True if the targets are class numbers."""
        return self.target is not None and self.target.dtype == np.int64

    @property
    def weights(self) -> np.ndarray | None:
        """The weights of the rows that belong to the set; None if all are equal."""
        return None if self.weight is None else self.selected(self.weight)

    @property
    def targets(self) -> np.ndarray:
        """The targets of the rows that belong to the set."""
        assert self.target is not None
        return self.selected(self.target)

    def weighted(self, weight: np.ndarray | None) -> DataSet:
        """Return the same set with other weights, one for each row of the arrays."""
        return replace(self, weight=weight)

    def take(self, rows: np.ndarray) -> DataSet:
        """Return the subset of the given rows, of the same arrays."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def selected(self, array: np.ndarray) -> np.ndarray:
        """Return the rows of an array, as long as `x`, that belong to the set."""
        return array if self.rows is None else array[self.rows]


def check_targets(y: np.ndarray, target: np.ndarray) -> None:
    """Raise `ArgumentError` if rounding y to targets (n, outputs) makes values indistinct."""
    if target.dtype != np.int64:
        columns = y.size // len(y)
        check_resolution("y", [y.astype(np.float64)], columns, y.dtype, target.dtype)


def require_weight(rows: DataSet, purpose: str) -> None:
    """Raise `ArgumentError` if all weights are 0, as the mean loss would be 0 / 0."""
    weights = rows.weights
    if weights is not None and not weights.any():
        raise ArgumentError(f"sample_weight, times class_weight, is 0 for every row to {purpose}")


def split(data: DataSet, fraction: float, seed: int) -> tuple[DataSet, DataSet]:
    """Return training and validation rows, a function of the number of rows and the seed."""
    train, held_out = split_rows(len(data), fraction, seed)
    return data.take(train), data.take(held_out)


def split_rows(n_rows: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of `split`, ascending."""
    fraction = checks.number(
        "validation_fraction", fraction, low=0, high=1, open_low=True, open_high=True
    )
    held_out = round(n_rows * fraction)
    if not 0 < held_out < n_rows:
        raise ArgumentError(
            f"validation_fraction={fraction} of {count(n_rows, 'row')} leaves "
            f"{n_rows - held_out} to train on and {held_out} to validate on"
        )
    order = permutation(n_rows, seed, stream_offset(Stream.SPLIT, 0))
    return np.sort(order[held_out:]), np.sort(order[:held_out])
