"""A network's description and tensors as the bytes of a safetensors file, and back.

The safetensors library lays out and takes apart the bytes. What stands here is what it leaves to
its callers: one metadata entry with the description, a digest over everything, and the checks that
a file must pass before memory is taken for what it claims to hold.

The digest, ``sha256`` in the description, is the SHA-256 of

1. the rest of the description as JSON with sorted keys and without white space, then
2. for each tensor, in the order of their names, the same form of JSON for its name, NumPy dtype and
   shape, ``["dense_1/bias","float32",[3]]``, followed by its bytes, little-endian and in C order.

A file is read into memory and never mapped: a mapped file that another program shortens kills the
process that reads it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from ..errors import ArgumentError, ModelFileError
from ..utils.counting import count

#: The one entry of the metadata: the library orders several at random.
METADATA_KEY = "fastnn"
#: Bytes before the header, which count its length.
LENGTH_BYTES = 8
#: Largest header that is written or read, in bytes; parsed JSON takes some 30 times its size.
MAX_HEADER = 1 << 25


@dataclass(frozen=True)
class Header:
    """The header of a file, before its tensors: parsed, but not checked yet.

    Attributes
    ----------
    raw : bytes
        As in the file, with the length in front.
    file_size : int
        Bytes of the whole file.
    description : dict
        As given to `encode`, and the digest.
    tensors : dict
        The header's entry for each tensor.
    """

    raw: bytes
    file_size: int
    description: dict[str, Any]
    tensors: dict[str, Any]


def compact_json(value: Any, *, sort_keys: bool = False) -> str:
    """Return ASCII JSON without white space; NaN and infinity raise `ValueError`."""
    return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), allow_nan=False)


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; anything else raises `ModelFileError`."""
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
        )
    except RecursionError:
        raise ModelFileError("its JSON is nested too deeply") from None
    except ValueError as error:
        raise ModelFileError(f"its JSON is malformed: {error!s:.200}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs as a dict; refuse equal keys, of which readers take either."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is given twice")
    return values


def _digest(description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 that the module's docstring defines, as hexadecimal digits."""
    rest = {key: value for key, value in description.items() if key != "sha256"}
    digest = hashlib.sha256(compact_json(rest, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(compact_json([name, tensor.dtype.name, tensor.shape]).encode())
        digest.update(tensor.reshape(-1).data)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------ writing


def encode(description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return the bytes of a file; equal descriptions and tensors give equal bytes.

    `description` holds JSON's types; `tensors` are contiguous, and must not change meanwhile.

    Raises
    ------
    ArgumentError
        The header would be larger than `MAX_HEADER`.
    """
    text = compact_json({**description, "sha256": _digest(description, tensors)})
    content = safetensors.numpy.save(dict(tensors), metadata={METADATA_KEY: text})
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if length > MAX_HEADER:
        raise ArgumentError(
            f"architecture, preprocessing and history take {count(length, 'byte')} as JSON, "
            f"but a model file has room for {MAX_HEADER}"
        )
    return content


# ------------------------------------------------------------------------------------------ reading


def read_header(file: BinaryIO) -> Header:
    """Read and parse the header; nothing that the file claims makes it read more than that.

    Raises
    ------
    ModelFileError
        The file is cut off inside the header, is no safetensors file, or was not written by fastnn.
    """
    raw, size = _raw_header(file)
    try:
        text = raw[LENGTH_BYTES:].decode()
    except UnicodeDecodeError:
        raise ModelFileError("its header is not UTF-8") from None
    if not text.startswith("{"):
        raise ModelFileError("it is no safetensors file: no JSON object follows the header length")
    tensors = parse_json(text)
    metadata = tensors.pop("__metadata__", {})
    if not isinstance(metadata, dict) or METADATA_KEY not in metadata:
        raise ModelFileError("it is a safetensors file, but was not written by fastnn")
    return Header(raw, size, _description(metadata[METADATA_KEY]), tensors)


def _raw_header(file: BinaryIO) -> tuple[bytes, int]:
    """Return the length and the header as they stand in the file, and the file's size."""
    size = os.fstat(file.fileno()).st_size
    if size < LENGTH_BYTES:
        raise ModelFileError(f"it holds {count(size, 'byte')}: it is empty or was cut off")
    prefix = file.read(LENGTH_BYTES)
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER:
        raise ModelFileError(
            f"it is no model file: a header may take {MAX_HEADER} bytes, but its first eight bytes "
            f"announce {length}"
        )
    if length > size - LENGTH_BYTES:
        raise ModelFileError(
            f"it was cut off, or is no model file: its first eight bytes announce a header of "
            f"{count(length, 'byte')}, but only {size - LENGTH_BYTES} follow"
        )
    return prefix + file.read(length), size


def _description(text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        raise ModelFileError("its description is not a string")
    description = parse_json(text)
    if not isinstance(description, dict):
        raise ModelFileError("its description is not a JSON object")
    return description


def check_tensors(header: Header, needed: Mapping[str, tuple[np.dtype, tuple[int, ...]]]) -> None:
    """Compare a header, and the file's size, with what its description needs; allocates little.

    `needed` has dtype and shape of every tensor.

    Raises
    ------
    ModelFileError
        A tensor is missing, unknown, or of another dtype or shape; the file is too short or too
        long.
    """
    # The size first: it bounds every number below, before anything is made from them.
    size = header.file_size - len(header.raw)
    total = sum(_nbytes(shape, dtype) for dtype, shape in needed.values())
    if size < total:
        raise ModelFileError(
            f"it was cut off or altered: {size} bytes of tensors are there, but its architecture "
            "needs more"
        )
    for name, (dtype, shape) in needed.items():
        if name not in header.tensors:
            raise ModelFileError(
                f"tensor {reprlib.repr(name)}, which its architecture needs, is missing"
            )
        _check_entry(name, header.tensors[name], shape, dtype)
    if unknown := header.tensors.keys() - needed.keys():
        raise ModelFileError(f"its architecture has no tensor {reprlib.repr(min(unknown))}")
    if size > total:
        rest = "1 byte follows" if size == total + 1 else f"{size - total} bytes follow"
        raise ModelFileError(f"{rest} its tensors, where the file should end")


def _nbytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    # In Python's integers: a crafted file may have sizes beyond 64 bits.
    return dtype.itemsize * math.prod(shape)


def _check_entry(name: str, entry: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    code = f"{dtype.kind.upper()}{8 * dtype.itemsize}"  # "F32", "I64", "U8"
    needed = {"dtype": code, "shape": list(shape)}
    found = {key: entry.get(key) for key in needed} if isinstance(entry, dict) else entry
    if found != needed:
        raise ModelFileError(
            f"tensor {reprlib.repr(name)} is described as {reprlib.repr(found)}, but its "
            f"architecture needs {reprlib.repr(needed)}"
        )


def read_tensors(file: BinaryIO, header: Header) -> dict[str, np.ndarray]:
    """Return the tensors of a file whose header passed `check_tensors`, their digest verified.

    Reads on where the header ended: what was checked is what is used, whatever happens to the file
    meanwhile. Takes memory for the file's bytes, given back on return, and for the tensors.

    Raises
    ------
    ModelFileError
        The file ends early, its tensors overlap or leave gaps, or anything in it was altered.
    """
    content = header.raw + file.read(header.file_size - len(header.raw))
    if len(content) < header.file_size:
        raise ModelFileError("it became shorter while it was read")
    try:
        tensors = safetensors.numpy.load(content)
        digest = _digest(header.description, tensors)
    except SafetensorError as error:
        raise ModelFileError(
            f"it is not laid out as safetensors files are: {error!s:.200}"
        ) from error
    except (RecursionError, ValueError) as error:  # a number such as 1e999, which reads as infinity
        raise ModelFileError(f"its description cannot be used: {error!s:.200}") from error
    if digest != header.description.get("sha256"):
        raise ModelFileError("its content does not match its SHA-256: it was altered or damaged")
    return tensors
