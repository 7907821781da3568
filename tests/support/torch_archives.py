"""Files as torch.save writes them, made without PyTorch."""

import pickle
import zipfile

import numpy as np

STORAGES = {"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage"}


def value(constant):
    """Return the opcodes that push a number, a string, or a tuple or dict of them."""
    return pickle.dumps(constant, 2)[2:-1]


def tensor(key, array, storage=None):
    """Return the opcodes that push an array, whose storage has that key."""
    storage = storage or STORAGES[array.dtype.str[1:]]
    strides = tuple(stride // array.itemsize for stride in array.strides)
    reference = (
        b"(" + value("storage") + b"ctorch\n" + storage.encode() + b"\n"
        + value(key) + value("cpu") + value(array.size) + b"tQ"
    )  # fmt: skip
    hooks = b"ccollections\nOrderedDict\n)R"
    arguments = reference + value(0) + value(array.shape) + value(strides) + b"\x89" + hooks
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def state_dict(state):
    """Return the opcodes that push a state_dict with its metadata."""
    items = b"".join(
        value(name) + tensor(str(index), array) for index, (name, array) in enumerate(state.items())
    )
    return b"ccollections\nOrderedDict\n)R(" + items + b"u}" + value("_metadata") + b"}sb"


def write(path, opcodes, storages, *, byteorder="little", compression=zipfile.ZIP_STORED):
    """Write a file whose pickle pushes one object; storages are bytes, by their keys."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + opcodes + b".")
        archive.writestr("archive/byteorder", byteorder)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key}", content)


def save(path, state, **options):
    """Write a state_dict."""
    storages = {str(i): np.ascontiguousarray(a).tobytes() for i, a in enumerate(state.values())}
    write(path, state_dict(state), storages, **options)
