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
from ..training.resume import fit_arguments
from ..utils import atomic_write
from . import container, description, fit_entry, model

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
        "arguments": fit_arguments(session),
        "callbacks": callbacks,
    }
    atomic_write.write(path, [container.encode(described, tensors | arrays)])


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
        """Give a built network, and the callbacks that have a state, what the file holds.

        Raises
        ------
        ModelFileError
            A state is not one of that callback or schedule; the network is as it was.
        """
        for number, callback in enumerate(callbacks):
            state = fit_entry.state_of(self.fit, number, self.tensors)
            with description.refusing(f"its state of {type(callback).__name__}"):
                callback.load_state_dict(state)
        with description.refusing():
            self.training.restore(network)
        model.fill(network.architecture, network.arena, self.tensors, training=True)
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
    names = [type(callback).__name__ for callback in callbacks]
    config = description.architecture_config(network, input_shape)
    given = {**config, **arguments, "callbacks with a state": names}
    given = json.loads(container.compact_json(given))
    try:
        with model.opened(path) as file:
            header = container.read_header(file)
            description.check_version(header.description)
            fit = fit_entry.parse(header.description)
            names = [callback["type"] for callback in fit["callbacks"]]
            with description.refusing():
                config = description.section(header.description, "architecture")
            saved = {**config, **fit["arguments"], "callbacks with a state": names}
            if difference := _difference(given, saved):
                raise ArgumentError(f"cannot resume from {os.fsdecode(path)}: {difference}")
            architecture = network.settled(input_shape)
            model.check_tensors(header, architecture, network.dtype)
            training = description.training_of(header.description)
            return SavedFit(training, fit, container.read_tensors(file, header))
    except ModelFileError as error:
        raise ModelFileError(f"cannot resume from {os.fsdecode(path)}: {error}") from error


def _difference(given: Any, saved: Any, place: str = "") -> str | None:
    """What the first difference between JSON values is: "layers[0].units is 9, but was 8 …"."""
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
