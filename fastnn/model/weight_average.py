"""Averages of the weights over training, which often predict better than the last weights.

The average is a slot of the arena behind those of the optimizer; `Network.averaged` looks at the
network through it, `Network.use_average` makes it the weights.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from .. import kernels
from ..errors import ArgumentError, NetworkBusyError
from ..runtime.interrupts import uninterruptible

if TYPE_CHECKING:
    from ..network import Network


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
