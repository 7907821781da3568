"""Checks of the paths that callbacks write to, before the first epoch."""

from __future__ import annotations

import errno
import os


def require_writable_file(path: str) -> None:
    """Raise the `OSError` of writing a file at `path`, as far as it is foreseeable."""
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "a folder, where a file is to be written", path)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file must not be written", path)
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.exists(folder):
        raise FileNotFoundError(errno.ENOENT, "there is no such folder for the file", path)
    require_writable_folder(folder)


def require_writable_folder(folder: str) -> None:
    """Raise the `OSError` of writing files in `folder`, which is made if it does not exist."""
    existing = os.path.abspath(folder)
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise NotADirectoryError(errno.ENOTDIR, "a file, where a folder is wanted", existing)
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "nothing must be written in the folder", existing)
