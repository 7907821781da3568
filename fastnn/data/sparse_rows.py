"""Rows of a sparse matrix, made dense batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SparseRows:
    """A compressed sparse matrix as the inputs of a data set.

    Indexing by rows gives a dense array, which the Python executor takes; the native executor reads
    the three arrays.

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
        """Return the rows of a SciPy matrix of any format; raise `ValueError` if it is broken."""
        csr = matrix.tocsr()
        csr.check_format(full_check=True)  # C writes at these columns
        if not csr.has_canonical_format:
            csr = csr.copy()
            csr.sum_duplicates()
        starts = csr.indptr.astype(np.int64)
        return cls(
            np.ascontiguousarray(csr.data), np.ascontiguousarray(csr.indices), starts, csr.shape[1]
        )

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the elements."""
        return self.values.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self), self.width

    def __len__(self) -> int:
        return len(self.starts) - 1

    def astype(self, dtype: np.dtype) -> SparseRows:
        """Return the same rows in another dtype."""
        return replace(self, values=self.values.astype(dtype, copy=False))

    def take(self, rows: np.ndarray, axis: int = 0) -> SparseRows:
        """Return some rows in the order given; `axis` must be 0, as for `numpy.take`."""
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
        """Return the positions of the stored elements of some rows, and their counts by row."""
        first, counts = self.starts[rows], np.diff(self.starts)[rows]
        before = np.cumsum(counts) - counts
        return np.arange(counts.sum()) + np.repeat(first - before, counts), counts
