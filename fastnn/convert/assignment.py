"""Converted arrays put into a network, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data import arrays
from ..errors import ArgumentTypeError
from ..model.base import Model, model_of
from ..network import Network
from .report import Conversion, Converted
from .slots import Entry, Slot

if TYPE_CHECKING:
    from .matching import Pairs


def built_model(network: Network) -> Model:
    """Return the model of a network that is built; raise `ArgumentTypeError`, `NotBuiltError`."""
    if not isinstance(network, Network):
        raise ArgumentTypeError(f"network must be a fastnn.Network, got {type(network).__name__}")
    model = model_of(network)
    _ = model.architecture  # which a network has that is built
    return model


def assign(model: Model, slots: Sequence[Slot], pairs: Pairs) -> Conversion:
    """Convert the arrays of matched layers and put them into the model; return the report.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value is no number, not finite, or beyond the model's dtype; nothing is changed.
    NetworkBusyError
        Another thread is training the model.
    """
    places = {slot.name: place for place, slot in enumerate(slots)}
    pairs = sorted(pairs, key=lambda pair: places[pair[0].name])
    with model.lock.held():
        views = _views(model)
        report, values = [], []
        for slot, source in pairs:
            for entry, array in zip(slot.entries, source.arrays, strict=True):
                name = _array_name(slot.layer, entry.target)
                values.append(_converted(model, f"{source.name}.{entry.source}", entry, array))
                report.append(
                    Converted(name, views[name].shape, source.name, entry.source, entry.shape)
                )
        for one, value in zip(report, values, strict=True):
            views[one.array][...] = value
    return Conversion(tuple(report))


def _converted(model: Model, argument: str, entry: Entry, array: np.ndarray) -> np.ndarray:
    """Return an array in the layout and dtype of the network."""
    numbers = arrays.numbers(argument, array.reshape(array.shape or (1,)))
    return arrays.converted(argument, entry.convert(numbers), model.dtype)


def _array_name(path: str, target: str) -> str:
    """Return the name of a layer's array: "dense_1/bias", "block/dense_1.bias" within "block"."""
    outer, *inner = path.split("/")
    return f"{outer}/{'.'.join([*inner, target])}"


def _views(model: Model) -> dict[str, np.ndarray]:
    """Return views of the model's parameters and buffers by name."""
    arena = model.arena
    parameters = {s.name: arena.view(arena.parameters, s) for s in arena.segments}
    return parameters | model.buffers
