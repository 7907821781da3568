"""Callbacks: a few hooks that training calls, and the progress bar that is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import ArgumentTypeError

if TYPE_CHECKING:
    from .network import Network

Logs = Mapping[str, float]


class Callback:
    """Base of the callbacks: override what you need.

    Epochs are counted from 1 over the life of the network, batches from 1 within the epoch. A hook
    that is not overridden costs nothing; `on_batch_begin` and `on_batch_end` cost most, since then
    the native back end must return from C for each batch. Setting ``network.stop_training = True``
    ends training after the current epoch. `on_train_end` is called even if training fails.

    Examples
    --------
    >>> import fastnn
    >>> class Stop(fastnn.Callback):
    ...     def on_epoch_end(self, network, epoch, logs):
    ...         network.stop_training = logs["loss"] < 0.1
    """

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        """`info` tells the epochs, the rows of an epoch, and the batch size of this fit."""

    def on_epoch_begin(self, network: Network, epoch: int) -> None: ...

    def on_batch_begin(self, network: Network, batch: int) -> None: ...

    def on_batch_end(self, network: Network, batch: int, logs: Logs) -> None:
        """`logs` holds the batch's loss and its number of rows, "size"."""

    def on_progress(self, network: Network, logs: Logs) -> None:
        """Several times a second: `logs` holds the epoch's "rows" so far and their mean "loss"."""

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        """`logs` holds loss and metrics of the epoch, and val_… of the validation data."""

    def on_train_end(self, network: Network) -> None: ...


class CallbackList:
    """Calls one hook of all callbacks that override it."""

    def __init__(self, callbacks: Iterable[Callback], network: Network):
        self._callbacks = list(callbacks)
        self._network = network
        for callback in self._callbacks:
            if not isinstance(callback, Callback):
                raise ArgumentTypeError(
                    f"callbacks must hold fastnn.Callback objects, got {callback!r}"
                )
        self._hooks = {
            name: [getattr(c, name) for c in self._callbacks if _overrides(c, name)]
            for name in vars(Callback)
            if name.startswith("on_")
        }

    def wants(self, *hooks: str) -> bool:
        """Whether any callback overrides one of these."""
        return any(self._hooks[hook] for hook in hooks)

    def __call__(self, hook: str, *arguments: Any) -> None:
        for method in self._hooks[hook]:
            method(self._network, *arguments)


def _overrides(callback: Callback, name: str) -> bool:
    return getattr(type(callback), name) is not getattr(Callback, name)


class ProgressBar(Callback):
    """A tqdm bar over all epochs: loss, metrics, samples per second and time left."""

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        from tqdm.auto import tqdm

        self._epochs, self._rows = info["epochs"], info["rows"]
        self._done = 0
        self._epoch_logs = ""
        total = self._epochs * self._rows
        self._bar = tqdm(total=total, unit=" samples", unit_scale=True, dynamic_ncols=True)

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
