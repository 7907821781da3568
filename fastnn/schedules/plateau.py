"""ReduceOnPlateau, a schedule scaled down when training stops improving, and its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..metrics.monitor import Monitor
from ..utils import checks
from .base import Schedule
from .warmup import as_schedule


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """A rate, or a schedule, that is scaled down whenever a value has stopped improving.

    After `patience` epochs without improvement all rates from there on are multiplied by `factor`;
    the next `cooldown` epochs do not count. The scale of the rates and the number of epochs without
    improvement are state of the network (``Network.plateau``) and saved with it. The names are
    those of Keras's ReduceLROnPlateau.

    Parameters
    ----------
    learning_rate : Schedule or float
    monitor : str
        A name of the history; one that begins with ``val_`` needs validation data in `fit`.
    factor : float
        In (0, 1).
    patience : int
        In epochs.
    mode : {"auto", "min", "max"}
        Whether the value ought to fall or to rise; "auto" tells by its name.
    min_delta : float
        The least difference that counts as an improvement.
    cooldown : int
        In epochs.
    min_learning_rate : float
        Rates are not scaled below this.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn.schedules import ReduceOnPlateau, Warmup
    >>> schedule = Warmup(ReduceOnPlateau(1e-3, "loss", factor=0.5, patience=5), steps=100)
    >>> fastnn.Adam(schedule).learning_rate.plateau.factor
    0.5
    """

    learning_rate: Schedule
    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 10
    mode: str = "auto"
    min_delta: float = 1e-4
    cooldown: int = 0
    min_learning_rate: float = 0.0

    def __post_init__(self) -> None:
        Monitor(self.monitor, self.mode, self.min_delta)  # checks the three
        self._check_rates(min_learning_rate=self.min_learning_rate)
        self._set_fields(
            learning_rate=as_schedule("learning_rate", self.learning_rate),
            factor=checks.number(
                "factor", self.factor, low=0, high=1, open_low=True, open_high=True
            ),
            patience=checks.integer("patience", self.patience, low=0),
            cooldown=checks.integer("cooldown", self.cooldown, low=0),
        )
        if self.learning_rate.plateau is not None:
            raise ArgumentError("learning_rate of a ReduceOnPlateau holds another one")

    @property
    def unit(self) -> str:  # type: ignore[override]
        return self.learning_rate.unit

    @property
    def plateau(self) -> ReduceOnPlateau:
        return self

    def rate(self, t: np.ndarray) -> np.ndarray:
        return self.learning_rate.rate(t)


class Plateau:
    """State of a `ReduceOnPlateau` in one network.

    Attributes
    ----------
    scale : float
        Factor of all rates from now on.

    Examples
    --------
    >>> from fastnn.schedules import Plateau, ReduceOnPlateau
    >>> plateau = Plateau(ReduceOnPlateau(0.1, "loss", factor=0.5, patience=1))
    >>> for loss in (1.0, 0.9, 0.9, 0.9):
    ...     plateau.observe({"loss": loss})
    >>> plateau.scale
    0.25
    """

    def __init__(self, rule: ReduceOnPlateau):
        self._rule = rule
        self.monitor = Monitor(rule.monitor, rule.mode, rule.min_delta)
        self.scale = 1.0
        self._wait = 0  # epochs without improvement
        self._rest = 0  # epochs of the cooldown that are left

    def scaled(self, rates: np.ndarray) -> np.ndarray:
        """Return the rates of the schedule, scaled down."""
        return np.maximum(self.scale * rates, np.minimum(rates, self._rule.min_learning_rate))

    def observe(self, logs: Mapping[str, float]) -> None:
        """Update the state with the logs of an epoch."""
        self._wait = 0 if self.monitor.improves(logs) else self._wait + 1
        if self._rest:
            self._rest -= 1
            self._wait = 0
        if self._wait and self._wait >= self._rule.patience:
            self.scale *= self._rule.factor
            self._wait, self._rest = 0, self._rule.cooldown

    def state_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        counts = {"scale": self.scale, "wait": self._wait, "rest": self._rest}
        return counts | self.monitor.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `state_dict` returned."""
        scale = checks.number("scale", state["scale"], low=0, high=1)
        wait = checks.integer("wait", state["wait"], low=0)
        rest = checks.integer("rest", state["rest"], low=0)
        self.monitor.load_state_dict(state)
        self.scale, self._wait, self._rest = scale, wait, rest
