"""Averages of the weights over training, which often predict better than the last weights.

The average is a slot of the arena behind those of the optimizer; `Network.averaged` looks at the
network through it, `Network.use_average` makes it the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from . import checks, kernels
from .errors import ArgumentError, ArgumentTypeError, NetworkBusyError
from .interrupts import uninterruptible
from .plan import AverageMomentum
from .specification import Specification

if TYPE_CHECKING:
    from .compiler import PlanBuilder
    from .network import Network
    from .optimizers import Optimizer
    from .plan import Ref, RunState

#: Name of the slot that holds the average.
AVERAGE = "average"


class WeightAverage(Specification, family=True):
    """Base of the averages: what takes part in them, and how much it counts."""

    def lower(self, builder: PlanBuilder, average: Ref, parameters: Ref) -> None:
        """Emit what is done after each step."""

    def momentum(self, epoch: int) -> float | None:
        """What stays of the average as the weights at the end of an epoch, counted from 1, come in.

        None if they do not take part.
        """
        return None

    def begun(self, state: RunState) -> bool:
        """Whether anything has been averaged."""
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
        decay = checks.real("decay", self.decay, low=0, high=1, open_low=True, open_high=True)
        self._settle(decay=decay)

    def lower(self, builder: PlanBuilder, average: Ref, parameters: Ref) -> None:
        momentum = AverageMomentum(self.decay)
        builder.emit("update", "moving_average_step", average, parameters, momentum)

    def begun(self, state: RunState) -> bool:
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
        self._settle(
            start=checks.integer("start", self.start, low=1),
            frequency=checks.integer("frequency", self.frequency, low=1),
        )

    def momentum(self, epoch: int) -> float | None:
        before, between = divmod(epoch - self.start, self.frequency)
        return None if before < 0 or between else before / (before + 1)

    def begun(self, state: RunState) -> bool:
        return state.epoch >= self.start


def get(value: WeightAverage | None, optimizer: Optimizer) -> WeightAverage | None:
    """`value`, if it is an average that goes with the optimizer, or None."""
    if value is not None and not isinstance(value, WeightAverage):
        raise ArgumentTypeError(f"weight_average must be an EMA, an SWA or None, got {value!r}")
    if value is not None and optimizer.full_batch:
        raise ArgumentError(
            f"weight_average is for optimizers that take many steps, got {optimizer}"
        )
    return value


def end_epoch(network: Network, epoch: int) -> None:
    """Let the weights at the end of an epoch into the average."""
    average = network.weight_average
    momentum = None if average is None else average.momentum(epoch)
    if momentum is not None:
        arena = network.arena
        kernels.implementation().moving_average_step(arena.slots[-1], arena.parameters, momentum)


class InPlaceOfWeights:
    """A context in which the weights are the average; holds the lock.

    The average stays where it is, too: files, copies and contexts that are made meanwhile find the
    two in step. Running statistics that are set meanwhile are the average's, and go with it. Ctrl-C
    may end what is done in the context, but comes neither into its beginning nor into its end.
    """

    def __init__(self, network: Network):
        self._network = network
        self._held = network.lock.shared_with_own_fit()
        # What to write where at the end, while there is anything: nothing is made anew then.
        self._reversal: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
        self._was_averaged = False

    @uninterruptible
    def __enter__(self) -> Network:
        interrupt = self._held.__enter__()
        try:
            self._begin()
            self._allowed = interrupt.allowed()
            self._allowed.__enter__()
        except BaseException:
            self._end()
            raise
        return self._network

    @uninterruptible
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._allowed.__exit__()
        finally:
            self._end()

    def _begin(self) -> None:
        self._was_averaged = self._network.lock.averaged
        require_begun(self._network)
        arena = self._network.arena
        weights, average, statistics = arena.parameters, arena.slots[-1], arena.buffers
        kept, kept_statistics = weights.copy(), statistics.copy()
        weights[:] = average
        self._network.lock.averaged = True
        self._reversal = (average, weights), (weights, kept), (statistics, kept_statistics)

    def _end(self) -> None:
        try:
            for array, values in self._reversal:
                np.copyto(array, values)
        finally:
            self._reversal = ()
            self._network.lock.averaged = self._was_averaged
            self._held.__exit__(None, None, None)


def use(network: Network) -> None:
    """The average becomes the weights."""
    network.arena.parameters[:] = network.arena.slots[-1]


def require_elsewhere(network: Network) -> None:
    """Raise `NetworkBusyError` where the average is in the place of the weights already."""
    if network.lock.averaged:
        raise NetworkBusyError(
            "within averaged(), whose end puts the weights back, use_average() would do nothing"
        )


def require_begun(network: Network) -> None:
    """Raise `ArgumentError` unless there is an average."""
    average, state = network.weight_average, network.state
    if average is None:
        raise ArgumentError("the network has no average: give it weight_average=EMA(…) or SWA(…)")
    if not average.begun(state):
        raise ArgumentError(
            f"there is no average yet: {average} after {state.epoch} epochs, {state.step} steps"
        )
