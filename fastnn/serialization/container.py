"""The bytes of a safetensors file, and the checks that a file must pass to be believed.

A safetensors file is eight bytes of header length (little-endian), a JSON header and the tensors'
bytes. The header maps each tensor's name to its dtype, shape and place, and ``__metadata__`` to a
dict of strings. We write one canonical form — keys sorted, no white space, padded with the fewest
spaces that align the tensors, tensors in the order of their names — so a reader that knows which
tensors it expects knows every byte of the header, and can compare instead of interpret.

The digest, ``sha256`` in the metadata, is taken over the canonical header without it, then over the
tensors' bytes: over every name, dtype, shape, value and line of metadata.

We write and read these few bytes ourselves: the safetensors library maps files into memory, where
one that shrinks kills the process, reports a full disk as an error of its own, and orders metadata
at random.
"""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from ..errors import ArgumentError, ModelFileError

#: Shapes of tensors by name; all tensors of a file share one dtype.
Shapes = Mapping[str, tuple[int, ...]]

LENGTH_BYTES = 8
ALIGNMENT = 8
#: Largest header that is written or read, in bytes; parsed JSON takes some 30 times its size.
MAX_HEADER = 1 << 25

_DTYPES = {"float32": "F32", "float64": "F64"}


@dataclass(frozen=True)
class Header:
    """A header as found in a file: parsed, but not believed yet.

    Attributes
    ----------
    raw : bytes
        The JSON as it stands in the file, padding included.
    metadata : dict of str to str
    tensors : dict
        Everything else.
    """

    raw: bytes
    metadata: dict[str, str]
    tensors: dict[str, Any]


def compact_json(value: Any, *, sort_keys: bool = False) -> str:
    """ASCII JSON without white space; NaN and infinity raise `ValueError`."""
    return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), allow_nan=False)


def parse_json(text: str) -> Any:
    """The value of a JSON text; anything else raises `ModelFileError`."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ModelFileError("its JSON is nested too deeply") from None
    except ValueError as error:
        raise ModelFileError(f"its JSON is malformed: {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# ------------------------------------------------------------------------------------------ writing


def encode(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> list[bytes]:
    """The bytes of a file, in pieces: a snapshot, whatever happens to the arrays afterwards.

    `tensors` share one dtype; ``sha256`` is added to the metadata.
    """
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    dtype = _common_dtype(tensors)
    payload = [tensors[name].tobytes() for name in sorted(tensors)]
    digest = _hash_header(metadata, shapes, dtype)
    for piece in payload:
        digest.update(piece)
    header = _render({**metadata, "sha256": digest.hexdigest()}, shapes, dtype)
    if len(header) > MAX_HEADER:
        raise ArgumentError(
            f"architecture, preprocessing and history take {len(header)} bytes as JSON, "
            f"but a model file has room for {MAX_HEADER}"
        )
    return [len(header).to_bytes(LENGTH_BYTES, "little"), header, *payload]


def _common_dtype(tensors: Mapping[str, np.ndarray]) -> np.dtype:
    dtypes = {tensor.dtype for tensor in tensors.values()}
    return dtypes.pop() if dtypes else np.dtype(np.float32)


def _render(metadata: Mapping[str, str], shapes: Shapes, dtype: np.dtype) -> bytes:
    """The canonical header."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata), **_entries(shapes, dtype)}
    header = compact_json(entries, sort_keys=True).encode()
    return header + b" " * (-(LENGTH_BYTES + len(header)) % ALIGNMENT)


def _entries(shapes: Shapes, dtype: np.dtype) -> dict[str, Any]:
    """The header's entry for each tensor; they lie in the order of their names, without gaps."""
    entries, start = {}, 0
    for name in sorted(shapes):
        stop = start + _nbytes(shapes[name], dtype)
        entries[name] = {
            "data_offsets": [start, stop],
            "dtype": _DTYPES[dtype.name],
            "shape": list(shapes[name]),
        }
        start = stop
    return entries


