"""Names of layers: those given, and numbered ones for the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import count

from ..errors import ArgumentError
from .base import Layer


def layer_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the given names, or the class with a number, such as dense_1."""
    given = Counter(layer.name for layer in layers if layer.name is not None)
    for name, times in given.items():
        if times > 1:
            raise ArgumentError(f"layer name {name!r} is given twice")
    free = {kind: _numbered(kind.__name__.lower(), given) for kind in map(type, layers)}
    return tuple(next(free[type(layer)]) if layer.name is None else layer.name for layer in layers)


def _numbered(stem: str, taken: Container[str]) -> Iterator[str]:
    return (name for name in (f"{stem}_{n}" for n in count(1)) if name not in taken)
