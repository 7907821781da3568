"""Callbacks that end training early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metrics.monitor import Monitor
from ..model.base import model_of
from ..model.base_network import BaseNetwork
from ..runtime.interrupts import DeferredInterrupt
from ..utils import checks
from .base import Callback, Info, Logs

if TYPE_CHECKING:
    from ..errors import DivergenceError


#: Key of the average of the weights among the best weights.
AVERAGE = "average"


class EarlyStopping(Callback):
    """Stops training that no longer improves; the names are those of Keras.

    Prechelt: Early stopping — but when? In: Neural networks: tricks of the trade, 1998.

    Parameters
    ----------
    monitor : str
        A name of the history; one that begins with ``val_`` needs validation data in `fit`.
    min_delta : float
        The least difference that counts as an improvement.
    patience : int
        Epochs without improvement after which training stops.
    mode : {"auto", "min", "max"}
        Whether the value ought to fall or to rise; "auto" tells by its name.
    baseline : float, optional
        Value that the first improvement must be better than.
    restore_best_weights : bool
        Whether the network has the parameters, the buffers and the average of the weights
        (`weight_average`) of the best epoch in the end, however training ends. Steps and epochs
        go on to count from the last; if the best epoch was before the average began, the average
        is its parameters.
    start_from_epoch : int
        Epochs of the fit to let pass before anything counts.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int or None
        The epoch, counted as in the history, that it is from.
    stopped_epoch : int or None
        The epoch after which training was stopped.

    Raises
    ------
    ArgumentError
        From `fit`, before anything changes: epochs report no value of that name.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> X = np.linspace(0, 1, 50).reshape(-1, 1)
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", optimizer=fastnn.SGD(1.0), seed=0)
    >>> stopping = fastnn.EarlyStopping("loss", min_delta=1e-3, restore_best_weights=True)
    >>> history = net.fit(X, X[:, 0], epochs=100, callbacks=[stopping], verbose=0)
    >>> stopping.stopped_epoch == len(history.epoch) < 100
    True
    """

    #: The attributes that a checkpoint holds, beside the monitor's and the best weights.
    _NUMBERS = ("_seen", "_wait", "best_epoch", "stopped_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        self._new_monitor = partial(Monitor, monitor, mode, min_delta, baseline)
        self._patience = checks.integer("patience", patience, low=0)
        self._restore = checks.boolean("restore_best_weights", restore_best_weights)
        self._start_from = checks.integer("start_from_epoch", start_from_epoch, low=0)
        self._reset()

    def _reset(self) -> None:
        self._monitor = self._new_monitor()
        self._seen = 0  # epochs of this fit
        self._wait = 0  # of them, without improvement
        self._weights: dict[str, np.ndarray] = {}
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None

    @property
    def best(self) -> float | None:
        """The best value so far."""
        return self._monitor.best

    def check_fit(self, network: BaseNetwork, info: Info) -> None:
        self._monitor.check_available(info["logs"], network.metrics)

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        if not info["done"]:
            self._reset()
        self._monitor.check_available(info["logs"], network.metrics)

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        self._seen += 1
        if self._seen <= self._start_from:
            return
        if self._monitor.improves(logs):
            self.best_epoch, self._wait = epoch, 0
            if self._restore:
                self._weights = {name: a.copy() for name, a in _weights_of(network).items()}
        else:
            self._wait += 1
            if self._wait >= self._patience:
                self.stopped_epoch = epoch
                network.stop_training = True

    def on_train_end(self, network: BaseNetwork) -> None:
        with DeferredInterrupt(waiting=True):
            weights, self._weights = self._weights, {}
            if weights and AVERAGE not in weights:  # the best epoch was before the average began
                weights[AVERAGE] = weights["parameters"]
            for name, array in _weights_of(network).items():
                array[...] = weights.get(name, array)

    def state_dict(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in self._NUMBERS}
        return self._monitor.state_dict() | numbers | self._weights

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._monitor.load_state_dict(state)
        for name in self._NUMBERS:
            number = state[name]
            if number is not None or name in ("_seen", "_wait"):
                number = checks.integer(name.strip("_"), number, low=0)
            setattr(self, name, number)
        self._weights = {name: a for name, a in state.items() if isinstance(a, np.ndarray)}


def _weights_of(network: BaseNetwork) -> dict[str, np.ndarray]:
    """Return the arrays, not copies, that training changes and prediction uses.

    The average of the weights is among them once it has begun: validation uses it.
    """
    arena, average = model_of(network).arena, network.weight_average
    arrays = {"parameters": arena.parameters, "buffers": arena.buffers}
    if average is not None and average.has_started(network.state):
        arrays[AVERAGE] = arena.slots[-1]
    return arrays


class TerminateOnNonFinite(Callback):
    """Ends training, without an error, when a loss or a metric is no longer finite.

    The training loss is checked before each update, so the weights are the last finite ones;
    without this callback `fit` raises `DivergenceError`. Metrics and validation values are checked
    after each epoch.

    Attributes
    ----------
    reason : str or None
        The value that was not finite, if there was one.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> X = np.ones((8, 1))
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="mean_squared_error", dtype="float64",
    ...                      optimizer=fastnn.SGD(1e200), seed=0)
    >>> guard = fastnn.TerminateOnNonFinite()
    >>> history = net.fit(X, X[:, 0], batch_size=2, epochs=9, callbacks=[guard], verbose=0)
    >>> guard.reason[:32]
    'training diverged in epoch 1, ba'
    """

    def __init__(self) -> None:
        self.reason: str | None = None

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        self.reason = None

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        for name, value in logs.items():
            if not math.isfinite(value):
                self.reason = f"{name} is {value} in epoch {epoch}"
                network.stop_training = True

    def on_divergence(self, network: BaseNetwork, error: DivergenceError) -> bool:
        self.reason = str(error)
        return True
