"""Adam and its variants: steps by running moments of the gradient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..ir.per_step import EpsilonHat
from ..schedules import Schedule
from ..utils import checks
from .base import GradientOptimizer

if TYPE_CHECKING:
    from ..ir.per_step import LearningRate, NextStep
    from ..ir.program import Ref

__all__ = ["Adam", "AdamW", "NAdam", "RAdam"]


@dataclass(frozen=True, repr=False)
class _Moments(GradientOptimizer):
    """Base of Adam and its variants: both moments and their decays."""

    learning_rate: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    slots = ("first_moment", "second_moment")

    def __post_init__(self) -> None:
        self._check_rates(epsilon=self.epsilon, beta1=self.beta1, beta2=self.beta2)


@dataclass(frozen=True, repr=False)
class Adam(_Moments):
    """Adaptive moments, with bias correction; ε is added after the correction.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Decay of the first and the second moment, in [0, 1).
    epsilon : float
    amsgrad : bool
        Divide by the largest second moment so far, which converges in a case where Adam does not
        [2]_. Their algorithm corrects no bias; here both corrections of Adam stay, as in Keras and
        PyTorch.
    epsilon_hat : bool
        Add ε to the root of the second moment before its bias is corrected: the order of steps at
        the end of section 2 of [1]_, and that of scikit-learn and TensorFlow.
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    .. [1] Kingma, Ba: Adam: a method for stochastic optimization. ICLR 2015, Algorithm 1.
    .. [2] Reddi, Kale, Kumar: On the convergence of Adam and beyond. ICLR 2018.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Adam(3e-4).slots
    ('first_moment', 'second_moment')
    """

    amsgrad: bool = False
    epsilon_hat: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set_fields(
            amsgrad=checks.boolean("amsgrad", self.amsgrad),
            epsilon_hat=checks.boolean("epsilon_hat", self.epsilon_hat),
        )

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*_Moments.slots, *(("largest_second_moment",) if self.amsgrad else ()))

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        kernel = "amsgrad_step" if self.amsgrad else "adam_step"
        epsilon: float | EpsilonHat = self.epsilon
        if self.epsilon_hat:
            epsilon = EpsilonHat(self.epsilon, self.beta2, t.skipped)
        return kernel, (p, dp, *slots, lr, self.beta1, self.beta2, epsilon, t, weight_decay)


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """`Adam` with a weight decay of 0.01 by default.

    Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.AdamW(weight_decay=0.05).weight_decay
    0.05
    """

    weight_decay: float = field(default=0.01, kw_only=True)


@dataclass(frozen=True, repr=False)
class NAdam(_Moments):
    """Adam that looks ahead as Nesterov's momentum does, with a momentum that grows.

    The momentum of step t is μ_t = β₁ (1 − ½ 0.96^(ψ t)). As in Keras and PyTorch, the running mean
    itself decays by β₁ (in the paper by μ_t), and the second moment is corrected as in Adam (the
    paper has a further factor β₂).

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Decay of the first and the second moment, in [0, 1).
    epsilon : float
    momentum_decay : float
        ψ, not negative.
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    Dozat: Incorporating Nesterov momentum into Adam. ICLR 2016 workshop.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.NAdam(2e-3).momentum_decay
    0.004
    """

    momentum_decay: float = 0.004

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set_fields(momentum_decay=checks.number("momentum_decay", self.momentum_decay, low=0))

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        settings = self.beta1, self.beta2, self.momentum_decay, self.epsilon
        return "nadam_step", (p, dp, *slots, lr, *settings, t, weight_decay)


@dataclass(frozen=True, repr=False)
class RAdam(_Moments):
    """Adam that rectifies its first steps, while the second moment varies too much.

    While the second moment averages over too few steps (ρ_t ≤ 5), the step is that of momentum
    alone; the paper's text switches at 4, the authors' program and PyTorch at 5. ε, which the
    paper lacks, is added after the bias correction (in PyTorch before it).

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Decay of the first and the second moment, in [0, 1).
    epsilon : float
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao, Han: On the variance of the adaptive learning rate and beyond.
    ICLR 2020.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.RAdam().slots
    ('first_moment', 'second_moment')
    """

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        settings = self.beta1, self.beta2, self.epsilon
        return "radam_step", (p, dp, *slots, lr, *settings, t, weight_decay)
