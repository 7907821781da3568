"""Atomic writing of files: whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from . import leftovers

#: Names of temporary files.
TEMPORARY = re.compile(r"\.fastnn-[0-9a-f]{16}\.tmp")


def write(path: str | os.PathLike[str], chunks: Iterable[bytes | memoryview]) -> None:
    """Create or replace the file at `path`, so that no reader ever sees a part of it.

    The bytes go to a hidden temporary file in the same folder, reach the disk, and are renamed over
    `path`. Whatever fails before that, the temporary file is removed and `path` stays as it was;
    only a killed process leaves its temporary file behind, which the next call for a file of that
    folder removes. A symbolic link is followed, the permissions of an existing file are kept, and a
    new file gets those that the umask leaves.

    Raises
    ------
    OSError
        As the operating system gives it, with the name of `path`.
    """
    name = os.fsdecode(path)
    target = os.path.realpath(name)
    folder = os.path.dirname(target)
    leftovers.remove_files(folder, TEMPORARY)
    temporary = ""
    try:
        mode = _existing_mode(target)
        locked = False
        while not locked:
            temporary = os.path.join(folder, f".fastnn-{secrets.token_hex(8)}.tmp")
            with open(temporary, "xb") as file:
                locked = leftovers.lock(file.fileno())
                if locked:
                    _fill(file, chunks, mode)
                    os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):  # names the temporary file, or two files
            raise OSError(error.errno, error.strerror, name) from error
        raise
    with suppress(OSError):  # the file is whole and in place; some file systems cannot do this
        _sync_folder(folder)


def _fill(file: BinaryIO, chunks: Iterable[bytes | memoryview], mode: int | None) -> None:
    """Write bytes and permissions, down to the disk."""
    if mode is not None:
        os.fchmod(file.fileno(), mode)
    file.writelines(chunks)
    file.flush()
    os.fsync(file.fileno())


def _existing_mode(target: str) -> int | None:
    """Return the permission bits of the file to replace, or None; raise `OSError` for a device."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    return stat.S_IMODE(mode)


def _sync_folder(folder: str) -> None:
    """Write a rename down to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
