"""Tensors of a safetensors file of any program."""

from __future__ import annotations

from pathlib import Path as FilePath

import numpy as np

from ..errors import ModelFileError
from . import files
from .files import Path

#: NumPy's names of the dtypes in these files.
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "?",
}


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a file by name; they do not lie in the order of the modules.

    Raises
    ------
    ModelFileError
        The file is damaged, no safetensors file, or has a dtype that is not known.
    OSError
        It cannot be read.
    """
    import safetensors

    content = FilePath(path).read_bytes()
    with files.reading(path, safetensors.SafetensorError):
        return {name: _array(name, entry) for name, entry in safetensors.deserialize(content)}


def _array(name: str, entry: dict) -> np.ndarray:
    dtype, shape = entry["dtype"], entry["shape"]
    if dtype == "BF16":
        return from_bfloat16(np.frombuffer(entry["data"], "<u2")).reshape(shape)
    if dtype not in DTYPES:
        raise ModelFileError(f"its tensor {name!r} is of dtype {dtype}, which is not known")
    return np.frombuffer(entry["data"], DTYPES[dtype]).reshape(shape)


def from_bfloat16(halves: np.ndarray) -> np.ndarray:
    """Return bfloat16 numbers, given as unsigned integers, as float32: these are its upper half.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.convert.safetensors_file import from_bfloat16
    >>> from_bfloat16(np.array([0x3F80, 0xC000], np.uint16))
    array([ 1., -2.], dtype=float32)
    """
    return (halves.astype(np.uint32) << 16).view(np.float32)
