"""Callbacks that show people how training goes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .base import Callback, Logs

if TYPE_CHECKING:
    from ..network import Network


class ProgressBar(Callback):
    """A tqdm bar over all epochs: loss, metrics, samples per second and time left.

    Draws itself in a terminal or, in a notebook, as a widget; what ``verbose=1`` shows.

    Examples
    --------
    >>> import fastnn
    >>> bar = fastnn.ProgressBar()
    """

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        from tqdm.auto import tqdm

        self._epochs, self._rows, self._done = info["epochs"], info["rows"], info["done"]
        self._epoch_logs = ""
        self._bar = tqdm(
            total=self._epochs * self._rows,
            initial=self._done * self._rows,
            unit=" samples",
            unit_scale=True,
            dynamic_ncols=True,
            disable=sys.stderr is None,  # a service, or closed
        )

    def on_epoch_begin(self, network: Network, epoch: int) -> None:
        self._done += 1
        self._bar.set_description(f"epoch {self._done}/{self._epochs}", refresh=False)

    def on_progress(self, network: Network, logs: Logs) -> None:
        self._advance(int(logs["rows"]))
        if not self._epoch_logs:
            self._bar.set_postfix_str(f"loss={logs['loss']:.4g}", refresh=False)

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        self._advance(self._rows)
        self._epoch_logs = ", ".join(f"{name}={value:.4g}" for name, value in logs.items())
        self._bar.set_postfix_str(self._epoch_logs)

    def _advance(self, rows: int) -> None:
        """To so many rows of the current epoch."""
        self._bar.update((self._done - 1) * self._rows + rows - self._bar.n)

    def on_train_end(self, network: Network) -> None:
        self._bar.close()


class EpochLines(Callback):
    """One printed line per epoch: what `verbose=2` shows, for logs that are files."""

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        values = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        print(f"epoch {epoch}: {values}", flush=True)
