"""Cosine decay, with and without restarts, and the 1cycle policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ArgumentError
from ..utils import checks
from .base import Schedule

ANNEALING = ("cos", "linear")


def _cosine(progress: np.ndarray) -> np.ndarray:
    """Return half a period of the cosine: 1 down to 0 as `progress` goes from 0 to 1."""
    return (1 + np.cos(np.pi * progress)) / 2


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Cosine decay: η₀ · ((1 − α) · ½ (1 + cos(π t / T)) + α), η₀ · α from T = `decay_steps` on.

    Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts. ICLR 2017, without
    the restarts.

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    decay_steps : int
    alpha : float
        The final rate as a fraction of η₀, in [0, 1].
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import CosineDecay
    >>> CosineDecay(1.0, 4, alpha=0.5)([0, 2, 4, 5])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(initial_learning_rate=self.initial_learning_rate)
        self._check_counts(decay_steps=self.decay_steps)
        self._set_fields(alpha=checks.number("alpha", self.alpha, low=0, high=1))

    def rate(self, t: np.ndarray) -> np.ndarray:
        progress = np.minimum(t / self.decay_steps, 1)
        return self.initial_learning_rate * ((1 - self.alpha) * _cosine(progress) + self.alpha)


@dataclass(frozen=True)
class CosineDecayRestarts(Schedule):
    """Cosine decay with warm restarts: SGDR.

    Period i takes T₀ · t_mulⁱ steps and begins at η₀ · m_mulⁱ; within it the rate falls as in
    `CosineDecay`.

    Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts. ICLR 2017. The factor
    `m_mul` is Keras's addition.

    Parameters
    ----------
    initial_learning_rate : float
        η₀.
    first_decay_steps : int
        T₀.
    t_mul : float
        At least 1: factor on the length of each further period.
    m_mul : float
        Positive: factor on the rate at which each further period begins.
    alpha : float
        The lowest rate of a period as a fraction of its first, in [0, 1].
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import CosineDecayRestarts
    >>> CosineDecayRestarts(1.0, 2, m_mul=0.5)([0, 1, 2, 4, 6])
    array([1.  , 0.5 , 0.5 , 0.25, 0.25])
    """

    initial_learning_rate: float
    first_decay_steps: int
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        self._check_rates(initial_learning_rate=self.initial_learning_rate)
        self._check_counts(first_decay_steps=self.first_decay_steps)
        self._set_fields(
            t_mul=checks.number("t_mul", self.t_mul, low=1),
            m_mul=checks.number("m_mul", self.m_mul, low=0, open_low=True),
            alpha=checks.number("alpha", self.alpha, low=0, high=1),
        )

    def rate(self, t: np.ndarray) -> np.ndarray:
        period, progress = self._position(t / self.first_decay_steps)
        peak = self.initial_learning_rate * self.m_mul**period
        return peak * ((1 - self.alpha) * _cosine(progress) + self.alpha)

    def _position(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of the period and the fraction of it that is over at x = t / T₀."""
        if self.t_mul == 1:
            return np.floor(x), x - np.floor(x)
        period = np.floor(np.log1p((self.t_mul - 1) * x) / np.log(self.t_mul))
        period -= x < self._begin(period)  # the logarithm may err at the borders
        period += x >= self._begin(period + 1)
        return period, (x - self._begin(period)) / self.t_mul**period

    def _begin(self, period: np.ndarray) -> np.ndarray:
        """Return the time at which a period begins: Σ t_mulʲ over all before it."""
        return (self.t_mul**period - 1) / (self.t_mul - 1)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The 1cycle policy: up to a large rate, then down to a very small one.

    From η_max / div_factor up to η_max in the first `pct_start` of the steps, then down to
    η_max / (div_factor · final_div_factor) at the last one, each along half a period of the cosine
    or a straight line. From `total_steps` on the rate stays there.

    Smith, Topin: Super-convergence: very fast training of neural networks using large learning
    rates. 2018. As in torch's OneCycleLR, the descent has one part instead of two; momentum, which
    the paper moves the other way, stays as it is.

    Parameters
    ----------
    max_learning_rate : float
        η_max.
    total_steps : int
        At least 2.
    pct_start : float
        In (0, 1): share of the steps with a rising rate.
    div_factor, final_div_factor : float
        At least 1.
    anneal : {"cos", "linear"}
    unit : {"step", "epoch"}

    Examples
    --------
    >>> from fastnn.schedules import OneCycle
    >>> rates = OneCycle(1.0, 10, div_factor=10.0)([0, 2, 9])
    >>> [f"{rate:.2g}" for rate in rates]
    ['0.1', '1', '1e-05']
    """

    max_learning_rate: float
    total_steps: int
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    anneal: str = "cos"
    unit: str = "step"

    def __post_init__(self) -> None:
        self._check_unit()
        checks.one_of("anneal", self.anneal, dict.fromkeys(ANNEALING))
        self._check_rates(max_learning_rate=self.max_learning_rate)
        self._set_fields(
            total_steps=checks.integer("total_steps", self.total_steps, low=2),
            pct_start=checks.number(
                "pct_start", self.pct_start, low=0, high=1, open_low=True, open_high=True
            ),
            div_factor=checks.number("div_factor", self.div_factor, low=1),
            final_div_factor=checks.number("final_div_factor", self.final_div_factor, low=1),
        )
        if self._top <= 0:
            raise ArgumentError(
                f"pct_start={self.pct_start} of total_steps={self.total_steps} leaves no step to "
                "rise in"
            )

    @property
    def _top(self) -> float:
        """The time at which the rate is highest; it need not be a whole number."""
        return self.pct_start * self.total_steps - 1

    def rate(self, t: np.ndarray) -> np.ndarray:
        first = self.max_learning_rate / self.div_factor
        final = first / self.final_div_factor
        top, end = self._top, self.total_steps - 1
        fall = _cosine if self.anneal == "cos" else (lambda progress: 1 - progress)
        rising = t <= top
        remaining = fall(np.where(rising, t / top, np.minimum((t - top) / (end - top), 1)))
        begin, target = np.where(rising, first, self.max_learning_rate), self.max_learning_rate
        return remaining * begin + (1 - remaining) * np.where(rising, target, final)
