"""Constant and decaying schedules; the names are those of Keras where it has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from .base import Schedule


@dataclass(frozen=True)
class Constant(Schedule):
    """A constant rate, as a plain number as `learning_rate` is, which can be set later.

    Parameters
    ----------
    learning_rate : float
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import Constant, Warmup
    >>> Warmup(Constant(0.1), steps=4)([0, 1, 2, 3, 4, 5])
    array([0.   , 0.025, 0.05 , 0.075, 0.1  , 0.1  ])
    """

    learning_rate: float
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(learning_rate=self.learning_rate)

    def rate(self, t: np.ndarray) -> np.ndarray:
        return np.full(t.shape, self.learning_rate)


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Exponential decay: η₀ · decay_rate^(t / decay_steps).

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    decay_steps : int
        Steps or epochs after which the rate has been multiplied by `decay_rate`.
    decay_rate : float
        Positive.
    staircase : bool
        Whether t / decay_steps is rounded down, so that the rate falls in steps.
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import ExponentialDecay
    >>> ExponentialDecay(1.0, decay_steps=2, decay_rate=0.25)([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(initial_learning_rate=self.initial_learning_rate)
        self._check_counts(decay_steps=self.decay_steps)
        self._set_fields(
            decay_rate=checks.number("decay_rate", self.decay_rate, low=0, open_low=True),
            staircase=checks.boolean("staircase", self.staircase),
        )

    def rate(self, t: np.ndarray) -> np.ndarray:
        return self.initial_learning_rate * self.decay_rate ** _periods(self, t)


@dataclass(frozen=True)
class StepDecay(ExponentialDecay):
    """Step decay: η₀ · decay_rate^⌊t / decay_steps⌋, with a `decay_rate` of 0.1 by default.

    `ExponentialDecay` with another default; in torch, StepLR.

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    decay_steps : int
        Steps or epochs for which the rate stays.
    decay_rate : float
        Positive.
    staircase : bool
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import StepDecay
    >>> StepDecay(1.0, 2, 0.5, unit="epoch")([0, 1, 2, 3, 4])
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    decay_rate: float = 0.1
    staircase: bool = True


@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """Inverse-time decay: η₀ / (1 + decay_rate · t / decay_steps).

    Robbins, Monro: A stochastic approximation method. Annals of Mathematical Statistics, 1951,
    shows that gradient descent with such rates converges.

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    decay_steps : int
        Steps or epochs that count as one period.
    decay_rate : float
        Not negative.
    staircase : bool
        Whether t / decay_steps is rounded down.
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import InverseTimeDecay
    >>> InverseTimeDecay(1.0, decay_steps=1, decay_rate=1.0, unit="epoch")([0, 1, 3])
    array([1.  , 0.5 , 0.25])
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(initial_learning_rate=self.initial_learning_rate)
        self._check_counts(decay_steps=self.decay_steps)
        self._set_fields(
            decay_rate=checks.number("decay_rate", self.decay_rate, low=0),
            staircase=checks.boolean("staircase", self.staircase),
        )

    def rate(self, t: np.ndarray) -> np.ndarray:
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(self, t))


def _periods(schedule: ExponentialDecay | InverseTimeDecay, t: np.ndarray) -> np.ndarray:
    periods = t / schedule.decay_steps
    return np.floor(periods) if schedule.staircase else periods


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """Polynomial decay from η₀ to η₁: (η₀ − η₁) · (1 − t / T)^power + η₁.

    T is `decay_steps`; from there on the rate stays at η₁, or with `cycle` T becomes its next
    multiple and the rate jumps up again.

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    decay_steps : int
    end_learning_rate : float
        η₁.
    power : float
        Positive; 1 is a straight line.
    cycle : bool
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import PolynomialDecay
    >>> PolynomialDecay(1.0, 4, end_learning_rate=0.0, power=2.0)([0, 2, 4, 6])
    array([1.  , 0.25, 0.  , 0.  ])
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 1e-4
    power: float = 1.0
    cycle: bool = False
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(
            initial_learning_rate=self.initial_learning_rate,
            end_learning_rate=self.end_learning_rate,
        )
        self._check_counts(decay_steps=self.decay_steps)
        self._set_fields(
            power=checks.number("power", self.power, low=0, open_low=True),
            cycle=checks.boolean("cycle", self.cycle),
        )

    def rate(self, t: np.ndarray) -> np.ndarray:
        total = float(self.decay_steps)
        length = total * np.maximum(1, np.ceil(t / total)) if self.cycle else total
        remaining = 1 - np.minimum(t, length) / length
        fall = self.initial_learning_rate - self.end_learning_rate
        return fall * remaining**self.power + self.end_learning_rate


@dataclass(frozen=True)
class PiecewiseConstant(Schedule):
    """A rate for each interval between boundaries.

    The first ``boundaries[0]`` steps have the rate ``values[0]``, as with torch's MultiStepLR;
    Keras's PiecewiseConstantDecay changes one step later.

    Parameters
    ----------
    boundaries : sequence of int
        Positive and increasing.
    values : sequence of float
        One more than there are boundaries.
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import PiecewiseConstant
    >>> PiecewiseConstant([2, 3], [1.0, 0.5, 0.1])([0, 1, 2, 3, 4])
    array([1. , 1. , 0.5, 0.1, 0.1])
    """

    boundaries: Sequence[int]
    values: Sequence[float]
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        for name in ("boundaries", "values"):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise ArgumentTypeError(f"{name} must be a sequence of numbers, got {given!r}")
        boundaries = tuple(
            checks.integer(f"boundaries[{i}]", b, low=1) for i, b in enumerate(self.boundaries)
        )
        values = tuple(checks.number(f"values[{i}]", v, low=0) for i, v in enumerate(self.values))
        if list(boundaries) != sorted(set(boundaries)):
            raise ArgumentError(f"boundaries must increase, got {list(boundaries)}")
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                f"values must hold one rate more than there are boundaries, {len(boundaries) + 1}, "
                f"got {len(values)}"
            )
        self._set_fields(boundaries=boundaries, values=values)

    def rate(self, t: np.ndarray) -> np.ndarray:
        return np.asarray(self.values)[np.searchsorted(self.boundaries, t, side="right")]
