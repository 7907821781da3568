"""Monitor: one value of the logs and its best so far, for callbacks and `ReduceOnPlateau`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from . import scoring
from .scoring import Metric

MODES = ("auto", "max", "min")


class Monitor:
    """A value of the logs, compared with its best so far.

    Parameters
    ----------
    name : str
        Name of the value, as in the history: "val_loss".
    mode : {"auto", "min", "max"}
        Whether it ought to fall or to rise; "auto" decides by the metric of that name, for others
        by words in the name (error, loss, score, accuracy …), and takes any other value of the
        history for one that ought to rise.
    min_delta : float
        The least difference that counts as an improvement.
    baseline : float, optional
        Value that the first one must improve on.

    Attributes
    ----------
    best : float or None
        None as long as nothing was better than the baseline.
    """

    def __init__(
        self, name: str, mode: str = "auto", min_delta: float = 0.0, baseline: float | None = None
    ):
        if not isinstance(name, str):
            raise ArgumentTypeError(f"monitor must be the name of a value, got {name!r}")
        checks.one_of("mode", mode, dict.fromkeys(MODES))
        self.name = name
        self._min_delta = checks.number("min_delta", min_delta, low=0)
        self._baseline = None if baseline is None else checks.number("baseline", baseline)
        self._auto = mode == "auto"
        self._sign = 1 if mode == "max" or (self._auto and scoring.rises(name)) else -1
        self.best: float | None = None

    def check_available(self, names: Collection[str], known: Sequence[Metric]) -> None:
        """Refuse to watch what is not among the names that a fit reports.

        `known` are the metrics of the network: with "auto" they tell whether it ought to rise.
        """
        if self.name in names:
            self._take_direction(known)
            return
        validation = any(name.startswith("val_") for name in names)
        if self.name.startswith("val_") and not validation:
            raise ArgumentError(
                f"monitor is {self.name!r}, but this fit has neither validation_data nor "
                "validation_fraction"
            )
        raise checks.unknown_name("monitor", self.name, names)

    def _take_direction(self, known: Sequence[Metric]) -> None:
        if not self._auto:
            return
        rises = scoring.rises(self.name, known)
        if rises is None:
            raise ArgumentError(
                f"mode must be 'min' or 'max' for the monitor {self.name!r}: its name does not "
                "tell whether it ought to fall or to rise"
            )
        self._sign = 1 if rises else -1

    def improves(self, logs: Mapping[str, float]) -> bool:
        """Return whether the value in `logs` is the best so far, and keep it; NaN never is."""
        if self.name not in logs:
            raise checks.unknown_name("monitor", self.name, logs)
        value, bound = float(logs[self.name]), self.best
        if bound is None:
            bound = self._baseline
        better = math.isfinite(value) and (
            bound is None or self._sign * (value - bound) > self._min_delta
        )
        if better:
            self.best = value
        return better

    def state_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `state_dict` returned."""
        best = state["best"]
        self.best = None if best is None else checks.number("best", best)
