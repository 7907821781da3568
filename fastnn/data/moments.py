"""Mean and variance of columns, accumulated piece by piece in float64."""

from __future__ import annotations

import numpy as np


class Moments:
    """Mean and variance of the columns of all pieces seen so far.

    Numbers are taken relative to the first row, so a constant column has variance 0 exactly, and a
    mean that is large beside the deviation costs no digits. Pieces are joined as by Chan, Golub and
    LeVeque: Algorithms for computing the sample variance. The American Statistician 37, 1983.

    Attributes
    ----------
    columns, count : int
        Columns, and rows seen.
    """

    def __init__(self, columns: int):
        self.columns = columns
        self.count = 0
        self._origin = np.zeros(columns)
        self._mean = np.zeros(columns)  # less the origin
        self._square = np.zeros(columns)  # Σ (x − mean)²

    def add(self, piece: np.ndarray) -> None:
        """Add rows of any real dtype, shape (n, columns)."""
        if self.count == 0:
            self._origin = piece[0].astype(float)
        wide = piece - self._origin
        mean = wide.mean(axis=0)
        wide -= mean
        square = np.einsum("ij,ij->j", wide, wide)
        share = len(piece) / (self.count + len(piece))
        step = mean - self._mean
        self._square += square + step * step * (share * self.count)
        self._mean += share * step
        self.count += len(piece)

    @property
    def mean(self) -> np.ndarray:
        """The means, shape (columns,)."""
        return self._origin + self._mean

    def buffers(self) -> dict[str, np.ndarray]:
        """Return mean, variance and count as the buffers of layers."""
        count = np.array([float(self.count)])
        return {"mean": self.mean, "variance": self.variance, "count": count}

    @property
    def variance(self) -> np.ndarray:
        """The variances, shape (columns,), divided by the number of rows."""
        return self._square / max(self.count, 1)
