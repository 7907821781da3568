"""TensorBoard: the history as event files."""

from __future__ import annotations

import os
from typing import Any

from ..model.base_network import BaseNetwork
from ..utils import checks, optional
from .base import Callback, Info, Logs
from .files import require_writable_folder

#: Prefix of the names of validation values.
_VALIDATION = "val_"


class TensorBoard(Callback):
    """Writes loss, metrics and learning rate of each epoch as TensorBoard's event files.

    Figures of the training data go to the folder ``train``, those of the validation data to
    ``validation``, under the same names, so that TensorBoard draws them as two curves in one chart.
    Needs tensorboardX. A fit that is resumed adds files; TensorBoard drops what the earlier ones
    have of the epochs that are trained once more.

    Parameters
    ----------
    folder : str or path-like
        Made if it does not exist.

    Raises
    ------
    MissingDependencyError
        From `fit`, before anything changes: tensorboardX is not installed.
    OSError
        From `fit`, before anything changes: nothing can be written there.

    Examples
    --------
    >>> import fastnn
    >>> board = fastnn.TensorBoard("runs/first")  # then: tensorboard --logdir runs
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = os.path.abspath(checks.path("folder", folder))
        self._writers: dict[str, Any] = {}

    def check_fit(self, network: BaseNetwork, info: Info) -> None:
        _tensorboard()
        require_writable_folder(self.folder)

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        tensorboard = _tensorboard()
        epoch = network.state.epoch
        names = ["train", "validation"] if info["validation_rows"] else ["train"]
        self._writers = {
            name: tensorboard.SummaryWriter(
                os.path.join(self.folder, name),
                purge_step=epoch + 1 if info["done"] else None,
                filename_suffix=f".{epoch}",  # files of one second would have one name
            )
            for name in names
        }

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        for name, value in logs.items():
            writer = "validation" if name.startswith(_VALIDATION) else "train"
            self._writers[writer].add_scalar(name.removeprefix(_VALIDATION), value, epoch)
        self._writers["train"].add_scalar("learning_rate", network.state.learning_rate, epoch)
        for open_writer in self._writers.values():
            open_writer.flush()

    def on_train_end(self, network: BaseNetwork) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _tensorboard() -> Any:
    return optional.module("tensorboardX", extra="tensorboard", need="TensorBoard")
