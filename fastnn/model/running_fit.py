"""A fit under way, as callbacks and the writer of checkpoints see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class CallbackState(NamedTuple):
    """The state of a callback, and the name of its class."""

    type: str
    state: dict[str, Any]


@dataclass(frozen=True)
class FitRecord:
    """A fit as a checkpoint describes it.

    Attributes
    ----------
    first_epoch : int
        Epochs that were completed when the fit began, before any interruption.
    arguments : dict
        Those that the outcome depends on, the number of epochs aside, as JSON values.
    callbacks : list of CallbackState
        Of the callbacks that have a state.
    """

    first_epoch: int
    arguments: dict[str, Any]
    callbacks: list[CallbackState]


class RunningFit(Protocol):
    """A fit under way.

    Attributes
    ----------
    first_epoch : int
        As in its record.
    epochs, n_rows : int
        Numbers of epochs of the fit, and of rows of an epoch.
    """

    first_epoch: int

    @property
    def epochs(self) -> int:
        """The number of epochs of the whole fit."""

    @property
    def n_rows(self) -> int:
        """The number of rows of an epoch."""

    def record(self) -> FitRecord:
        """Return its description as of now."""
        ...
