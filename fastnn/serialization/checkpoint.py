"""Checkpoints: model files that also hold how things stand with the fit that wrote them."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ModelFileError
from . import atomic, container, description, fit_entry, model

if TYPE_CHECKING:
    from os import PathLike

    from ..callbacks import Callback
    from ..network import Network


def save_checkpoint(network: Network, path: str | PathLike[str]) -> None:
    """Write a network and the fit under way to a file, whole or not at all.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The state of a callback holds other things than JSON values and arrays.
    OSError
        The file cannot be written.
    """
    session = network.session
    assert session is not None  # who calls this is called within a fit
    described, tensors = model.snapshot(network, network.preprocessing, training=True)
    callbacks, arrays = fit_entry.describe_callbacks(session.callbacks.stateful())
    described["fit"] = {
        "first_epoch": session.first_epoch,
        "stop_training": bool(network.stop_training),
        "arguments": session.arguments,
        "callbacks": callbacks,
    }
    atomic.write(path, [container.encode(described, tensors | arrays)])


@dataclass(frozen=True)
class SavedFit:
    """What a checkpoint holds, compared with the fit that is to go on.

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

    def restore(self, network: Network, callbacks: list[Callback]) -> None:
        """Give a built network, and the callbacks that have a state, what the file holds."""
        for number, callback in enumerate(callbacks):
            callback.load_state_dict(fit_entry.state_of(self.fit, number, self.tensors))
        model.fill(network.architecture, network.arena, self.tensors, training=True)
        self.training.restore(network)
        network.stop_training = self.fit["stop_training"]


def read_checkpoint(
    path: str | PathLike[str],
    network: Network,
    input_shape: tuple[int, ...],
    arguments: Mapping[str, Any],
    callbacks: list[Callback],
) -> SavedFit:
    """Read a checkpoint for a fit of `network`, which need not be built; changes nothing.

    Raises
    ------
    ArgumentError
        The network, the arguments of the fit, or the callbacks that have a state are not those that
        the file was written with; the message names the first difference.
    ModelFileError
        The file is damaged, foreign, or was not written by a `fastnn.Checkpoint`.
    OSError
        The file does not exist or cannot be read.
    """
    config = description.architecture_config(network, input_shape)
    names = [type(callback).__name__ for callback in callbacks]
    given = {"arguments": dict(arguments), "network": config, "callbacks with a state": names}
    try:
        with model.opened(path) as file:
            header = container.read_header(file)
            description.check_version(header.description)
            fit = fit_entry.parse(header.description)
            saved = {
                "arguments": fit["arguments"],
                "network": header.description.get("architecture"),
                "callbacks with a state": [callback["type"] for callback in fit["callbacks"]],
            }
            _refuse_difference(os.fsdecode(path), json.loads(container.compact_json(given)), saved)
            architecture = network.settled(input_shape)
            model.check_tensors(header, architecture, network.dtype)
            training = description.training_of(header.description)
            return SavedFit(training, fit, container.read_tensors(file, header))
    except ModelFileError as error:
        raise ModelFileError(f"cannot resume from {os.fsdecode(path)}: {error}") from error


def _refuse_difference(path: str, given: dict[str, Any], saved: dict[str, Any]) -> None:
    for part in given:
        if difference := _difference(given[part], saved[part]):
            place, here, there = difference
            name = place.removeprefix(".") if part != "callbacks with a state" else part + place
            raise ArgumentError(
                f"cannot resume from {path}: {name} is {reprlib.repr(here)}, but was "
                f"{reprlib.repr(there)} when the checkpoint was written"
            )


def _difference(given: Any, saved: Any, place: str = "") -> tuple[str, Any, Any] | None:
    """Place of the first difference between JSON values, such as ".layers[0].units", and both."""
    if isinstance(given, dict) and isinstance(saved, dict) and given.keys() == saved.keys():
        parts = ((f"{place}.{key}", given[key], saved[key]) for key in given)
    elif isinstance(given, list) and isinstance(saved, list) and len(given) == len(saved):
        parts = ((f"{place}[{i}]", *pair) for i, pair in enumerate(zip(given, saved, strict=True)))
    else:
        return None if given == saved else (place, given, saved)
    return next((d for part in parts if (d := _difference(part[1], part[2], part[0]))), None)
