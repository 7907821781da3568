"""Targets: class labels, or numbers that are standardised for the network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..data.moments import Moments
from ..data.resolution import is_constant
from . import stored
from .columns import Column

_DIGITS = 7  # decimals of a standardised value that float32 carries


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    """Return both of numbers (n,), also if float64 does not hold their squares.

    A deviation that is only rounding counts as 1.
    """
    unit = float(np.abs(values).max()) or 1.0
    moments = Moments(1)
    moments.add((values / unit).reshape(-1, 1))
    deviation = np.sqrt(moments.variance)
    constant = is_constant(deviation, moments.mean, values.dtype)
    return float(moments.mean[0]) * unit, 1.0 if constant[0] else float(deviation[0]) * unit


@dataclass(frozen=True)
class Target:
    """A target and its encoding as numbers.

    Attributes
    ----------
    column : Column
    classes : tuple of str
        Sorted, codes by number; empty for regression.
    mean, scale : float
        A regression target is seen by the network as (value - mean) / scale.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.tables import Column, Target
    >>> target = Target.learn(Column("answer", "category"), np.array(["yes", "no", "yes"]))
    >>> target.encode(np.array(["no", "yes"]))
    array([0, 1])
    >>> str(target.decode(np.array([[0.2, 0.8]]))[0])
    'yes'
    """

    column: Column
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def learn(cls, column: Column, values: np.ndarray) -> Target:
        """Learn the target of training values (n,), as `column` reads them; none may be missing."""
        if column.kind == "number":
            mean, scale = _mean_and_deviation(values)
            return cls(column, mean=mean, scale=scale)
        order = column.notation.exact if column.kind == "code" else str
        return cls(column, classes=tuple(sorted(sorted(set(values)), key=order)))

    @property
    def outputs(self) -> int:
        """The number of units of the network's last layer."""
        return len(self.classes) or 1

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return values (n,) as a network takes them: int64 (n,) of classes, or float32 (n, 1)."""
        if self.classes:
            return pd.Categorical(values, categories=self.classes).codes.astype(np.int64)
        return ((values - self.mean) / self.scale).astype(np.float32)[:, None]

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return for outputs (n, units) the most probable classes (n,), or numbers in own units."""
        if self.classes:
            return np.array(self.classes, dtype=object)[outputs.argmax(axis=1)]
        return outputs[:, 0].astype(np.float64) * self.scale + self.mean

    def to_frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return outputs (n, units) as a table: the value, and one probability column per class."""
        values = self.decode(outputs)
        names = self.names
        if not self.classes:
            return pd.DataFrame({names[0]: values})
        probabilities = pd.DataFrame(outputs, columns=names[1:])
        probabilities.insert(0, names[0], values, allow_duplicates=True)
        return probabilities

    @property
    def names(self) -> list[str]:
        """The names of the columns of `to_frame`."""
        return [self.column.name, *(f"probability_{label}" for label in self.classes)]

    @property
    def digits(self) -> int:
        """The decimals of a regression value that float32 carries; negative for large ones."""
        return _DIGITS - math.floor(math.log10(self.scale))

    def to_dict(self) -> dict[str, Any]:
        """Return itself as JSON-able data."""
        return {
            "name": self.column.name,
            "kind": self.column.kind,
            "classes": list(self.classes),
            "mean": self.mean,
            "scale": self.scale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Target:
        """Return the target that `to_dict` described.

        Raises
        ------
        ArgumentError, ArgumentTypeError, KeyError
            `data` is not such a description.
        """
        stored.check_target(data)
        column = Column(data["name"], data["kind"])
        return cls(column, tuple(data["classes"]), float(data["mean"]), float(data["scale"]))
