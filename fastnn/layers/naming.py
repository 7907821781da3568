"""Names of layers: those given, and numbered ones for the others."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ArgumentError
from .base import Layer


def layer_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the given names, or the class with a number, such as dense_1."""
    given = [layer.name for layer in layers if layer.name is not None]
    if len(set(given)) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise ArgumentError(f"layer name {twice!r} is given twice")
    names: list[str] = []
    numbers: dict[type[Layer], int] = {}  # of the latest name made from a class
    for layer in layers:
        name, kind = layer.name, type(layer)
        while name is None:
            numbers[kind] = numbers.get(kind, 0) + 1
            made = f"{kind.__name__.lower()}_{numbers[kind]}"
            name = None if made in given else made
        names.append(name)
    return tuple(names)
