"""Averages of the weights over training, which often predict better than the last weights.

The average is a slot of the arena behind those of the optimizer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ArgumentError, ArgumentTypeError
from ..ir.per_step import AverageMomentum
from ..utils import checks
from ..utils.specification import Specification

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder
    from ..ir.program import Ref, RunState
    from .base import Optimizer

#: Name of the slot that holds the average.
AVERAGE = "average"


class WeightAverage(Specification, family=True):
    """Base of the averages: which weights are averaged, and how much each counts."""

    def lower(self, builder: PlanBuilder, average: Ref, parameters: Ref) -> None:
        """Emit the ops that follow each step."""

    def momentum(self, epoch: int) -> float | None:
        """Return the momentum of the average for the weights after an epoch, counted from 1.

        None if they are not averaged.
        """
        return None

    def has_started(self, state: RunState) -> bool:
        """Return whether anything has been averaged."""
        raise NotImplementedError


@dataclass(frozen=True)
class EMA(WeightAverage):
    """Exponential moving average of the weights, updated after every step.

    After step t, θ̄ ← θ̄ + (1 − β) / (1 − βᵗ) · (θ − θ̄): the average that starts at zero, with its
    bias corrected as in Adam. It begins at the weights after the first step, and forgets the first
    steps as fast as any others, however large β is.

    Parameters
    ----------
    decay : float
        β, in (0, 1); about 1 / (1 − β) steps count.

    References
    ----------
    Polyak, Juditsky: Acceleration of stochastic approximation by averaging. SIAM Journal on Control
    and Optimization 30, 1992. Kingma, Ba: Adam. ICLR 2015, section 7.2 (temporal averaging, with
    the correction).

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network(
    ...     [fastnn.Dense(1)], loss="huber", weight_average=fastnn.EMA(0.99), seed=0
    ... )
    >>> history = net.fit([[0.0], [1.0]], [1.0, 3.0], epochs=20, verbose=0)
    >>> with net.averaged():
    ...     prediction = net.predict([[0.5]])
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        decay = checks.number("decay", self.decay, low=0, high=1, open_low=True, open_high=True)
        self._set_fields(decay=decay)

    def lower(self, builder: PlanBuilder, average: Ref, parameters: Ref) -> None:
        momentum = AverageMomentum(self.decay)
        builder.emit("update", "moving_average_step", average, parameters, momentum)

    def has_started(self, state: RunState) -> bool:
        return state.step > 0


@dataclass(frozen=True)
class SWA(WeightAverage):
    """Stochastic weight averaging: the mean of the weights at the ends of epochs.

    A high, constant or cyclical, learning rate makes the weights move around a wide optimum, whose
    centre the mean is. `Network.train_on_batch` ends no epoch, and so adds nothing. With
    `BatchNorm`, call `Network.update_batch_statistics` for the mean.

    Parameters
    ----------
    start : int
        The first epoch whose weights are averaged, counted from 1 over the life of the network.
    frequency : int
        Epochs from one to the next: the length of a cycle of the learning rate.

    References
    ----------
    Izmailov, Podoprikhin, Garipov, Vetrov, Wilson: Averaging weights leads to wider optima and
    better generalization. UAI 2018.

    Examples
    --------
    >>> import fastnn
    >>> average = fastnn.SWA(start=3)
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", weight_average=average, seed=0)
    >>> history = net.fit([[0.0], [1.0]], [1.0, 3.0], epochs=6, verbose=0)
    >>> net.use_average()
    """

    start: int = 1
    frequency: int = 1

    def __post_init__(self) -> None:
        self._set_fields(
            start=checks.integer("start", self.start, low=1),
            frequency=checks.integer("frequency", self.frequency, low=1),
        )

    def momentum(self, epoch: int) -> float | None:
        before, between = divmod(epoch - self.start, self.frequency)
        return None if before < 0 or between else before / (before + 1)

    def has_started(self, state: RunState) -> bool:
        return state.epoch >= self.start


def get(value: WeightAverage | None, optimizer: Optimizer) -> WeightAverage | None:
    """Check and return an average that goes with the optimizer, or None."""
    if value is not None and not isinstance(value, WeightAverage):
        raise ArgumentTypeError(f"weight_average must be an EMA, an SWA or None, got {value!r}")
    if value is not None and optimizer.full_batch:
        raise ArgumentError(
            f"weight_average is for optimizers that take many steps, got {optimizer}"
        )
    return value
