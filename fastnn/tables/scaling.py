"""Scaling of columns of numbers by their statistics.

The statistics are those of scikit-learn's SimpleImputer ("median"), RobustScaler and
StandardScaler, one after the other, with which tests compare them. They are computed one column at
a time, so that no more than a column is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BLOCK = 1 << 18  # cells that are scaled at a time
_LIMIT = 1e300  # of a scaled number, far from where arcsinh overflows
_EPSILON = float(np.finfo(np.float64).eps)
_SMALLEST = float(np.finfo(np.float64).tiny)  # spread: what is divided by less overflows
_STATISTICS = ("median", "center", "spread", "mean", "scale")


@dataclass(frozen=True)
class Scaling:
    """The statistics of columns of numbers; all arrays have shape (columns,).

    Attributes
    ----------
    median : ndarray
        Stands for missing cells.
    center, spread : ndarray
        Median and interquartile range once missing cells are filled in.
    mean, scale : ndarray
        Mean and standard deviation of ``arcsinh((x - center) / spread)``.
    flagged : ndarray of bool
        Columns with missing cells.
    low, high : ndarray
        Range of the training rows; NaN where unknown.
    """

    median: np.ndarray
    center: np.ndarray
    spread: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    flagged: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def learn(cls, numbers: np.ndarray) -> Scaling:
        """Compute the statistics of training rows (n, columns), float64 with NaN where missing."""
        table = np.empty((8, numbers.shape[1]))
        for j in range(numbers.shape[1]):
            table[:, j] = _statistics(np.array(numbers[:, j]))
        median, center, spread, mean, scale, flagged, low, high = table
        return cls(median, center, spread, mean, scale, flagged.astype(bool), low, high)

    def apply(self, numbers: np.ndarray, out: np.ndarray) -> None:
        """Write scaled numbers (n, columns) into float32 of the same shape."""
        n_rows = max(1, _BLOCK // max(1, numbers.shape[1]))
        for start in range(0, len(numbers), n_rows):
            block = numbers[start : start + n_rows]
            filled = np.where(np.isnan(block), self.median, block)
            squashed = squash(filled, self.center, self.spread)
            out[start : start + n_rows] = (squashed - self.mean) / self.scale

    def unfamiliar(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return two masks (n, columns): missing only here; far outside the range of training."""
        missing = np.isnan(numbers)
        with np.errstate(over="ignore", invalid="ignore"):
            width = self.high - self.low
            far = (numbers < self.low - width) | (numbers > self.high + width)
        return missing & ~self.flagged, far

    def to_list(self) -> list[dict[str, Any]]:
        """Return itself as JSON-able data, one entry per column."""
        entries = []
        for j, flagged in enumerate(self.flagged):
            entry: dict[str, Any] = {"flag_missing": bool(flagged)}
            entry |= {name: float(getattr(self, name)[j]) for name in _STATISTICS}
            if not np.isnan(self.low[j]):
                entry |= {"low": float(self.low[j]), "high": float(self.high[j])}
            entries.append(entry)
        return entries

    @classmethod
    def from_list(cls, data: Sequence[Mapping[str, Any]]) -> Scaling:
        """Return the scaling that `to_list` described; old files have no range.

        Nothing is checked: `stored.check_columns` does, before.
        """
        read = {
            name: np.array([float(one[name]) for one in data], dtype=np.float64)
            for name in _STATISTICS
        }
        ends = {
            name: np.array([float(one.get(name, np.nan)) for one in data])
            for name in ("low", "high")
        }
        flagged = np.array([bool(one["flag_missing"]) for one in data], dtype=bool)
        return cls(**read, **ends, flagged=flagged)


def squash(values: np.ndarray, center: Any, spread: Any) -> np.ndarray:
    """Return ``arcsinh((values - center) / spread)``, finite for all finite values."""
    with np.errstate(over="ignore"):
        scaled = (values - center) / spread
    return np.arcsinh(np.clip(scaled, -_LIMIT, _LIMIT))


def _statistics(column: np.ndarray) -> tuple[float, ...]:
    """Return the fields of `Scaling` for one column, shape (n,); it is overwritten."""
    missing = np.isnan(column)
    if missing.all():
        return 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, np.nan, np.nan
    flagged = missing.any()
    median = float(np.median(column[~missing] if flagged else column))
    column[missing] = median
    low, high = column.min(), column.max()
    first, center, third = np.percentile(column, [25, 50, 75])
    spread = _divisor(third - first, high - low)
    squashed = squash(column, center, spread)
    mean, deviation = squashed.mean(), squashed.std()
    # Rounding alone makes a deviation of a constant column.
    constant = deviation <= 10 * _EPSILON * max(abs(mean), 1.0)
    return median, center, spread, mean, 1.0 if constant else deviation, flagged, low, high


def _divisor(spread: float, width: float) -> float:
    """Return the divisor: if most cells are equal, 1, or the range of smaller numbers."""
    if np.isfinite(spread) and spread >= 10 * _EPSILON * width and spread >= _SMALLEST:
        return spread
    return min(width, 1.0) if width >= _SMALLEST else 1.0
