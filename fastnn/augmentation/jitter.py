"""GaussianJitter: noise added to tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..runtime.random_streams import Stream
from ..utils import checks
from ..utils.counting import count
from .base import Augmentation
from .pipeline import PipelineBuilder, Transform

#: Estimated nanoseconds for a row, and for a number that is changed.
ROW_COST, NUMBER_COST = 20.0, 15.0


@dataclass(frozen=True)
class GaussianJitter(Augmentation):
    """Add normal noise of mean 0 to the columns of a table, or to some of them.

    Parameters
    ----------
    std : float or sequence of float
        Standard deviation, not negative, in units of the input as the network sees it, after
        `Rescaling`. A sequence has one for each of the columns.
    columns : sequence of int, optional
        Numbers of the columns, from 0; all by default. Codes of categories should be left out.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: a standard deviation or a column that cannot be, or a
        column named twice. From `Network.fit`, if the rows do not have so many columns.

    Notes
    -----
    Rows of any other shape are taken as tables of all their elements. The method is that of Box and
    Muller (1958) on numbers of 32 bits: no value is farther out than 6.7 standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.augmentation import GaussianJitter
    >>> jitter = GaussianJitter(0.1, columns=[0])
    >>> X = np.zeros((4, 2))
    >>> (jitter(X, seed=1) != X).tolist()
    [[True, False], [True, False], [True, False], [True, False]]
    """

    std: float | tuple[float, ...]
    columns: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.columns is not None:
            columns = _sequence("columns", self.columns)
            numbers = [checks.integer("columns", column, low=0) for column in columns]
            for i, column in enumerate(numbers):
                if column in numbers[:i]:
                    raise ArgumentError(f"columns names column {column} twice")
            self._set_fields(columns=tuple(numbers))
        if np.ndim(self.std) == 0:
            self._set_fields(std=checks.number("std", self.std, low=0))
        else:
            stds = _sequence("std", self.std)
            self._set_fields(std=tuple(checks.number("std", value, low=0) for value in stds))
            if self.columns is not None and len(stds) != len(self.columns):
                raise ArgumentError(
                    f"std has {count(len(stds), 'value')} for {count(len(self.columns), 'column')}"
                )

    def lower(self, builder: PipelineBuilder) -> None:
        from ..kernels.numba.jitter import SETTINGS, jitter_rows

        columns = range(builder.size) if self.columns is None else self.columns
        if max(columns) >= builder.size:
            raise ArgumentError(
                f"columns names column {max(columns)}, but the rows of X have {builder.size}"
            )
        if isinstance(self.std, tuple) and len(self.std) != len(columns):
            raise ArgumentError(
                f"std has {count(len(self.std), 'value')}, but the rows of X have "
                f"{count(len(columns), 'column')}"
            )
        settings = np.zeros(len(columns), SETTINGS)
        settings["first_block"] = builder.first_block
        settings["width"], settings["count"] = builder.size, len(columns)
        settings["column"], settings["std"] = columns, self.std
        function = jitter_rows(builder.dtype)
        cost = ROW_COST + NUMBER_COST * len(columns)
        builder.x.append(
            Transform(function, settings, Stream.AUGMENTATION, builder.shape, builder.dtype, cost)
        )
        builder.parts += 1


def _sequence(argument: str, value: Any) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        raise ArgumentTypeError(f"{argument} must be a sequence of numbers, got {value!r}")
    if not len(value):
        raise ArgumentError(f"{argument} must not be empty")
    return value  # type: ignore[return-value]
