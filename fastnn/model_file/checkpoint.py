"""Checkpoints: model files that also hold how things stand with the fit that wrote them."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ModelFileError
from ..model.base import Model
from ..model.running_fit import FitRecord
from ..utils import atomic_write
from . import container, description, fit_entry, model as model_file

if TYPE_CHECKING:
    from os import PathLike


def save_checkpoint(model: Model, path: str | PathLike[str], fit: FitRecord) -> None:
    """Write a model and the fit under way to a file, whole or not at all.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The state of a callback holds other things than JSON values and arrays.
    OSError
        The file cannot be written.
    """
    described, tensors = model_file.snapshot(model, model.preprocessing, training=True)
    callbacks, arrays = fit_entry.describe_callbacks(fit.callbacks)
    described["fit"] = {
        "first_epoch": fit.first_epoch,
        "stop_training": bool(model.stop_training),
        "arguments": fit.arguments,
        "callbacks": callbacks,
    }
    atomic_write.write(path, [container.encode(described, tensors | arrays)])


@dataclass(frozen=True)
class SavedFit:
    """A checkpoint that fits the fit which is to go on.

    Attributes
    ----------
    training : description.Training
    fit : dict
        See `fit_entry`.
    tensors : dict of str to ndarray
    """

    training: description.Training
    fit: dict[str, Any]
    tensors: dict[str, np.ndarray]

    @property
    def first_epoch(self) -> int:
        """Return the number of epochs that were completed when the fit began."""
        return self.fit["first_epoch"]

    def load_state(self, number: int, load: Callable[[Mapping[str, Any]], None]) -> None:
        """Pass the state of the callback of that number to `load`.

        Raises
        ------
        ModelFileError
            It cannot be used.
        """
        state = fit_entry.state_of(self.fit, number, self.tensors)
        with description.refusing(f"its state of {self.fit['callbacks'][number]['type']}"):
            load(state)

    def restore(self, model: Model) -> None:
        """Give a built model what the file holds of it.

        Raises
        ------
        ModelFileError
            The state of a schedule is not one of it; the model is as it was.
        """
        with description.refusing():
            self.training.restore(model)
        model_file.fill(model.architecture, model.arena, self.tensors, training=True)
        model.stop_training = self.fit["stop_training"]


def read_checkpoint(
    path: str | PathLike[str], model: Model, input_shape: tuple[int, ...], fit: FitRecord
) -> SavedFit:
    """Read a checkpoint for a fit of `model`, which need not be built; change nothing.

    Raises
    ------
    ArgumentError
        The model, the arguments of the fit, or the callbacks that have a state are not those that
        the file was written with; the message names the first difference.
    ModelFileError
        The file is damaged, foreign, or was not written by a `fastnn.Checkpoint`.
    OSError
        The file does not exist or cannot be read.
    """
    names = [callback.type for callback in fit.callbacks]
    config = description.architecture_config(model, input_shape)
    given = {**config, **fit.arguments, "callbacks with a state": names}
    given = json.loads(container.compact_json(given))
    try:
        with model_file.opened(path) as file:
            header = container.read_header(file)
            description.check_version(header.description)
            entry = fit_entry.parse(header.description)
            names = [callback["type"] for callback in entry["callbacks"]]
            with description.refusing():
                config = description.section(header.description, "architecture")
            saved = {**config, **entry["arguments"], "callbacks with a state": names}
            if difference := _difference(given, saved):
                raise ArgumentError(f"cannot resume from {os.fsdecode(path)}: {difference}")
            architecture = model.architecture_for(input_shape)
            model_file.check_tensors(header, architecture, model.dtype)
            training = description.training_of(header.description)
            return SavedFit(training, entry, container.read_tensors(file, header))
    except ModelFileError as error:
        raise ModelFileError(f"cannot resume from {os.fsdecode(path)}: {error}") from error


def _difference(given: Any, saved: Any, place: str = "") -> str | None:
    """Return the first difference of JSON values: "layers[0].units is 9, but was 8 …"."""
    if isinstance(given, dict) and isinstance(saved, dict):
        if given.get("type") != saved.get("type"):
            return _difference(given.get("type"), saved.get("type"), place)
        dot = "." if place else ""
        keys = dict.fromkeys([*given, *saved])
        parts = ((given.get(key), saved.get(key), f"{place}{dot}{key}") for key in keys)
    elif isinstance(given, list) and isinstance(saved, list) and len(given) == len(saved):
        pairs = zip(given, saved, strict=True)
        parts = ((*pair, f"{place}[{i}]") for i, pair in enumerate(pairs))
    elif given == saved:
        return None
    else:
        here, there = reprlib.repr(given), reprlib.repr(saved)
        return f"{place} is {here}, but was {there} when the checkpoint was written"
    return next(filter(None, (_difference(*part) for part in parts)), None)
