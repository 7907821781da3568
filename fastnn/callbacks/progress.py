"""Callbacks that show the progress of training: a bar, or a line per epoch."""

from __future__ import annotations

import math
import sys
from typing import Any

from ..model.base_network import BaseNetwork
from .base import Callback, Info, Logs


def bar(total: int, done: int = 0) -> Any:
    """Return a tqdm bar of samples, disabled if there is no standard error."""
    from tqdm.auto import tqdm

    return tqdm(
        total=total,
        initial=done,
        unit=" samples",
        unit_scale=True,
        dynamic_ncols=True,
        disable=sys.stderr is None,
    )


class ProgressBar(Callback):
    """A tqdm bar over all epochs: loss, metrics, samples per second and time left.

    Shown in a terminal or, in a notebook, as a widget; ``verbose=1`` adds one.

    Examples
    --------
    >>> import fastnn
    >>> bar = fastnn.ProgressBar()
    """

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        self._epochs, self._n_rows, self._done = info["epochs"], info["rows"], info["done"]
        self._epoch_logs = ""
        self._bar = bar(self._epochs * self._n_rows, self._done * self._n_rows)

    def on_epoch_begin(self, network: BaseNetwork, epoch: int) -> None:
        self._done += 1
        self._bar.set_description(f"epoch {self._done}/{self._epochs}", refresh=False)

    def on_progress(self, network: BaseNetwork, logs: Logs) -> None:
        self._advance(int(logs["rows"]))
        if not self._epoch_logs and math.isfinite(logs["loss"]):
            self._bar.set_postfix_str(f"loss={logs['loss']:.4g}", refresh=False)

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        self._advance(self._n_rows)
        self._epoch_logs = ", ".join(f"{name}={value:.4g}" for name, value in logs.items())
        self._bar.set_postfix_str(self._epoch_logs)

    def _advance(self, n_rows: int) -> None:
        """Move the bar to so many rows of the current epoch."""
        self._bar.update((self._done - 1) * self._n_rows + n_rows - self._bar.n)

    def on_train_end(self, network: BaseNetwork) -> None:
        self._bar.close()


class EpochLines(Callback):
    """Prints one line per epoch, for logs that are files; ``verbose=2`` adds one."""

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        values = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        print(f"epoch {epoch}: {values}", flush=True)
