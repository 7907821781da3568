"""Averages of the weights over training, which often predict better than the last weights.

The average is a slot of the arena behind those of the optimizer; `Network.averaged` puts it in the
place of the weights for a while, `Network.use_average` for good.
"""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar

import numpy as np

from .. import kernels
from ..errors import ArgumentError, NetworkBusyError
from ..runtime.interrupts import uninterruptible
from .base import Model

N = TypeVar("N")


def end_epoch(model: Model, epoch: int) -> None:
    """Add the weights at the end of an epoch to the average, if it counts that epoch."""
    average = model.weight_average
    momentum = None if average is None else average.momentum(epoch)
    if momentum is not None:
        arena = model.arena
        kernels.implementation().moving_average_step(arena.slots[-1], arena.parameters, momentum)


class SwappedIn(Generic[N]):
    """A context in which the weights are the average; its value is `network`. Holds the lock.

    The average stays where it is, too: files, copies and contexts that are made meanwhile find the
    two in step. Running statistics that are set meanwhile are the average's, and go with it. Ctrl-C
    may end what is done in the context, but comes neither into its beginning nor into its end.
    """

    def __init__(self, model: Model, network: N):
        self._model, self._network = model, network
        self._held = model.lock.shared_with_own_fit()
        # Array and values to copy into it at the end: nothing is allocated then.
        self._reversal: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
        self._was_averaged = False

    @uninterruptible
    def __enter__(self) -> N:
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
        self._was_averaged = self._model.lock.averaged
        require_started(self._model)
        arena = self._model.arena
        weights, average, statistics = arena.parameters, arena.slots[-1], arena.buffers
        saved, saved_statistics = weights.copy(), statistics.copy()
        weights[:] = average
        self._model.lock.averaged = True
        self._reversal = (average, weights), (weights, saved), (statistics, saved_statistics)

    def _end(self) -> None:
        try:
            for array, values in self._reversal:
                np.copyto(array, values)
        finally:
            self._reversal = ()
            self._model.lock.averaged = self._was_averaged
            self._held.__exit__(None, None, None)


def assign_to_weights(model: Model) -> None:
    """Make the average the weights."""
    model.arena.parameters[:] = model.arena.slots[-1]


def require_not_swapped_in(model: Model) -> None:
    """Raise `NetworkBusyError` where the average is in the place of the weights already."""
    if model.lock.averaged:
        raise NetworkBusyError(
            "within averaged(), whose end puts the weights back, use_average() would do nothing"
        )


def require_started(model: Model) -> None:
    """Raise `ArgumentError` unless there is an average."""
    average, state = model.weight_average, model.state
    if average is None:
        raise ArgumentError("the network has no average: give it weight_average=EMA(…) or SWA(…)")
    if not average.has_started(state):
        raise ArgumentError(
            f"there is no average yet: {average} after {state.epoch} epochs, {state.step} steps"
        )
