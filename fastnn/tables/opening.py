"""Opening of a table's file: a file, a pipe or standard input, read once and decompressed.

The first bytes tell the format, of a pipe too; a name of another format is an error.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from ..errors import ArgumentError
from .findings import count

#: The name of standard input.
STANDARD_INPUT = "-"

#: First bytes of files that are no text, and what to do with them.
_FOREIGN = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"SQLite format 3": "a SQLite database",
    b"%PDF": "a PDF",
}
_DAMAGED = (
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    OSError,
)


def contents(path: str | os.PathLike[str]) -> bytes:
    """Return the decompressed contents of a table's file.

    Parameters
    ----------
    path : str or path-like
        A file, a pipe, or "-" for standard input. It is read once, from beginning to end. May be
        compressed with gzip, bzip2, xz or zstandard, or be a zip or tar archive of one file.

    Returns
    -------
    bytes

    Raises
    ------
    ArgumentError
        There is no such file, it cannot be read, it is damaged, or it is of another kind.

    Examples
    --------
    >>> import gzip, pathlib, tempfile
    >>> from fastnn.tables.opening import contents
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pets.csv.gz")
    ...     _ = file.write_bytes(gzip.compress(b"pet,legs"))
    ...     contents(file)
    b'pet,legs'
    """
    name = os.fsdecode(path)
    data = _read(name)
    kind = _kind(data)
    expected = _SUFFIXES.get(os.path.splitext(name)[1].lower())
    if expected and kind != expected:
        raise ArgumentError(
            f"{name}: cannot be read (it holds no {expected} data, as its name says)"
        )
    if kind:
        data = _decompressed(name, data, kind)
        if _kind(data) == "tar":
            data = _decompressed(name, data, "tar")
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise ArgumentError(f"{name}: is {what}; write it as a CSV file first")
    return data


def _read(name: str) -> bytes:
    """Return the file's bytes."""
    if name == STANDARD_INPUT and sys.stdin is None:
        raise ArgumentError(f"{name}: standard input is closed")
    try:
        if name != STANDARD_INPUT:
            with open(name, "rb") as file:
                return file.read()
        return sys.stdin.buffer.read()
    except FileNotFoundError:
        raise ArgumentError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise ArgumentError(f"{name}: cannot be read (it is a folder)") from None
    except ValueError:  # the name holds a null character, or standard input is closed
        raise ArgumentError(f"{name!r}: cannot be read") from None
    except OSError as error:
        raise ArgumentError(f"{name}: cannot be read ({error.strerror or error})") from None


def _kind(data: bytes) -> str:
    """Return the compression or archive format of data; "" if there is none."""
    if data[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")


def _decompressed(name: str, data: bytes, kind: str) -> bytes:
    try:
        return _READERS[kind](data)
    except ArgumentError as error:
        raise ArgumentError(f"{name}: {error}") from None
    except ImportError:
        raise ArgumentError(
            f"{name}: cannot be read ({kind} data needs Python 3.14); decompress it first"
        ) from None
    except (RuntimeError, NotImplementedError) as error:  # of zipfile: a password, a rare method
        raise ArgumentError(f"{name}: {error}") from None
    except _DAMAGED as error:
        raise ArgumentError(
            f"{name}: cannot be read (damaged {kind} data, or other binary data: {error})"
        ) from None


def _from_zip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if "[Content_Types].xml" in names:
            raise ArgumentError("is an Excel workbook; write it as a CSV file first")
        # Finder adds a file of its own for each.
        return archive.read(_only([name for name in names if not name.startswith("__MACOSX/")]))


def _from_tar(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {member.name: member for member in archive if member.isfile()}
        file = archive.extractfile(members[_only(list(members))])
        return file.read() if file else b""


def _only(names: list[str]) -> str:
    if len(names) != 1:
        raise ArgumentError(f"the archive holds {count(len(names), 'file')}, expected one")
    return names[0]


def _from_zstandard(data: bytes) -> bytes:
    zstandard = importlib.import_module("compression.zstd")  # of Python 3.14
    try:
        return zstandard.decompress(data)
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from None


_READERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "zstandard": _from_zstandard,
    "zip": _from_zip,
    "tar": _from_tar,
}
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty archive
}
_SUFFIXES = {
    ".gz": "gzip",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".zst": "zstandard",
    ".zip": "zip",
    ".tar": "tar",
}
