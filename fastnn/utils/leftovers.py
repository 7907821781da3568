"""Removal of temporary files and folders that killed processes left behind.

The process that makes a temporary file or folder holds an advisory lock on it (`flock`), which ends
with the process. What is not locked is a leftover. Unlike process numbers, locks hold across
containers and machines.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows, where open files cannot be removed anyway
    fcntl = None  # type: ignore[assignment]


def lock(descriptor: int) -> bool:
    """Lock a new file; return False if another process removed it as a leftover just before."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


def is_locked(descriptor: int) -> bool:
    """Return whether another open file has the lock; if none, this one acquires it."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or a file system without locks
        return True
    return False


def remove_files(folder: str | os.PathLike[str], name: re.Pattern[str]) -> None:
    """Remove the regular files of a folder whose whole name matches and that are not locked."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_file(entry.path)


def _remove_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if is_locked(descriptor):
            return
        if fcntl is not None:
            os.unlink(path)
    finally:
        os.close(descriptor)
    if fcntl is None:
        os.unlink(path)


class TemporaryFolder:
    """A new folder for temporary files, removed by `cleanup`, or when the next one is made.

    Parameters
    ----------
    prefix : str
        Beginning of its name; leftovers of this prefix and user are removed.

    Attributes
    ----------
    name : str
        Its path.

    Raises
    ------
    OSError
    """

    def __init__(self, prefix: str):
        parent = tempfile.gettempdir()
        _remove_folders(parent, prefix)
        self._process = os.getpid()
        self._owner = -1
        self.name = tempfile.mkdtemp(prefix=prefix)
        while fcntl is not None and not self._lock():
            self.name = tempfile.mkdtemp(prefix=prefix)

    def _lock(self) -> bool:
        """Lock it; return False if another process removed it as a leftover just before."""
        with suppress(FileNotFoundError):
            self._owner = os.open(self.name, os.O_RDONLY)
            if lock(self._owner):
                return True
            os.close(self._owner)
        self._owner = -1
        return False

    def cleanup(self) -> None:
        """Remove the folder and its files, unless this process was forked from its owner."""
        if self._process != os.getpid():
            return
        owner, self._owner = self._owner, -1
        if owner >= 0:
            os.close(owner)
        shutil.rmtree(self.name, ignore_errors=True)

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the interpreter, modules may be gone
            self.cleanup()


def _remove_folders(parent: str, prefix: str) -> None:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    _remove_folder(entry.path)


def _remove_folder(folder: str) -> None:
    """Remove a folder of this user that is not locked."""
    if fcntl is None or os.stat(folder).st_uid != os.getuid():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if not is_locked(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
