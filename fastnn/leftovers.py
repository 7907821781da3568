"""What a process that was killed left behind, found and removed by the next one.

Whoever makes a temporary file or folder holds an advisory lock on it (`flock`), which ends with the
process however that ends. What nobody holds is a leftover. Processes of other machines and of other
containers, whose numbers mean nothing here, hold such locks as well.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where open files cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

#: Of the file in a folder that its owner holds.
OWNER = ".owner"


def hold(descriptor: int) -> bool:
    """Lock an open file of one's own; False if somebody took it for a leftover just before."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


def is_held(descriptor: int) -> bool:
    """Whether another open file description has the lock; if not, this one has it now."""
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
        self.name = tempfile.mkdtemp(prefix=prefix)
        self._owner = -1
        try:
            self._owner = os.open(os.path.join(self.name, OWNER), os.O_CREAT | os.O_RDWR, 0o600)
            hold(self._owner)
        except BaseException:
            self.cleanup()
            raise

    def cleanup(self) -> None:
        """Remove it, and what is in it; in a process forked from the one that made it, do nothing."""
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
                    _remove_folder(Path(entry.path))


def _remove_folder(folder: Path) -> None:
    """Remove a folder of this user whose owner is gone; without one it may be in the making."""
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return
    owner = folder / OWNER
    if not stat.S_ISREG(owner.lstat().st_mode):
        return
    descriptor = os.open(owner, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if is_held(descriptor):
            return
        if fcntl is not None:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
    if fcntl is None:
        owner.unlink()  # which fails while it is open elsewhere
        shutil.rmtree(folder, ignore_errors=True)
