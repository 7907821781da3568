"""Activations and losses of the user: a file names them, and who loads it brings them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..custom import CustomActivation, CustomLoss
from ..errors import ArgumentError, ArgumentTypeError, ModelFileError

if TYPE_CHECKING:
    from ..network import Network

CustomObject = CustomActivation | CustomLoss

KINDS: dict[str, type[CustomObject]] = {"activation": CustomActivation, "loss": CustomLoss}


def check_names(network: Network) -> None:
    """Refuse to save two different objects under one name: only one of them would come back."""
    found: dict[str, Any] = {}
    values = (value for layer in network.layers for value in vars(layer).values())
    for value in (*values, network.loss):
        if isinstance(value, CustomObject) and found.setdefault(value.name, value) != value:
            raise ArgumentError(
                f"the network holds two custom objects of the name {value.name!r}; "
                "a file could not tell them apart"
            )


class CustomObjects:
    """The objects that a file may name.

    Raises
    ------
    ArgumentTypeError
        Not a dict of names to custom activations and losses.
    """

    def __init__(self, given: Any):
        if given is not None and not isinstance(given, Mapping):
            raise ArgumentTypeError(
                f"custom_objects must be a dict of name to object, got {type(given).__name__}"
            )
        self._given = dict(given or {})
        for name, value in self._given.items():
            if not isinstance(value, CustomObject):
                raise ArgumentTypeError(
                    f"custom_objects[{name!r}] must be made by fastnn.activation or fastnn.loss, "
                    f"got {value!r}"
                )

    def check(self, described: Any) -> None:
        """Compare with what a description names.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            There is more than it names, or an object is of another kind.
        ModelFileError
            An object is missing.
        """
        names = {name: kind for kind, name in _named(described)}
        for name, kind in names.items():
            if name not in self._given:
                raise ModelFileError(
                    f"it uses the custom {kind} {name!r}; pass it to load as "
                    f"custom_objects={{{name!r}: …}}"
                )
            if not isinstance(self._given[name], KINDS[kind]):
                raise ArgumentTypeError(
                    f"custom_objects[{name!r}] must be made by fastnn.{kind}, "
                    f"got {self._given[name]!r}"
                )
        if surplus := [name for name in self._given if name not in names]:
            raise ArgumentError(
                f"custom_objects has {surplus[0]!r}, but the network uses "
                + (", ".join(map(repr, names)) or "no custom objects")
            )

    def put_into(self, described: Any) -> Any:
        """The described value with the objects in the places of their names."""
        if isinstance(described, dict):
            if _is_custom(described):
                return self._given[described["name"]]
            return {key: self.put_into(value) for key, value in described.items()}
        if isinstance(described, list):
            return [self.put_into(value) for value in described]
        return described


def _is_custom(value: dict[str, Any]) -> bool:
    return value.keys() == {"custom", "name"} and all(isinstance(v, str) for v in value.values())


def _named(described: Any) -> Iterator[tuple[str, str]]:
    """(kind, name) of every object that a description names."""
    if isinstance(described, dict):
        if _is_custom(described):
            if described["custom"] not in KINDS:
                raise ModelFileError(f"it uses a custom {described['custom']!r}, which is unknown")
            yield described["custom"], described["name"]
            return
        described = list(described.values())
    if isinstance(described, list):
        for value in described:
            yield from _named(value)
