"""Attributes of a network that are those of its model, and which of them can be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar, overload

from ..errors import ArgumentTypeError, ReadOnlyAttributeError
from .base import Face

T = TypeVar("T")

#: Advice to those who set an argument of the constructor; a format string of its name.
ARGUMENT = (
    "make a new network with Network(…, {name}=…); after build(), set_weights() gives it weights"
)


class OfModel(Generic[T]):
    """An attribute of a network that is its model's attribute of the same name.

    It cannot be set; `instead` tells what to do, for the message.
    """

    def __init__(self, description: str, instead: str = ARGUMENT):
        self.__doc__ = description
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, network: None, owner: type) -> Self: ...

    @overload
    def __get__(self, network: Face, owner: type) -> T: ...

    def __get__(self, network: Face | None, owner: type) -> Self | T:
        return self if network is None else getattr(network._model, self._name)

    def __set__(self, network: Face, value: T) -> None:
        instead = self._instead.format(name=self._name)
        if "_model" not in vars(network):  # in the constructor of a subclass
            instead = "give it to super().__init__(), or choose another name"
        kind = type(network).__name__
        raise ReadOnlyAttributeError(
            f"{self._name} of a {kind} cannot be set: {instead}", name=self._name, obj=network
        )


class SettableOfModel(OfModel[T]):
    """An attribute that can be set; `check` takes its name and a value and returns what to keep."""

    def __init__(self, description: str, check: Callable[[str, Any], T]):
        super().__init__(description)
        self._check = check

    def __set__(self, network: Face, value: T) -> None:
        setattr(network._model, self._name, self._check(self._name, value))


def preprocessing(argument: str, value: Any) -> dict[str, Any] | None:
    """Return a value for `BaseNetwork.preprocessing`; its contents are checked when saved."""
    if value is not None and not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{argument} must be a dict or None, got {type(value).__name__}")
    return None if value is None else dict(value)
