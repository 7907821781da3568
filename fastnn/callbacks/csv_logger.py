"""CSVLogger: the history as a CSV file that grows with every epoch."""

from __future__ import annotations

import errno
import io
import math
import os
from collections.abc import Iterable, Sequence
from io import FileIO

from ..errors import ArgumentError, ArgumentTypeError
from ..model.base_network import BaseNetwork
from ..utils import checks
from .base import Callback, Info, Logs
from .files import require_writable_file


class CSVLogger(Callback):
    """Writes a line for each epoch: its number, the learning rate of its last update, and the logs.

    In a fit that is resumed (``resume_from``), lines of epochs that are trained once more go, and
    so does a last line that was cut off: in the end the file is that of a run which was never
    interrupted. Numbers are written with all their digits. A file that is to be replaced stays as
    it is until the first epoch is done, and a line is written whole or not at all.

    Parameters
    ----------
    path : str or path-like
    separator : str
        One character.
    append : bool
        Whether to go on with a file that exists, instead of replacing it, in a fit that is not
        resumed.

    Raises
    ------
    ArgumentError
        From `fit`, before the first epoch: the columns of the file to go on with are others.
    OSError
        From `fit`, before the first epoch: the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", optimizer=fastnn.SGD(0.1), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "log.csv")
    ...     callbacks = [fastnn.CSVLogger(path)]
    ...     history = net.fit(np.ones((4, 2)), np.ones(4), callbacks=callbacks, verbose=0)
    ...     with open(path) as file:
    ...         print(file.readline().strip())
    epoch,learning_rate,loss
    """

    def __init__(self, path: str | os.PathLike[str], *, separator: str = ",", append: bool = False):
        if not isinstance(separator, str):
            raise ArgumentTypeError(f"separator must be one character, got {separator!r}")
        if len(separator) != 1 or separator in '\r\n"':
            raise ArgumentError(f"separator must be one character, got {separator!r}")
        self.path = os.path.abspath(checks.path("path", path))
        self._separator = separator
        self._append = checks.boolean("append", append)
        self._names: Sequence[str] = ()
        self._header: list[list[str]] = []
        self._file: FileIO | None = None

    def check_fit(self, network: BaseNetwork, info: Info) -> None:
        require_writable_file(self.path)

    def on_train_begin(self, network: BaseNetwork, info: Info) -> None:
        import csv

        self._names = info["logs"]
        columns = ["epoch", "learning_rate", *self._names]
        kept: list[str] = []
        if (info["done"] or self._append) and os.path.exists(self.path):
            kept = self._whole_lines()
            while info["done"] and len(kept) > 1 and self._epoch(kept[-1]) > network.state.epoch:
                kept.pop()
        found = next(csv.reader(kept, delimiter=self._separator), columns)
        if found != columns:
            raise ArgumentError(
                f"{self.path} has the columns {', '.join(found)}, but this fit reports "
                f"{', '.join(columns)}"
            )
        self._header = [] if kept else [columns]
        self._is_new = not os.path.exists(self.path)
        self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115
        self._end: int | None = None  # of what has been written, in bytes
        self._kept = len("".join(kept).encode())

    def _whole_lines(self) -> list[str]:
        with open(self.path, encoding="utf-8", newline="") as file:
            lines = file.readlines()
        return lines if not lines or lines[-1].endswith("\n") else lines[:-1]

    def _epoch(self, line: str) -> int:
        number = line.partition(self._separator)[0]
        if not number.isdecimal():
            raise ArgumentError(f"{self.path} is no log of epochs: it has the line {line!r:.80}")
        return int(number)

    def on_epoch_end(self, network: BaseNetwork, epoch: int, logs: Logs) -> None:
        values = (logs.get(name, math.nan) for name in self._names)
        self._write(*self._header, [epoch, network.state.learning_rate, *values])
        self._header = []

    def _write(self, *lines: Iterable[object]) -> None:
        """Write lines in one call of the operating system, all or none."""
        import csv

        assert self._file is not None  # open from the beginning of a fit to its end
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator="\n").writerows(lines)
        content = text.getvalue().encode()
        if self._end is None:
            self._file.truncate(self._kept)
            self._end = self._kept
        try:
            if self._file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except BaseException as error:
            self._file.truncate(self._end)
            if isinstance(error, OSError):
                error.filename = self.path
            raise
        self._end += len(content)

    def on_train_end(self, network: BaseNetwork) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            if self._is_new and self._end is None:
                os.unlink(self.path)
