"""A network as a dict of arrays and plain values, for pickles and other stores of objects.

What a model file holds, without its checks of strangers' bytes: any values of the weights, and the
user's own activations and losses as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..activations.custom import CustomActivation
from ..errors import FastnnError
from ..losses.custom import CustomLoss
from ..network import Network
from ..utils import signatures
from ..utils.specification import Specification
from . import description, model
from .custom_objects import CUSTOM, CustomObjects

State = dict[str, Any]


def network_state(network: Network) -> State | None:
    """Return a built network as a dict of arrays and plain values.

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict or None
        The description and the tensors of a model file with ``optimizer=True``, and the custom
        objects by name. Arrays are views of the network's memory. None for a network that has parts
        of the user's own that a file cannot describe, such as layers in Python.
    """
    parts = (*network.layers, network.loss, network.optimizer, network.weight_average)
    if any(map(is_foreign, parts)):
        return None
    objects = custom_objects((*network.layers, network.loss))
    try:
        described = description.describe(network, network.preprocessing, training=True)
        if network.metrics:  # they may be functions, which no name brings back
            description.network_from(described, CustomObjects(objects))
    except FastnnError:
        return None
    tensors = model.named_tensors(network.architecture, network.arena, network.arena.has_slots)
    return {"description": described, "tensors": tensors, "custom_objects": objects}


def network_of(state: Mapping[str, Any]) -> Network:
    """Return the network that `network_state` described, in memory of its own.

    Raises
    ------
    ModelFileError
        The description is of another version, or incomplete.
    """
    described, tensors = state["description"], dict(state["tensors"])
    description.check_version(described)
    custom = CustomObjects(state["custom_objects"])
    network, architecture = description.network_from(described, custom)
    arena = architecture.arena()
    training = any(name.startswith(model.SLOTS) for name in tensors)
    model.fill(architecture, arena, tensors, training)
    network.attach(architecture, arena)
    return network


def custom_objects(parts: Iterable[Any]) -> dict[str, CustomActivation | CustomLoss]:
    """Return the user's own activations and losses among layers and losses, by their names."""
    values = [value for part in parts for value in (part, *vars(part).values())]
    return {value.name: value for value in values if isinstance(value, CUSTOM)}


def is_foreign(part: Any) -> bool:
    """Return whether a specification, or one that it holds, is of a class of the user's own."""
    if not isinstance(part, Specification) or isinstance(part, CUSTOM):
        return False
    return signatures.is_users(part) or any(map(is_foreign, vars(part).values()))
