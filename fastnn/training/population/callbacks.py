"""Callbacks that all networks of a population share."""

from __future__ import annotations

import threading
import time

from ...callbacks import Callback
from ...callbacks.base import Logs
from ...callbacks.progress import bar
from ...model.base import model_of
from ...model.base_network import BaseNetwork


class Deadline(Callback):
    """Stops every network at the end of an epoch once time is over.

    Attributes
    ----------
    end : float
        Of the clock `time.monotonic`.
    passed : bool
        Whether a network was stopped that had epochs left.
    """

    def __init__(self, end: float):
        self.end = end
        self.passed = False

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        session = model_of(network).session
        assert session is not None
        left = session.first_epoch + session.epochs - epoch
        if left and not network.stop_training and time.monotonic() >= self.end:
            network.stop_training = self.passed = True


class PopulationBar(Callback):
    """One tqdm bar for all networks: rows trained on, and how many networks are done."""

    order = -1  # begun first, so that it sees the end of every network

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks = self._done = 0

    def open(self, networks: int, n_rows: int) -> None:
        """Show the bar, for so many networks and, over all epochs, so many rows."""
        self._networks = networks
        self._bar = bar(n_rows)
        self._show()

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        session = model_of(network).session
        assert session is not None
        with self._lock:
            self._bar.update(session.n_rows)

    def on_train_end(self, network: BaseNetwork) -> None:
        with self._lock:
            self._done += 1
            self._show()

    def close(self) -> None:
        """Close the bar: no network will train any more."""
        self._bar.close()

    def _show(self) -> None:
        self._bar.set_description(f"{self._done}/{self._networks} networks")
