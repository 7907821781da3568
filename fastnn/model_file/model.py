"""Write and read a model: its arrays go through the container, the rest is its description."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..compiler.architecture import Architecture
from ..errors import ArgumentError, ModelFileError
from ..execution.arena import ParameterArena
from ..model.base import Model
from ..utils import atomic_write, checks
from . import container, description, fit_entry
from .custom_objects import CustomObject, CustomObjects

if TYPE_CHECKING:
    from os import PathLike

#: Prefix of the names of tensors of the optimizer's state.
SLOTS = "optimizer/"


def write(
    model: Model,
    path: str | PathLike[str],
    *,
    optimizer: bool = False,
    preprocessing: Mapping[str, Any] | None = None,
) -> None:
    """Write a model to a file; see `fastnn.serialization.save`."""
    path = checks.path("path", path)
    training = checks.boolean("optimizer", optimizer)
    description.check_fields(model)
    if preprocessing is None:
        preprocessing = model.preprocessing
    atomic_write.write(path, [container.encode(*snapshot(model, preprocessing, training))])


def snapshot(
    model: Model, preprocessing: Mapping[str, Any] | None, training: bool
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return description and tensors of a model's file; see `write`."""
    tensors = named_tensors(model.architecture, model.arena, training)
    # A snapshot: digest and file must have the same numbers while another thread may train.
    tensors = {name: tensor.copy() for name, tensor in tensors.items()}
    if name := _first_nonfinite(tensors, model.architecture):
        raise ArgumentError(f"{name} holds values that are not finite; the network is not saved")
    return description.describe(model, preprocessing, training), tensors


def read(
    path: str | PathLike[str], custom_objects: Mapping[str, CustomObject] | None = None
) -> Model:
    """Read the model of a file; see `fastnn.serialization.load`."""
    path = checks.path("path", path)
    custom = CustomObjects(custom_objects)
    try:
        with opened(path) as file:
            return _read(file, custom)
    except ModelFileError as error:
        raise ModelFileError(f"cannot load {path}: {error}") from error


def opened(path: str | PathLike[str]) -> BinaryIO:
    """Open a file for reading."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for a writer
        raise ModelFileError("it is not a regular file")
    return open(path, "rb")


def _read(file: BinaryIO, custom: CustomObjects) -> Model:
    header = container.read_header(file)
    description.check_version(header.description)
    model, architecture = description.model_from(header.description, custom)
    check_tensors(header, architecture, model.dtype)
    tensors = container.read_tensors(file, header)
    if name := _first_nonfinite(tensors, architecture):
        raise ModelFileError(f"{name} holds values that are not finite")

    arena = ParameterArena(architecture)
    fill(architecture, arena, tensors, training="training" in header.description)
    model.attach(architecture, arena)
    return model


def check_tensors(header: container.Header, architecture: Architecture, dtype: np.dtype) -> None:
    """Raise `ModelFileError` unless all tensors are as an architecture needs them."""
    shapes = _shapes(architecture, training="training" in header.description)
    needed = {name: (dtype, shape) for name, shape in shapes}
    container.check_tensors(header, needed | fit_entry.tensors(header.description))


def fill(
    architecture: Architecture,
    arena: ParameterArena,
    tensors: dict[str, np.ndarray],
    training: bool,
) -> None:
    """Copy the tensors of a file to the arena; each is dropped as soon as it is there."""
    for name, view in named_tensors(architecture, arena, training).items():
        view[...] = tensors.pop(name)


def _shapes(architecture: Architecture, training: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name in the file and shape of all parameters, buffers and, for training, slots."""
    for segment in architecture.segments:
        yield segment.name, segment.shape
    for buffer in architecture.buffer_segments:
        yield buffer.name, buffer.shape
    for slot in architecture.slots if training else ():
        for segment in architecture.segments:
            yield f"{SLOTS}{slot}/{segment.name}", segment.shape


def named_tensors(
    architecture: Architecture, arena: ParameterArena, training: bool
) -> dict[str, np.ndarray]:
    """Return the arena's arrays, as views, under their names in the file."""
    views = [arena.view(arena.parameters, segment) for segment in arena.segments]
    views += [arena.view(arena.buffers, segment) for segment in arena.buffer_segments]
    for slot in arena.slots if training else ():
        views += [arena.view(slot, segment) for segment in arena.segments]
    names = [name for name, _ in _shapes(architecture, training)]
    return dict(zip(names, views, strict=True))


def _first_nonfinite(tensors: Mapping[str, np.ndarray], architecture: Architecture) -> str | None:
    """Return the name of a parameter or buffer that is not finite; a slot may be so."""
    names = (name for name, _ in _shapes(architecture, training=False))
    return next((name for name in names if not np.isfinite(tensors[name]).all()), None)
