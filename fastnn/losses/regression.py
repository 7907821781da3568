"""Losses of regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..utils import checks
from .base import REDUCTIONS, Loss, first_row, reduction_factors

__all__ = [
    "HalfSquaredError",
    "Huber",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "Quantile",
]


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """Mean of (y − t)², without a factor ½.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss=fastnn.MeanSquaredError())
    """

    kernel = "mean_squared_error"


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the squared error as scikit-learn's MLPRegressor has it, for results that equal its own.

    The value is the mean over outputs of ½ (y − t)², the gradient that of the sum over outputs. For
    one output they belong together; for several, the gradient is larger by their number, which
    `gradient_check` reports; so the loss has no name.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(2)], loss=fastnn.HalfSquaredError())
    """

    kernel = "mean_squared_error"

    @property
    def title(self) -> str:
        return "half_squared_error"

    def factors(self, outputs: int) -> tuple[float, float]:
        return 0.5, 0.5 * outputs


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean of ``|y − t|``: fits the conditional median.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="mean_absolute_error")
    """

    kernel = "mean_absolute_error"

    def smooth_region(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.sign(output - target)


@dataclass(frozen=True)
class Huber(Loss):
    """½ e² up to ``|e| = δ``, linear beyond (Huber, 1964).

    Parameters
    ----------
    delta : float
        Positive, in units of the target.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss=fastnn.Huber(delta=0.5))
    """

    delta: float = 1.0

    kernel = "huber"

    def __post_init__(self) -> None:
        self._set_fields(delta=checks.number("delta", self.delta, low=0, open_low=True))

    @property
    def settings(self) -> tuple[float, ...]:
        return (self.delta,)

    def smooth_region(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        error = output - target
        return np.where(abs(error) > self.delta, np.sign(error), 0)


@dataclass(frozen=True)
class Poisson(Loss):
    """Half the Poisson deviance with a log link, for counts; `predict` gives rates.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over the outputs.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="poisson")
    """

    reduction: str = "mean"

    kernel = "poisson"
    link = "exp"

    def __post_init__(self) -> None:
        checks.one_of("reduction", self.reduction, dict.fromkeys(REDUCTIONS))

    def factors(self, outputs: int) -> tuple[float, float]:
        return reduction_factors(self.reduction, outputs)

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = (y < 0).any(axis=1)
        if wrong.any():
            row = first_row(wrong)
            raise ArgumentError(f"y[{row}] is {y[row]}, but counts must not be negative")


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss: fits the conditional q-quantile (Koenker, Bassett, 1978).

    Parameters
    ----------
    q : float or tuple of float
        In (0, 1). Several are the levels of as many outputs, for which y may have one column. They
        are fitted side by side, so that here and there they may cross.

    Raises
    ------
    ArgumentError
        Also a `ValueError`: a level is not in (0, 1). From `Network`, if the last layer has another
        number of outputs than there are levels.

    Examples
    --------
    >>> import fastnn
    >>> upper = fastnn.Network([fastnn.Dense(1)], loss=fastnn.Quantile(0.95))
    >>> net = fastnn.Network([fastnn.Dense(3)], loss=fastnn.Quantile((0.05, 0.5, 0.95)))
    >>> net.fit([[1.0], [2.0]], [3.0, 4.0], verbose=0).epoch
    [1]
    """

    q: float | tuple[float, ...] = 0.5

    kernel = "quantile"

    def __post_init__(self) -> None:
        if not isinstance(self.q, tuple | list):
            self._set_fields(q=_level(self.q))
        elif not self.q:
            raise ArgumentError("q must hold at least one level, got none")
        else:
            self._set_fields(q=tuple(map(_level, self.q)))

    def levels(self, outputs: int) -> tuple[float, ...]:
        return self.q if isinstance(self.q, tuple) else (self.q,) * outputs

    def check_outputs(self, shape: tuple[int, ...]) -> None:
        super().check_outputs(shape)
        if isinstance(self.q, tuple) and shape != (len(self.q),):
            raise ArgumentError(
                f"loss {self.title!r} has {len(self.q)} levels for as many outputs, but the last "
                f"layer gives shape {shape}"
            )

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        if isinstance(self.q, tuple) and y.size == len(y):
            y = np.repeat(y.reshape(-1, 1), outputs, axis=1)
        return super().prepare_target(y, outputs, dtype)

    def smooth_region(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.sign(output - target)


def _level(value: Any) -> float:
    return checks.number("q", value, low=0, high=1, open_low=True, open_high=True)
