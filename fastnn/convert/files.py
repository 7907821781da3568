"""Files of other libraries: told apart by their first bytes, read without trust."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ModelFileError

#: First bytes of every HDF5 file.
HDF5 = b"\x89HDF\r\n\x1a\n"
#: First bytes of every zip file that has a member.
ZIP = b"PK\x03\x04"

Path = str | os.PathLike[str]


def is_path(value: object) -> bool:
    """Return whether a value names a file."""
    return isinstance(value, str | os.PathLike)


def title(path: Path) -> str:
    """Return the name of a file as messages have it."""
    return repr(os.path.basename(os.fspath(path)))


def first_bytes(path: Path) -> bytes:
    """Return the bytes that tell what kind of file it is."""
    with open(path, "rb") as file:
        return file.read(16)


@contextmanager
def reading(path: Path, *damage: type[Exception]) -> Iterator[None]:
    """Turn errors of a damaged file, of these classes, into `ModelFileError` with its name."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{title(path)}: {error}") from error.__cause__
    except damage as error:
        raise ModelFileError(f"{title(path)} is damaged: {error!s:.200}") from error


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member of a zip file, which must not be compressed.

    Both libraries store members as they are; compressed ones could be of any size.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ModelFileError(f"it has no member {name!r}") from None
    if info.compress_type != zipfile.ZIP_STORED:
        raise ModelFileError(f"its member {name!r} is compressed, which these files are not")
    return archive.read(info)