def _nbytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    # In Python's integers: a crafted file may ask for more than 64 bits can count.
    size = dtype.itemsize
    for length in shape:
        size *= length
    return size


def _hash_header(metadata: Mapping[str, str], shapes: Shapes, dtype: np.dtype) -> Any:
    rest = {name: text for name, text in metadata.items() if name != "sha256"}
    return hashlib.sha256(_render(rest, shapes, dtype))


# ------------------------------------------------------------------------------------------ reading


def read_header(file: BinaryIO) -> Header:
    """Read and parse the header; nothing that the file claims makes it read more than that.

    Raises
    ------
    ModelFileError
        The file is cut off inside the header, or is no safetensors file.
    """
    size = os.fstat(file.fileno()).st_size
    if size < LENGTH_BYTES:
        raise ModelFileError(f"it holds {size} bytes: it is empty or was cut off")
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if length > MAX_HEADER:
        raise ModelFileError(
            f"it is no model file: a header may take {MAX_HEADER} bytes, but its first eight bytes "
            f"announce {length}"
        )
    if length > size - LENGTH_BYTES:
        raise ModelFileError(
            f"it was cut off, or is no model file: its first eight bytes announce a header of "
            f"{length} bytes, but only {size - LENGTH_BYTES} follow"
        )
    raw = file.read(length)
    if not raw.startswith(b"{"):
        raise ModelFileError("it is no safetensors file: no JSON object follows the header length")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ModelFileError("its header is not UTF-8") from None
    entries = parse_json(text)
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelFileError("its metadata are not strings")
    return Header(raw, metadata, entries)


def check_header(file: BinaryIO, header: Header, shapes: Shapes, dtype: np.dtype) -> None:
    """Compare a header, and the file's size, with what its architecture needs; allocates little.

    Raises
    ------
    ModelFileError
        A tensor is missing, unknown, or of another dtype, shape or place; the header has been
        altered; the file is too short or too long.
    """
    # The size first: it bounds every number below, before anything is made from them.
    size = os.fstat(file.fileno()).st_size - LENGTH_BYTES - len(header.raw)
    needed = sum(_nbytes(shape, dtype) for shape in shapes.values())
    if size < needed:
        raise ModelFileError(
            f"it was cut off or altered: {size} bytes of tensors are there, but its architecture "
            "needs more"
        )
    if header.raw != _render(header.metadata, shapes, dtype):
        raise ModelFileError(_difference(_entries(shapes, dtype), header.tensors))
    if size > needed:
        raise ModelFileError(f"{size - needed} bytes follow its tensors, where the file should end")


def _difference(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """The first thing wrong with a header, in words."""
    for name in expected:
        if name not in found:
            return f"tensor {reprlib.repr(name)}, which its architecture needs, is missing"
    for name, entry in found.items():
        if name not in expected:
            return f"its architecture has no tensor {reprlib.repr(name)}"
        if entry != expected[name]:
            return (
                f"tensor {reprlib.repr(name)} is described as {reprlib.repr(entry)}, but its "
                f"architecture needs {reprlib.repr(expected[name])}"
            )
    return "its header was altered"


def read_tensors(file: BinaryIO, header: Header, tensors: Mapping[str, np.ndarray]) -> None:
    """Fill the arrays, in place, from a file whose header was checked, and verify the digest.

    Raises
    ------
    ModelFileError
        The file ends early, or anything in it has been altered.
    """
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    digest = _hash_header(header.metadata, shapes, _common_dtype(tensors))
    for name in sorted(tensors):
        buffer = tensors[name].data.cast("B")
        if file.readinto(buffer) != buffer.nbytes:  # type: ignore[attr-defined]
            raise ModelFileError("it became shorter while it was read")
        digest.update(buffer)
    if digest.hexdigest() != header.metadata.get("sha256"):
        raise ModelFileError("its content does not match its SHA-256: it was altered or damaged")
