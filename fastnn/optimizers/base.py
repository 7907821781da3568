"""Base of all optimizers: descriptions of the step; the state is in the network's arena."""

from __future__ import annotations

import dataclasses
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .. import schedules
from ..errors import ArgumentError
from ..schedules import Schedule
from ..utils import checks
from ..utils.specification import Specification

if TYPE_CHECKING:
    from ..ir.parameter import Segment
    from ..ir.per_step import LearningRate, NextStep
    from ..ir.program import Ref

__all__ = ["GradientOptimizer", "Optimizer"]


class Optimizer(Specification, family=True):
    """Base of the optimizers.

    An optimizer is immutable and holds no state: one object may serve many networks.

    Attributes
    ----------
    slots : tuple of str
        Names of the arrays, shaped like the parameters and zero at the start, that it keeps.
    full_batch : bool
        Whether it moves the parameters itself, by the loss and gradients of all rows, instead of
        by a kernel after each batch.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.SGD(momentum=0.9).slots, fastnn.LBFGS().full_batch
    (('velocity',), True)
    """

    slots: ClassVar[tuple[str, ...]] = ()
    full_batch: ClassVar[bool] = False

    learning_rate: float | Schedule
    weight_decay: float = 0.0

    def check_segments(self, segments: tuple[Segment, ...]) -> None:
        """Raise `ArgumentError` for parameter options that the optimizer does not support."""

    def __repr__(self) -> str:
        """Return the call with the learning rate and all other arguments that are not defaults."""
        shown = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if field.name == "learning_rate" or getattr(self, field.name) != field.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class GradientOptimizer(Optimizer, listed=False):
    """Base of the optimizers that take a step after each batch, by a kernel.

    Parameters
    ----------
    learning_rate : float or Schedule
        Positive; a `Schedule` gives one for each step.
    weight_decay : float
        Each step shrinks weights, not biases, by learning_rate · weight_decay beside the step
        proper, in all optimizers [1]_. Penalties in the loss are the layers' `l1` and `l2`.
    clipvalue, clipnorm, global_clipnorm : float, optional
        Limits of the gradients, named as in Keras; positive, and at most one of them: of each
        element, of the norm of each array, of the norm of all arrays together [2]_.

    References
    ----------
    .. [1] Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.
    .. [2] Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks. ICML
       2013.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.SGD(0.1, clipnorm=1.0).clips_norms
    True
    """

    learning_rate: float | Schedule = 0.001
    _: KW_ONLY
    weight_decay: float = 0.0
    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | None = None

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        """Return kernel and arguments of one step over a flat range of parameters."""
        raise NotImplementedError

    @property
    def clips_norms(self) -> bool:
        """True if a norm of the gradients must be known before the step."""
        return self.clipnorm is not None or self.global_clipnorm is not None

    def _check_rates(
        self, *, epsilon: float | None = None, momentum: float | None = None, **fractions: float
    ) -> None:
        """Check the shared fields, ε and momentum if given, and decays of moving averages."""
        limits = {
            name: checks.number(name, value, low=0, open_low=True)
            for name in ("clipvalue", "clipnorm", "global_clipnorm")
            if (value := getattr(self, name)) is not None
        }
        if len(limits) > 1:
            raise ArgumentError(f"give at most one of {', '.join(limits)}")
        if epsilon is not None:
            self._set_fields(epsilon=checks.number("epsilon", epsilon, low=0, open_low=True))
        if momentum is not None:
            self._set_fields(momentum=checks.number("momentum", momentum, low=0, high=1))
        self._set_fields(
            learning_rate=schedules.get("learning_rate", self.learning_rate),
            weight_decay=checks.number("weight_decay", self.weight_decay, low=0),
            **limits,
            **{
                name: checks.number(name, value, low=0, high=1, open_high=True)
                for name, value in fractions.items()
            },
        )
