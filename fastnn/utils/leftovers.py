"""What a process that was killed left behind, found and removed by the next one.

Whoever makes a temporary file or folder holds an advisory lock on it (`flock`), which ends with the
process however that ends. What nobody holds is a leftover. Processes of other machines and of other
containers, whose numbers mean nothing here, hold such locks as well.
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


def hold(descriptor: int) -> bool:
    """Lock an open file of one's own; False if somebody took it for a leftover just before."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


def is_held(descriptor: int) -> bool:
    """Return whether another open file has the lock; if none, this one has it from now on."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks: nothing is known
        return True
    return False


def remove_files(folder: str | os.PathLike[str], name: re.Pattern[str]) -> None:
    """Remove the regular files of a folder whose whole name matches, and which nobody holds."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_file(entry.path)


def _remove_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if is_held(descriptor):
            return
        if fcntl is not None:
            os.unlink(path)
    finally:
        os.close(descriptor)
    if fcntl is None:
        os.unlink(path)


class TemporaryFolder:
    """A new folder for temporary files, which goes with `cleanup`, or with the next one's making.

    Parameters
    ----------
    prefix : str
        Of its name; folders of that prefix which killed processes of this user left are removed.

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
        while fcntl is not None and not self._hold():
            self.name = tempfile.mkdtemp(prefix=prefix)

    def _hold(self) -> bool:
        """Lock it; False if somebody took it for a leftover just before."""
        with suppress(FileNotFoundError):
            self._owner = os.open(self.name, os.O_RDONLY)
            if hold(self._owner):
                return True
            os.close(self._owner)
        self._owner = -1
        return False

    def cleanup(self) -> None:
        """Remove it, and what is in it, unless another process made it and forked this one."""
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
    """Remove a folder of this user that nobody holds."""
    if fcntl is None or os.stat(folder).st_uid != os.getuid():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if not is_held(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
