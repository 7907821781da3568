"""A model as a dict of arrays and plain values, for pickles and other stores of objects.

The content of a model file, without its checks of untrusted bytes: any values of the weights, and
the user's own activations and losses as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..activations.custom import CustomActivation
from ..errors import FastnnError
from ..execution.arena import ParameterArena
from ..losses.custom import CustomLoss
from ..model.base import Model
from ..utils import signatures
from ..utils.specification import Specification
from . import description, model as model_file
from .custom_objects import CUSTOM, CustomObjects

State = dict[str, Any]


def model_state(model: Model) -> State | None:
    """Return a built model as a dict of arrays and plain values.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict or None
        The description and the tensors of a model file with ``optimizer=True``, and the custom
        objects by name. Arrays are views of the model's memory. None for a model that has parts
        of the user's own that a file cannot describe, such as layers in Python.
    """
    parts = (*model.layers, model.loss, model.optimizer, model.weight_average)
    if any(map(is_foreign, parts)):
        return None
    objects = custom_objects((*model.layers, model.loss))
    try:
        described = description.describe(model, model.preprocessing, training=True)
        if model.metrics:  # they may be functions, which no name brings back
            description.model_from(described, CustomObjects(objects))
    except FastnnError:
        return None
    tensors = model_file.named_tensors(model.architecture, model.arena, model.arena.has_slots)
    return {"description": described, "tensors": tensors, "custom_objects": objects}


def model_from(state: Mapping[str, Any]) -> Model:
    """Return the model that `model_state` described, in memory of its own.

    Raises
    ------
    ModelFileError
        The description is of another version, or incomplete.
    """
    described, tensors = state["description"], dict(state["tensors"])
    description.check_version(described)
    custom = CustomObjects(state["custom_objects"])
    model, architecture = description.model_from(described, custom)
    arena = ParameterArena(architecture)
    training = any(name.startswith(model_file.SLOTS) for name in tensors)
    model_file.fill(architecture, arena, tensors, training)
    model.attach(architecture, arena)
    return model


def custom_objects(parts: Iterable[Any]) -> dict[str, CustomActivation | CustomLoss]:
    """Return the user's own activations and losses among layers and losses, by their names."""
    values = [value for part in parts for value in (part, *vars(part).values())]
    return {value.name: value for value in values if isinstance(value, CUSTOM)}


def is_foreign(part: Any) -> bool:
    """Return whether a specification, or one that it holds, is of a class of the user's own."""
    if not isinstance(part, Specification) or isinstance(part, CUSTOM):
        return False
    return signatures.is_users(part) or any(map(is_foreign, vars(part).values()))
