"""Gradient descent: plain, with momentum, by signs, and scaled by past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..schedules import Schedule
from ..utils import checks
from .base import GradientOptimizer

if TYPE_CHECKING:
    from ..ir.per_step import LearningRate, NextStep
    from ..ir.program import Ref

__all__ = ["SGD", "Adagrad", "Lion", "RMSProp"]


@dataclass(frozen=True, repr=False)
class SGD(GradientOptimizer):
    """Gradient descent, with momentum on request.

    Parameters
    ----------
    learning_rate : float or Schedule
    momentum : float
        In [0, 1]. The velocity holds the learning rate: v ← μ v − lr g, as in Keras. With 1 it
        forgets nothing, and oscillates for ever.
    nesterov : bool
        Look ahead along the velocity (Sutskever et al., ICML 2013); needs momentum > 0.
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9)
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        self._check_rates(momentum=self.momentum)
        self._set_fields(nesterov=checks.boolean("nesterov", self.nesterov))
        if self.nesterov and not self.momentum:
            raise ArgumentError("nesterov=True needs momentum > 0, got momentum=0.0")

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("velocity",) if self.momentum else ()

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        if not slots:
            return "sgd_step", (p, dp, lr, weight_decay)
        return "momentum_step", (p, dp, *slots, lr, self.momentum, self.nesterov, weight_decay)


@dataclass(frozen=True, repr=False)
class Adagrad(GradientOptimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    Suits sparse features: each keeps its own rate, which only falls. As published, the sum starts
    at 0 and ε stands outside the root (Keras starts at 0.1).

    Parameters
    ----------
    learning_rate : float or Schedule
    epsilon : float
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
    optimization. JMLR 12, 2011.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Adagrad(0.1).slots
    ('sum_of_squares',)
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10

    slots = ("sum_of_squares",)

    def __post_init__(self) -> None:
        self._check_rates(epsilon=self.epsilon)

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        return "adagrad_step", (p, dp, *slots, lr, self.epsilon, weight_decay)


@dataclass(frozen=True, repr=False)
class RMSProp(GradientOptimizer):
    """Steps divided by a running root mean square of the gradient; ε outside the root.

    Parameters
    ----------
    learning_rate : float or Schedule
    rho : float
        Decay of the mean square, in [0, 1).
    momentum : float
        In [0, 1]. The velocity holds the learning rate, as in `SGD`; PyTorch multiplies by the rate
        afterwards, which differs only while the rate changes.
    centered : bool
        Divide by a running standard deviation: the mean of the gradient is kept, and its square
        subtracted.
    epsilon : float
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    Hinton: Neural networks for machine learning, lecture 6e, 2012. Graves: Generating sequences
    with recurrent neural networks. arXiv:1308.0850, 2013: centred, with momentum, ε under the root.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.RMSProp(1e-3).slots
    ('mean_square',)
    >>> fastnn.RMSProp(1e-3, momentum=0.9, centered=True).slots
    ('mean_square', 'mean', 'velocity')
    """

    learning_rate: float | Schedule = 1e-3
    rho: float = 0.9
    epsilon: float = 1e-8
    momentum: float = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        self._check_rates(epsilon=self.epsilon, rho=self.rho, momentum=self.momentum)
        self._set_fields(centered=checks.boolean("centered", self.centered))

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        mean = ("mean",) if self.centered else ()
        return ("mean_square", *mean, *(("velocity",) if self.momentum else ()))

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        slot = dict(zip(self.slots, slots, strict=True))
        arrays = p, dp, slot["mean_square"], slot.get("mean"), slot.get("velocity")
        settings = self.rho, self.momentum, self.epsilon
        return "rmsprop_step", (*arrays, lr, *settings, weight_decay)


@dataclass(frozen=True, repr=False)
class Lion(GradientOptimizer):
    """Steps of one size: the sign of a blend of the gradient and its running mean.

    Its authors advise a learning rate 3 to 10 times smaller than Adam's, and a weight decay larger
    by as much.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Share of the mean in the blend, and decay of the mean, in [0, 1).
    weight_decay, clipvalue, clipnorm, global_clipnorm
        As for every optimizer: `GradientOptimizer`.

    References
    ----------
    Chen et al.: Symbolic discovery of optimization algorithms. NeurIPS 2023, Algorithm 2.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Lion(1e-4, weight_decay=0.1)
    Lion(learning_rate=0.0001, weight_decay=0.1)
    """

    learning_rate: float | Schedule = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99

    slots = ("first_moment",)

    def __post_init__(self) -> None:
        self._check_rates(beta1=self.beta1, beta2=self.beta2)

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        return "lion_step", (p, dp, *slots, lr, self.beta1, self.beta2, weight_decay)
