"""Arguments of layers as parameters of an estimator, by the names that layers have in a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ArgumentError
from ..layers import Layer
from ..layers.naming import layer_names
from ..layers.sequence import branches_of
from ..utils.specification import changed, given_fields

#: Arguments that no search changes.
_FIXED = frozenset({"name", "input_shape", "input_size"})


def layer_parameters(layers: Sequence[Layer]) -> dict[str, Any]:
    """Return the arguments of layers, and of those within them, by NAME__ARGUMENT."""
    found: dict[str, Any] = {}
    for name, layer in zip(layer_names(layers), layers, strict=True):
        own = {key: value for key, value in given_fields(layer).items() if _is_searched(key)}
        for key, value in (own | layer_parameters(_within(layer))).items():
            found[f"{name}__{key}"] = value
    return found


def with_parameters(layers: Sequence[Layer], values: Mapping[str, Any]) -> list[Layer]:
    """Return layers with other values of some of `layer_parameters`.

    Raises
    ------
    ArgumentError
        There is no layer, or no argument, of that name; or a layer refuses the value.
    """
    names = layer_names(layers)
    changes: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in values.items():
        fitting = [name for name in names if key.startswith(f"{name}__")]
        if not fitting:
            raise ArgumentError(
                f"Invalid parameter 'layers__{key}': layers are called {', '.join(names)}"
            )
        name = max(fitting, key=len)
        changes[name][key.removeprefix(f"{name}__")] = value
    return [_changed(layer, name, changes[name]) for name, layer in zip(names, layers, strict=True)]


def _changed(layer: Layer, name: str, values: Mapping[str, Any]) -> Layer:
    """Return one layer with other arguments, of its own or of the layers within it."""
    if not values:
        return layer
    fields = given_fields(layer)
    own = {key: value for key, value in values.items() if key in fields and _is_searched(key)}
    layer = changed(layer, **own)
    rest = {key: value for key, value in values.items() if key not in own}
    if not rest:
        return layer
    within = _within(layer)
    if not within:
        raise ArgumentError(
            f"Invalid parameter {next(iter(rest))!r} of layer {name!r}: its arguments are "
            f"{', '.join(filter(_is_searched, fields))}"
        )
    replaced = iter(with_parameters(within, rest))
    parts = {key: _replaced(value, replaced) for key, value in given_fields(layer).items()}
    return changed(layer, **parts)


def _within(layer: Layer) -> list[Layer]:
    """Return the layers that a layer holds, in the order of its fields."""
    return [one for branch in branches_of(layer) for one in branch.layers]


def _replaced(value: Any, layers: Any) -> Any:
    """Return a field with each layer replaced by the next of the iterator `layers`."""
    if isinstance(value, Layer):
        return next(layers)
    if isinstance(value, tuple):
        return tuple(_replaced(one, layers) for one in value)
    return value


def _is_searched(argument: str) -> bool:
    return argument not in _FIXED and not argument.startswith("_")
