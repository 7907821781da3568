"""The target column: class labels, or numbers that the network sees standardised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ArgumentError, unknown_name
from ..moments import Moments
from ..resolution import is_constant
from .columns import Column, check_column, count
from .reading import is_whole, numbers

#: What a target can be; "auto" decides by its values.
TASKS = ("auto", "classification", "regression")

_MOST_CLASSES = 20  # distinct whole numbers that are still taken as classes
_MOST_CLASSES_PER_ROW = 0.5


def find_target(frame: pd.DataFrame, name: str, task: str = "auto") -> tuple[Column, str]:
    """Decide between classification and regression.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
        Name of the target column.
    task : {"auto", "classification", "regression"}
        "auto" takes numbers with fractions, and whole numbers with more than 20 distinct values,
        for regression, and everything else for classes.

    Returns
    -------
    column : Column
        Its kind is "number" for regression, another one for classification.
    reason : str
        Why it is one or the other, as a clause: "its values are text".

    Raises
    ------
    ArgumentError
        `name` or `task` is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import find_target
    >>> find_target(pd.DataFrame({"price": [1.5, 2.25, 7.0]}), "price")
    (Column(name='price', kind='number'), 'its values are numbers with fractions')
    """
    if task not in TASKS:
        raise unknown_name("task", task, TASKS)
    check_column(frame, name)
    values, foreign = numbers(frame[name])
    whole = is_whole(values)
    distinct = len(np.unique(values[~np.isnan(values)]))
    of_classes = Column(name, "category" if foreign.any() or not whole else "code")
    if task != "auto":
        return (Column(name, "number") if task == "regression" else of_classes), "you said so"
    if foreign.any():
        return of_classes, "its values are text"
    if distinct == 2:
        return of_classes, "it has 2 distinct values"
    if not whole:
        return Column(name, "number"), "its values are numbers with fractions"
    if distinct <= _MOST_CLASSES:
        return of_classes, f"it has {distinct} distinct whole numbers"
    return Column(name, "number"), f"it has {distinct:,} distinct numbers"


def usable_rows(column: Column, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Which rows can be learnt from, and sentences about those that cannot.

    Parameters
    ----------
    column : Column
    values : ndarray, shape (n,)
        The target's cells as `column` reads them.

    Returns
    -------
    rows : ndarray of int
        Those with a target, and for classes with at least one other row of the same class.
    notices : list of str

    Raises
    ------
    ArgumentError
        Fewer than two rows remain, or all of one value, or nearly every row is its own class.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.tables import Column, usable_rows
    >>> usable_rows(Column("price", "number"), np.array([1.5, np.nan, 3.0]))
    (array([0, 2]), ['price: 1 row without a target left out'])
    """
    name = column.name
    regression = column.kind == "number"
    present = ~np.isnan(values) if regression else values != ""
    notices = []
    if not present.all():
        notices.append(f"{name}: {count(np.sum(~present), 'row')} without a target left out")
    found, inverse, sizes = np.unique(values[present], return_inverse=True, return_counts=True)
    rows = np.flatnonzero(present)
    if len(rows) < 2:
        raise ArgumentError(f"target {name!r}: {count(len(rows), 'usable row')}; need at least 2")
    if len(found) == 1:
        what = "value" if regression else "class"
        raise ArgumentError(f"target {name!r} has only one {what}, {found[0]}: nothing to learn")
    if regression:
        return rows, notices
    if len(found) > max(_MOST_CLASSES, _MOST_CLASSES_PER_ROW * len(rows)):
        raise ArgumentError(
            f"target {name!r} has {len(found)} distinct values in {len(rows)} rows, such as "
            f"{found[0]!r}: too many to be classes"
        )
    lonely = sizes == 1
    if lonely.any() and np.sum(~lonely) >= 2:
        labels = ", ".join(found[lonely][:5])
        notices.append(
            f"{name}: {count(lonely.sum(), 'class')} with a single row left out: {labels}"
        )
        rows = rows[~lonely[inverse]]
    elif lonely.any():
        raise ArgumentError(f"target {name!r}: every class needs at least 2 rows")
    return rows, notices


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    """Of numbers whose squares float64 may not hold; a deviation of rounding alone counts as 1."""
    unit = float(np.abs(values).max()) or 1.0
    moments = Moments(1)
    moments.add((values / unit).reshape(-1, 1))
    deviation = np.sqrt(moments.variance)
    constant = is_constant(deviation, moments.mean, values.dtype)
    return float(moments.mean[0]) * unit, 1.0 if constant[0] else float(deviation[0]) * unit


@dataclass(frozen=True)
class Target:
    """What is predicted, and how it is written as numbers.

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
        """The target of training values (n,), as `column` reads them; none may be missing."""
        if column.kind == "number":
            mean, scale = _mean_and_deviation(values)
            return cls(column, mean=mean, scale=scale)
        order = float if column.kind == "code" else str
        return cls(column, classes=tuple(sorted(set(values), key=order)))

    @property
    def outputs(self) -> int:
        """Units of the network's last layer."""
        return len(self.classes) or 1

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Values (n,) as a network takes them: int64 classes (n,) or float32 numbers (n, 1)."""
        if self.classes:
            return pd.Categorical(values, categories=self.classes).codes.astype(np.int64)
        return ((values - self.mean) / self.scale).astype(np.float32)[:, None]

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (n, units) as values (n,): the most probable class, or numbers in own units."""
        if self.classes:
            return np.array(self.classes, dtype=object)[outputs.argmax(axis=1)]
        return outputs[:, 0].astype(np.float64) * self.scale + self.mean

    def to_frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Outputs (n, units) as a table: the value, and one probability column per class."""
        columns = {self.column.name: self.decode(outputs)}
        for index, label in enumerate(self.classes):
            columns[f"probability_{label}"] = outputs[:, index]
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Itself as JSON-able data."""
        return {
            "name": self.column.name,
            "kind": self.column.kind,
            "classes": list(self.classes),
            "mean": self.mean,
            "scale": self.scale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Target:
        column = Column(data["name"], data["kind"])
        return cls(column, tuple(data["classes"]), data["mean"], data["scale"])
