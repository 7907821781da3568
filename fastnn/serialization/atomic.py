"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress


def write(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> None:
    """Replace the file at `path`, or make it, so that no reader ever sees a part of it.

    The bytes go to a hidden temporary file in the same folder, reach the disk, and are renamed over
    `path`. Whatever fails before that, the temporary file is removed and `path` stays as it was;
    only a killed process leaves its temporary file behind. A symbolic link is followed, the
    permissions of an existing file are kept, and a new file gets those that the umask leaves.

    Raises
    ------
    OSError
        As the operating system gives it, with the name of `path`.
    """
    name = os.fsdecode(path)
    target = os.path.realpath(name)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".fastnn-{secrets.token_hex(8)}.tmp")
    try:
        mode = _existing_mode(target)
        with open(temporary, "xb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):  # names the temporary file, or two files
            raise OSError(error.errno, error.strerror, name) from error
        raise
    with suppress(OSError):  # the file is whole and in place; some file systems cannot do this
        _sync_folder(folder)


def _existing_mode(target: str) -> int | None:
    """Permission bits of the file to replace, or None if there is none. Refuses devices."""
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
    """Make a rename survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
