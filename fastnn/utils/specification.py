"""Base of immutable descriptions — layers, losses, optimizers — and their plain-data form.

A specification is a frozen dataclass: it compares, hashes and prints by its fields, and turns into
a dict of JSON values and back. Loading looks class names up in a table and executes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from . import checks
from .call_errors import Explained, WrongCallError
from .signatures import is_users

S = TypeVar("S", bound="Specification")


class Specification(metaclass=Explained):
    """Base of all descriptions, which hold no arrays."""

    #: The classes of one family (all layers, all losses …) by class name; its base owns it.
    _classes: ClassVar[dict[str, type[Specification]]]

    #: Fields left at defaults that other fields decide, such as strides that follow a size.
    _derived: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, family: bool = False, listed: bool = True, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if family:
            cls._classes = {}
        elif listed and not cls.__name__.startswith("_"):
            cls._list()

    @classmethod
    def _list(cls) -> None:
        """Enter the class in the table of its family; one of fastnn's keeps its name."""
        name, known = cls.__name__, cls._classes.get(cls.__name__)
        if known is not None and is_users(cls) and not is_users(known):
            raise ArgumentError(
                f"class {name} has the name of one of fastnn's, so files could not tell them "
                "apart: choose another name"
            )
        cls._classes[name] = cls

    @classmethod
    def family(cls: type[S]) -> dict[str, type[S]]:
        """Return the classes of the family by class name."""
        return dict(cls._classes)  # type: ignore[arg-type]

    def _set_fields(self, **values: Any) -> None:
        """Replace fields by their checked form (for use in ``__post_init__``)."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _derive(self, **values: Any) -> None:
        """Fill fields left at their defaults by what the other fields make of them."""
        self._set_fields(**values, _derived=self._derived.union(values))

    def to_config(self) -> dict[str, Any]:
        """Return the specification as a dict of JSON values, ``type`` being the class name."""
        config: dict[str, Any] = {"type": type(self).__name__}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            config[field.name] = _plain(getattr(self, field.name))
        return config

    @classmethod
    def from_config(cls: type[S], config: Mapping[str, Any]) -> S:
        """Return the object of a `to_config`; unknown classes and fields raise `ArgumentError`."""
        if not isinstance(config, Mapping) or "type" not in config:
            raise ArgumentError(
                f"a {cls.__name__} is described by a dict with a type, got {config!r}"
            )
        fields = {name: value for name, value in config.items() if name != "type"}
        kind = checks.one_of(cls.__name__, config["type"], cls._classes)
        try:
            return kind(**fields)  # type: ignore[return-value]
        except WrongCallError as error:
            raise ArgumentError(f"{config['type']}: {error}") from None

    @classmethod
    def resolve(cls: type[S], argument: str, value: Any, named: Mapping[str, type[S]]) -> S:
        """Return `value` if it is of the family, the default object of a name, or one of a config.

        `named` has the classes that names stand for.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls.from_config(value)
        if isinstance(value, type) and issubclass(value, cls):
            raise ArgumentTypeError(
                f"{argument} must be an object, got the class {value.__name__}: write "
                f"{value.__name__}(…)"
            )
        return checks.one_of(argument, value, named)()


def given_fields(description: Specification) -> dict[str, Any]:
    """Return the fields as they were given: derived ones have their defaults."""
    return {
        field.name: field.default
        if field.name in description._derived
        else getattr(description, field.name)
        for field in dataclasses.fields(description)  # type: ignore[arg-type]
        if field.init
    }


def changed(description: S, **values: Any) -> S:
    """Return the same description with other values; what is derived follows them."""
    return type(description)(**given_fields(description) | values)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_config"):
        return value.to_config()
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
