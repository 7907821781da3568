"""Tensors of a file that ``torch.save`` wrote, without PyTorch and without executing it.

The file is a zip file of ``data.pkl``, a pickle, and of the bytes of each storage. A pickle is a
program that may call any function that it names. Here it can name `OrderedDict`, the types of
storages, and the two functions that make tensors, which are replaced by those below; any other name
is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelFileError
from . import files
from .files import Path
from .safetensors_file import from_bfloat16

#: NumPy's names of the dtypes of storages, without byte order; bfloat16 as unsigned integers.
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
#: Keys under which checkpoints hold a state_dict.
CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model")

#: Errors that a damaged pickle or zip file ends in.
DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


def read(path: Path) -> Mapping[str, np.ndarray]:
    """Return the state_dict of a file, in its order.

    Raises
    ------
    ModelFileError
        The file is damaged, or holds anything else than a state_dict.
    OSError
        It cannot be read.
    """
    with files.reading(path, *DAMAGE), zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ModelFileError("it is no file of torch.save: it has no data.pkl")
        content = io.BytesIO(files.member(archive, pickles[0]))
        return _state_dict(_Reader(content, archive, pickles[0].removesuffix("data.pkl")).load())


def _state_dict(value: Any) -> Mapping[str, np.ndarray]:
    """Return the state_dict that a file, or the checkpoint in it, holds."""
    if isinstance(value, Mapping):
        if all(isinstance(tensor, np.ndarray) for tensor in value.values()):
            return value
        inner = [value[key] for key in CHECKPOINT_KEYS if isinstance(value.get(key), Mapping)]
        if len(inner) == 1:
            return _state_dict(inner[0])
    keys = f" with the keys {list(value)!r:.200}" if isinstance(value, Mapping) else ""
    raise ModelFileError(
        f"it holds a {type(value).__name__}{keys}, no state_dict; write it with "
        "torch.save(model.state_dict(), path)"
    )


class _Reader(pickle.Unpickler):
    """Reads the pickle of a file, whose storages are members of the same folder of the archive."""

    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, folder: str):
        super().__init__(file)
        self._archive, self._folder = archive, folder
        order = f"{folder}byteorder"
        known = order in archive.namelist()
        self._big_endian = known and files.member(archive, order) == b"big"
        self._storages: dict[str, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the pickle stands for; it has no say in what is imported."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name == "_rebuild_tensor_v2":
            return lambda *arguments: _tensor(*arguments[:4])
        if module == "torch._utils" and name == "_rebuild_parameter":
            return lambda *arguments: arguments[0]
        if module == "torch" and name in STORAGES:
            return name
        raise ModelFileError(
            f"it holds {module}.{name}, but only tensors are read; write it with "
            "torch.save(model.state_dict(), path)"
        )

    def persistent_load(self, pid: Any) -> np.ndarray:
        """Return the numbers of a storage."""
        kind, storage, key, _, count = pid
        if kind != "storage" or storage not in STORAGES:
            raise ModelFileError(f"it refers to {pid!r:.200}, no storage")
        if key not in self._storages:
            order = ">" if self._big_endian else "<"
            content = files.member(self._archive, f"{self._folder}data/{key}")
            numbers = np.frombuffer(content, order + STORAGES[storage])
            if len(numbers) != count:
                raise ModelFileError(f"storage {key!r} has {len(numbers)} numbers, not {count}")
            native = numbers.astype(numbers.dtype.newbyteorder("="))
            bfloat = storage == "BFloat16Storage"
            self._storages[key] = from_bfloat16(native) if bfloat else native
        return self._storages[key]


def _tensor(storage: np.ndarray, offset: int, shape: Any, strides: Any) -> np.ndarray:
    """Return the tensor at an offset of a storage; sizes and strides count elements."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1 or len(shape) != len(strides):
        raise ModelFileError("it has a tensor without a storage")
    if min((offset, *shape, *strides)) < 0:
        raise ModelFileError(f"it has a tensor of shape {shape} with strides {strides}")
    if math.prod(shape) > len(storage):  # such as one of stride 0, however large
        raise ModelFileError(f"a tensor of shape {shape} is larger than its storage")
    reach = sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if 0 not in shape and offset + reach >= len(storage):
        raise ModelFileError(f"a tensor of shape {shape} reaches beyond its storage")
    size = storage.itemsize
    steps = [size * stride for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()
