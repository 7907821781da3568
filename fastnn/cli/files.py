"""Files that commands read and write: checks before the work, and notes on replaced files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from ..errors import ArgumentError
from ..utils import optional
from . import streams


def tables() -> ModuleType:
    """Return `fastnn.tables`.

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    """
    optional.module("pandas", extra="cli", need="reading tables")
    from .. import tables

    return tables


def check_output(
    path: str | os.PathLike[str], *, inputs: tuple[str, ...] = (), streaming: bool = False
) -> Path:
    """Return the path of an output file, after a check that it can be written.

    Parameters
    ----------
    path : str or path-like
    inputs : tuple of str
        Input files of the command.
    streaming : bool
        Whether the path may be a pipe or a device.

    Raises
    ------
    ArgumentError
        The folder is missing or not writable, or the path is a folder, a device, or an input file.
    """
    path = Path(path)
    try:
        _check_kind(path, streaming)
        for file in inputs:
            if path.is_file() and _same(path, file):
                raise ArgumentError(f"--out {path}: would overwrite the file that is read")
        if not _exists(path) or path.is_file():
            check_folder(path.resolve().parent if path.is_symlink() else path.parent)
    except OSError as error:  # a name that is too long, links in a circle
        raise ArgumentError(f"--out {path}: {error.strerror}") from None
    return path


def _exists(path: Path) -> bool:
    """Return whether a path exists; raise OSError for circular links."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _check_kind(path: Path, streaming: bool) -> None:
    if path.is_dir():
        raise ArgumentError(f"--out {path}: is a folder, expected the name of a file")
    if path.exists() and not path.is_file() and not streaming:
        raise ArgumentError(f"--out {path}: is a device or a pipe, expected the name of a file")


def _same(path: Path, file: str) -> bool:
    """Return whether an input file is the one at `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(0) if file == "-" else os.stat(file))
    except OSError:
        return False


def check_folder(folder: Path) -> None:
    """Raise ArgumentError unless files can be made in `folder`."""
    if not folder.is_dir():
        raise ArgumentError(f"--out: there is no folder {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ArgumentError(f"--out: cannot write in {folder} ({error.strerror})") from None


def existing(paths: Iterable[Path]) -> list[Path]:
    """Return the paths of existing files, which writing will replace."""
    return [path for path in paths if path.is_file()]


def tell_replaced(paths: Iterable[Path]) -> None:
    """Note on standard error which files were replaced."""
    for path in paths:
        streams.note(f"{path}: the file that was there is replaced")
