"""The bytes of a table's file: read once, so that it may be a pipe, and decompressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath

from ..errors import ArgumentError


def contents(path: str | os.PathLike[str]) -> bytes:
    """Return what is in a file, decompressed.

    Raises
    ------
    ArgumentError
        The file is missing, unreadable, damaged, or of another kind.
    """
    try:
        return _unpacked(path)
    except FileNotFoundError:
        raise ArgumentError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArgumentError(f"{path}: cannot be read ({reason})") from None


def _unpacked(path: str | os.PathLike[str]) -> bytes:
    openers: dict[str, Callable[[io.BytesIO], io.IOBase]] = {
        ".gz": lambda file: gzip.GzipFile(fileobj=file),
        ".bz2": bz2.BZ2File,
        ".xz": lzma.LZMAFile,
    }
    with open(path, "rb") as file:
        raw = file.read()
    suffix = PurePath(os.fsdecode(path)).suffix.lower()
    if suffix in (".zst", ".tar", ".7z", ".rar", ".xls", ".xlsx", ".parquet", ".feather"):
        raise ArgumentError(f"{path}: files of type {suffix} are not read; expected CSV text")
    if suffix == ".zip":
        return _from_archive(raw, path)
    if suffix in openers:
        return openers[suffix](io.BytesIO(raw)).read()
    return raw


def _from_archive(raw: bytes, path: str | os.PathLike[str]) -> bytes:
    """Return the one file of a zip archive; what macOS adds does not count."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise ArgumentError(f"{path}: expected one file in the archive, found {len(members)}")
        try:
            return archive.read(members[0])
        except (RuntimeError, NotImplementedError) as error:  # a password, an unknown method
            raise ArgumentError(f"{path}: cannot be read ({error})") from None
