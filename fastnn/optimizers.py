"""Optimizers: descriptions of the step; the moving averages live in the network's arena.

`weight_decay` is decoupled everywhere: each step shrinks weights, not biases, by
learning_rate · weight_decay beside the step proper (Loshchilov, Hutter, ICLR 2019). A penalty in
the loss is the layers' `l1` and `l2`. `global_clipnorm`, named as in Keras, scales the gradient of
all parameters together down to that norm if it is longer (Pascanu, Mikolov, Bengio, ICML 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from . import checks, schedules
from .errors import ArgumentError
from .plan import StateValue
from .schedules import Schedule
from .specification import Specification, resolve

if TYPE_CHECKING:
    from .plan import Ref


class Optimizer(Specification, family=True):
    """Base of the optimizers.

    An optimizer is immutable and holds no state: one object may serve many networks.
    """

    #: Names of the arrays, shaped like the parameters and zero at the start, that it keeps.
    slots: ClassVar[tuple[str, ...]] = ()

    learning_rate: float | Schedule
    weight_decay: float
    global_clipnorm: float | None

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        """Kernel and arguments of one step over a flat range of parameters."""
        raise NotImplementedError

    def _settle_rates(self, **fractions: float) -> None:
        """Check what all optimizers share, and the given coefficients of moving averages."""
        limit = self.global_clipnorm
        if limit is not None:
            limit = checks.real("global_clipnorm", limit, low=0, open_low=True)
        self._settle(
            learning_rate=schedules.get("learning_rate", self.learning_rate),
            weight_decay=checks.real("weight_decay", self.weight_decay, low=0),
            global_clipnorm=limit,
            **{
                name: checks.real(name, value, low=0, high=1, open_high=True)
                for name, value in fractions.items()
            },
        )


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum on request.

    Parameters
    ----------
    learning_rate : float or Schedule
    momentum : float
        In [0, 1). The velocity holds the learning rate: v ← μ v − lr g, as in Keras.
    nesterov : bool
        Look ahead along the velocity (Sutskever et al., ICML 2013); needs momentum > 0.
    weight_decay : float
    global_clipnorm : float, optional
        Positive; None does not clip.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False, weight_decay=0.0, global_clipnorm=None)
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    global_clipnorm: float | None = None

    def __post_init__(self) -> None:
        self._settle_rates(momentum=self.momentum)
        self._settle(nesterov=checks.flag("nesterov", self.nesterov))
        if self.nesterov and not self.momentum:
            raise ArgumentError("nesterov=True needs momentum > 0, got momentum=0.0")

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("velocity",) if self.momentum else ()

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        lr = StateValue.LEARNING_RATE
        if not slots:
            return "sgd_step", (p, dp, lr, weight_decay)
        return "momentum_step", (p, dp, *slots, lr, self.momentum, self.nesterov, weight_decay)


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Steps divided by a running root mean square of the gradient; ε outside the root.

    Hinton: Neural networks for machine learning, lecture 6e, 2012.

    Parameters
    ----------
    learning_rate : float or Schedule
    rho : float
        Decay of the mean square, in [0, 1).
    epsilon : float
    weight_decay : float
    global_clipnorm : float, optional
        Positive; None does not clip.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.RMSProp(1e-3).slots
    ('mean_square',)
    """

    learning_rate: float | Schedule = 1e-3
    rho: float = 0.9
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    global_clipnorm: float | None = None

    slots = ("mean_square",)

    def __post_init__(self) -> None:
        self._settle_rates(rho=self.rho)
        self._settle(epsilon=checks.real("epsilon", self.epsilon, low=0, open_low=True))

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        lr = StateValue.LEARNING_RATE
        return "rmsprop_step", (p, dp, *slots, lr, self.rho, self.epsilon, weight_decay)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments, with bias correction; ε is added after the correction.

    Kingma, Ba: Adam: a method for stochastic optimization. ICLR 2015.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Decay of the first and the second moment, in [0, 1).
    epsilon : float
    weight_decay : float
    global_clipnorm : float, optional
        Positive; None does not clip.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Adam(3e-4).slots
    ('first_moment', 'second_moment')
    """

    learning_rate: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    global_clipnorm: float | None = None

    slots = ("first_moment", "second_moment")

    def __post_init__(self) -> None:
        self._settle_rates(beta1=self.beta1, beta2=self.beta2)
        self._settle(epsilon=checks.real("epsilon", self.epsilon, low=0, open_low=True))

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        lr, t = StateValue.LEARNING_RATE, StateValue.NEXT_STEP
        moments = (self.beta1, self.beta2, self.epsilon)
        return "adam_step", (p, dp, *slots, lr, *moments, t, weight_decay)


@dataclass(frozen=True)
class AdamW(Adam):
    """`Adam` with a weight decay of 0.01 by default.

    Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.AdamW(weight_decay=0.05).weight_decay
    0.05
    """

    weight_decay: float = 0.01


#: Names that stand for a default object.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def get(value: str | Optimizer) -> Optimizer:
    """The optimizer that `value`, a name or an object, stands for."""
    return resolve("optimizer", value, Optimizer, OPTIMIZERS)
