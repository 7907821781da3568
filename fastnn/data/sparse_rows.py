"""Rows of a sparse matrix, made dense batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SparseRows:
    """A compressed sparse matrix that stands where a data set has its rows.

    Indexing by rows gives a dense array of them. It is all that the Python executor needs; the one
    in C reads the three arrays.

    Attributes
    ----------
    values : ndarray, shape (stored,)
    columns : ndarray of int32 or int64, shape (stored,)
        No column twice in a row.
    starts : ndarray of int64, shape (n + 1,)
        Row i has the elements [starts[i], starts[i + 1]).
    width : int
        Columns of the matrix.
    """

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    width: int

    @classmethod
    def of(cls, matrix: Any) -> SparseRows:
        """The rows of a SciPy matrix of any format; raises `ValueError` if it is broken."""
        csr = matrix.tocsr()
        csr.check_format(full_check=True)  # C writes where the columns say
        if not csr.has_canonical_format:
            csr = csr.copy()
            csr.sum_duplicates()
        starts = csr.indptr.astype(np.int64)
        return cls(
            np.ascontiguousarray(csr.data), np.ascontiguousarray(csr.indices), starts, csr.shape[1]
        )

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    def __len__(self) -> int:
        return len(self.starts) - 1

    def astype(self, dtype: np.dtype) -> SparseRows:
        """The same rows of another dtype."""
        return replace(self, values=self.values.astype(dtype, copy=False))

    def take(self, rows: np.ndarray, axis: int = 0) -> SparseRows:
        """Some rows, in the order given; `axis` is 0, as in what NumPy calls so."""
        stored, counts = self._stored(rows)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return SparseRows(self.values[stored], self.columns[stored], starts, self.width)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        numbers = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        stored, counts = self._stored(numbers)
        dense = np.zeros((len(numbers), self.width), self.dtype)
        dense[np.repeat(np.arange(len(numbers)), counts), self.columns[stored]] = self.values[
            stored
        ]
        return dense

    def _stored(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the elements of some rows lie, one row after the other; and how many each has."""
        first, counts = self.starts[rows], np.diff(self.starts)[rows]
        before = np.cumsum(counts) - counts
        return np.arange(counts.sum()) + np.repeat(first - before, counts), counts
