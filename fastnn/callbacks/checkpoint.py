"""Checkpoint: files from which an interrupted fit continues with the same bits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..errors import ArgumentError
from ..metrics.monitor import Monitor
from ..model.base import model_of
from ..model.base_network import BaseNetwork
from ..utils import checks
from .base import Callback, Info, Logs
from .files import require_writable_file, require_writable_folder

SAVES = ("best", "last")


class Checkpoint(Callback):
    """Saves network and training at the ends of epochs.

    A checkpoint is a model file, which `Network.load` reads, with all that the fit under way needs
    to continue: the optimizer's arrays, steps, epochs and learning rate, the history, and the
    states of the callbacks, whatever their order. ``fit(resume_from=path)`` continues from it, with
    the same bits as if it had never stopped. A file is replaced whole or not at all: when the
    process is killed, or the disk is full, the one before stays.

    So that the same program can be started again after whatever ended it, give the callback itself
    as `resume_from`; without a file yet, training begins::

        checkpoint = fastnn.Checkpoint("run.safetensors")
        net.fit(X, y, epochs=100, callbacks=[checkpoint], resume_from=checkpoint)

    Parameters
    ----------
    path : str or path-like
        May hold fields in braces, `epoch` or names of the history, which make a file of its own for
        each save: ``"run-{epoch:03d}-{val_loss:.4f}.safetensors"``. A brace of the name itself is
        doubled. Folders must exist, unless their names have fields.
    save : {"last", "best"}
        Every epoch, or those in which `monitor` is the best so far.
    every : int
        With "last": every so many epochs, and in the end.
    monitor, mode, min_delta
        With "best": as those of `EarlyStopping`.

    Raises
    ------
    ArgumentError
        From `fit`, before anything changes: epochs report no value of the name of a field or of
        `monitor`; a layer of your own holds what no file can.
    OSError
        From `fit`: the file cannot be written. A folder that is missing, or not to be written, is
        found before anything changes.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, fastnn
    >>> def train(epochs, folder):
    ...     net = fastnn.Network([fastnn.Dense(1)], loss="huber", seed=0)
    ...     checkpoint = fastnn.Checkpoint(os.path.join(folder, "run.safetensors"))
    ...     options = {"callbacks": [checkpoint], "resume_from": checkpoint, "verbose": 0}
    ...     return net.fit(np.ones((4, 2)), np.ones(4), epochs=epochs, **options)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     train(2, folder).epoch, train(3, folder).epoch
    ([1, 2], [1, 2, 3])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        save: str = "last",
        every: int = 1,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0.0,
    ):
        self.path = checks.path("path", path)
        try:
            self._has_fields = _has_fields(self.path)
        except ValueError as error:
            raise ArgumentError(f"path has wrong braces, {self.path!r}: {error}") from None
        self._makes_folders = _has_fields(os.path.dirname(self.path))
        checks.one_of("save", save, dict.fromkeys(SAVES))
        self._every = checks.integer("every", every, low=1)
        if save == "best" and every != 1:
            raise ArgumentError(f"every must be 1 where the best epochs are saved, got {every}")
        self._new_monitor = partial(Monitor, monitor, mode, min_delta)
        self._monitor = self._new_monitor() if save == "best" else None
        self._end = 0
        self.order = 1 if save == "best" else 2  # the last state includes the best value

    @property
    def file(self) -> str:
        """The single file that is written; `ArgumentError` if the path has fields."""
        if self._has_fields:
            raise ArgumentError(
                f"resume_from needs a single file, but the Checkpoint writes many: {self.path!r}"
            )
        return self.path.format()

    def check_fit(self, network: BaseNetwork, info: Info) -> None:
        from ..model_file.description import check_fields

        check_fields(model_of(network))
        if self._monitor is not None:
            self._monitor.check_available(info["logs"], network.metrics)
        path = self._file(network.state.epoch + 1, dict.fromkeys(info["logs"], 0.5))
        if self._makes_folders:
            require_writable_folder(os.path.dirname(path))
        else:
            require_writable_file(path)

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        self._end = network.state.epoch + info["epochs"] - info["done"]
        if self._monitor is not None:
            if not info["done"]:
                self._monitor = self._new_monitor()
            self._monitor.check_available(info["logs"], network.metrics)

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        from ..model_file.checkpoint import save_checkpoint

        if self._is_due(network, epoch, logs):
            path = self._file(epoch, logs)
            if self._makes_folders:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            model = model_of(network)
            assert model.session is not None  # a hook is called within a fit
            save_checkpoint(model, path, model.session.record())

    def _is_due(self, network: BaseNetwork, epoch: int, logs: Logs) -> bool:
        if self._monitor is not None:
            return self._monitor.improves(logs)
        return epoch % self._every == 0 or epoch == self._end or network.stop_training

    def _file(self, epoch: int, logs: Logs) -> str:
        try:
            return self.path.format(epoch=epoch, **logs)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ArgumentError(
                f"path {self.path!r} cannot be filled in ({error}); its fields may be epoch, "
                f"{', '.join(logs)}"
            ) from None

    def state_dict(self) -> dict[str, Any]:
        return {} if self._monitor is None else self._monitor.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self._monitor is not None:
            self._monitor.load_state_dict(state)


def _has_fields(path: str) -> bool:
    """Return whether a path has fields; raise `ValueError` if its braces do not match."""
    import string

    return any(field is not None for _, field, _, _ in string.Formatter().parse(path))
