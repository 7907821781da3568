"""Weights of Keras read from its files, with h5py and without Keras.

==============  ===================================================================================
``.keras``      a zip file of ``config.json``, which has the layers in their order, and
                ``model.weights.h5``
``.weights.h5`` a group for each layer, ``layers/conv2d_1/vars`` of datasets ``0``, ``1`` …; the key
                is the class with a number, and no order of the layers is told
``.h5``         of Keras 2 and its successors: attributes ``layer_names`` and ``weight_names``
==============  ===================================================================================
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import ModelFileError
from ..utils import optional
from . import files, hdf5
from .files import Path
from .source import Source, SourceLayer, natural_key

#: Groups beside the layers' that hold no weights of the model.
BESIDE = ("optimizer", "seed_generator", "vars")

#: Errors that a damaged HDF5 or zip file, or a description of other things, ends in.
DAMAGE = (
    zipfile.BadZipFile,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read(path: Path) -> Source:
    """Return the layers with arrays in a file.

    Raises
    ------
    MissingDependencyError
        h5py is not installed.
    ModelFileError
        The file is damaged, or none of these.
    OSError
        It cannot be read.
    """
    start, title = files.first_bytes(path), files.title(path)
    with files.reading(path, *DAMAGE):
        if start.startswith(files.ZIP):
            with zipfile.ZipFile(path) as archive:
                config = json.loads(files.member(archive, "config.json"))
                weights = io.BytesIO(files.member(archive, "model.weights.h5"))
            return _of_weights(weights, title, config)
        if start.startswith(files.HDF5):
            return _of_weights(path, title, None)
        raise ModelFileError("it is no file of Keras: neither HDF5 nor a zip file")


def _of_weights(file: Any, title: str, config: Any) -> Source:
    h5py = optional.module("h5py", extra="keras", need="reading a file of Keras")
    with h5py.File(file, "r") as root:
        root = hdf5.group(root, "model_weights") or root
        if "layer_names" in root.attrs:
            return Source(title, tuple(_legacy(root)))
        if isinstance(_layers_of(config), list):
            return Source(title, tuple(_configured(root, config, "")))
        found = sorted(_found(root, ""), key=lambda layer: natural_key(layer.name))
        return Source(title, tuple(found), ordered=False)


# ------------------------------------------------------------------------- with a config: in order


def _configured(group: Any, config: Any, prefix: str) -> Iterator[SourceLayer]:
    """Yield the layers of a model in the order of its description, nested models in place.

    Keys of groups are class names with the number of their layer among those of its class.
    """
    numbers: dict[str, int] = {}
    for layer in _layers_of(config):
        key = _snake_case(layer["class_name"])
        number = numbers[key] = numbers.get(key, -1) + 1
        key = f"{key}_{number}" if number else key
        name = prefix + layer["config"]["name"]
        inner = hdf5.group(group, f"layers/{key}")
        if inner is None:
            continue  # such as a layer that stands there twice, whose arrays are its first one's
        if isinstance(_layers_of(layer), list):
            yield from _configured(inner, layer, f"{name}/")
            continue
        arrays = _variables(inner)
        if arrays:
            yield SourceLayer(name, arrays, layer["class_name"].lower())
        yield from _found(inner, f"{name}/")


def _layers_of(description: Any) -> Any:
    """Return the descriptions of the layers within a model; None if there are none."""
    config = description.get("config") if isinstance(description, Mapping) else None
    return config.get("layers") if isinstance(config, Mapping) else None


def _snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it: Conv2DTranspose as conv2d_transpose."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# ------------------------------------------------------------------------------ without: as it lies


def _found(group: Any, prefix: str) -> Iterator[SourceLayer]:
    """Yield the layers in the groups within a group; their kinds, where keys are classes."""
    for key in group:
        inner = None if key in BESIDE else hdf5.group(group, key)
        if inner is None:
            continue
        name = prefix if key == "layers" else f"{prefix}{key}"
        if arrays := _variables(inner):
            is_class = group.name.rpartition("/")[2] == "layers"
            kind = re.sub(r"_\d+$", "", key).replace("_", "") if is_class else ""
            yield SourceLayer(name, arrays, kind)
        yield from _found(inner, name if key == "layers" else f"{name}/")


def _variables(group: Any) -> tuple[np.ndarray, ...]:
    variables = hdf5.group(group, "vars")
    if variables is None:
        return ()
    return tuple(hdf5.array(variables, key) for key in sorted(variables, key=natural_key))


# -------------------------------------------------------------------------------------------- .h5


def _legacy(root: Any) -> Iterator[SourceLayer]:
    """Yield the layers of an ``.h5`` file; those of nested models share the model's group."""
    for layer in map(hdf5.text, root.attrs["layer_names"]):
        group = hdf5.group(root, layer)
        if group is None:
            raise ModelFileError(f"it has no group {layer!r}")
        by_name: dict[str, list[np.ndarray]] = {}
        for weight in map(hdf5.text, group.attrs["weight_names"]):
            by_name.setdefault(weight.rpartition("/")[0], []).append(hdf5.array(group, weight))
        for name, arrays in by_name.items():
            yield SourceLayer(name, tuple(arrays))
