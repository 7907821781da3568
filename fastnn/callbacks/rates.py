"""LearningRateScheduler: a function of the user sets the learning rate of each epoch."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ArgumentTypeError
from ..model.base import model_of
from ..model.base_network import BaseNetwork
from ..utils import signatures
from .base import Callback, Info


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch, by a function of the user.

    For rates that change from step to step, and for the usual formulas, give the optimizer one of
    `fastnn.schedules`; then this callback has nothing to set, and `fit` raises `ArgumentError`.

    Parameters
    ----------
    function : callable
        Takes the number of completed epochs, 0 at first, and the present rate; returns the rate of
        the epoch that begins, finite and not negative.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", optimizer=fastnn.SGD(0.8), seed=0)
    >>> halve = fastnn.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    >>> history = net.fit(np.ones((4, 2)), np.ones(4), epochs=3, callbacks=[halve], verbose=0)
    >>> net.learning_rate
    0.2
    """

    def __init__(self, function: Callable[[int, float], float]):
        if not callable(function):
            raise ArgumentTypeError(f"function must be callable, got {function!r}")
        self._function = function

    def check_fit(self, network: BaseNetwork, info: Info) -> None:
        signatures.require("LearningRateScheduler's function", self._function, ("epoch", "rate"))
        model_of(network).learning_rates.require_settable()

    def on_epoch_begin(self, network: BaseNetwork, epoch: int) -> None:
        network.learning_rate = self._function(epoch - 1, network.learning_rate)
