"""Checks that commands make before they start to work."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import ModuleType

from ..errors import ArgumentError, MissingDependencyError
from ..optional import installation


def tables() -> ModuleType:
    """Return `fastnn.tables`.

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    """
    try:
        from .. import tables
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise MissingDependencyError(
            f"reading tables needs pandas: {installation('cli')}", name="pandas"
        ) from error
    return tables


def check_output(path: str | os.PathLike[str], *, inputs: tuple[str, ...] = ()) -> Path:
    """The path of a file to be written, after a look whether it can be.

    Raises
    ------
    ArgumentError
        The folder is missing or nothing can be written there, or the path is a folder, a device, or
        one of the files that are read.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        what = "folder" if path.is_dir() else "device"
        raise ArgumentError(f"--out {path}: is a {what}, expected the name of a file")
    for file in inputs:
        if path.exists() and Path(file).exists() and path.samefile(file):
            raise ArgumentError(f"--out {path}: would overwrite the file that is read")
    check_folder(path.parent)
    return path


def check_folder(folder: Path) -> None:
    """Raise ArgumentError unless files can be made in `folder`."""
    if not folder.is_dir():
        raise ArgumentError(f"--out: there is no folder {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ArgumentError(f"--out: cannot write in {folder} ({error.strerror})") from None
