"""Decoding of a file's bytes as UTF-8 text, whatever their encoding."""

from __future__ import annotations

import codecs
import os
import re

from ..errors import ArgumentError
from .opening import contents

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # control characters that no header holds
_PIECE = 1 << 20  # bytes that are decoded at a time
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: str | os.PathLike[str]) -> tuple[bytes, list[str]]:
    """Read a file as UTF-8.

    A byte order mark names the encoding; without one it is UTF-8, UTF-16 where every other byte is
    zero, or Windows-1252.

    Returns
    -------
    data : bytes
        UTF-8 without a byte order mark; lines end with a line feed, or with carriage return and
        line feed.
    notices : list of str
        Sentences on what was guessed.

    Raises
    ------
    ArgumentError
        The file is missing, unreadable, empty, damaged, or no text.
    """
    raw = contents(path)
    if not raw.strip():
        raise ArgumentError(f"{path}: the file is empty")
    data, notices = _utf8(raw, path)
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if _BINARY.search(data, 0, max(data.find(b"\n"), 0) or len(data)):
        raise ArgumentError(f"{path}: not a CSV file (the first line holds binary data)")
    return data, notices


def _utf8(raw: bytes, path: str | os.PathLike[str]) -> tuple[bytes, list[str]]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            body = raw[len(mark) :]
            return (body if _is_utf8(body) else _windows(body)) if encoding == "utf-8" else (
                _transcoded(body, encoding, path)
            ), []
    head = raw[:1000]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if zeros and zeros.count(0) > 0.9 * len(zeros):
            return _transcoded(raw, encoding, path), [f"read as {encoding.upper()}"]
    if _is_utf8(raw):
        return raw, []
    if _BINARY.search(raw, 0, _PIECE):
        raise ArgumentError(f"{path}: not a CSV file (it holds binary data)")
    return _windows(raw), ["not UTF-8: read as Windows-1252"]


def _transcoded(raw: bytes, encoding: str, path: str | os.PathLike[str]) -> bytes:
    try:
        return raw.decode(encoding).encode()
    except UnicodeDecodeError:
        raise ArgumentError(f"{path}: not a CSV file in {encoding.upper()}") from None


def _windows(raw: bytes) -> bytes:
    """Decode Windows-1252; its five unused bytes are those of Latin-1."""
    codecs.register_error("fastnn-latin-1", _as_latin)
    return raw.decode("cp1252", errors="fastnn-latin-1").encode()


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


def _is_utf8(raw: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(raw)
    try:
        for start in range(0, len(raw), _PIECE):
            decoder.decode(view[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
