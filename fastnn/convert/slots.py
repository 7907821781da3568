"""Slots: the arrays of a network's layers, as another library would hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..compiler.architecture import Architecture
from ..errors import ArgumentError
from ..ir.parameter import Buffer, Parameter
from ..layers import Layer
from ..layers.sequence import branches_of, with_inputs
from .source import SourceLayer

Shape = tuple[int, ...]
Convert = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Entry:
    """One array of a layer.

    Attributes
    ----------
    target : str
        Its name in the layer, such as "weights".
    source : str
        Its name in the other library, such as "kernel".
    shape : tuple of int
        Its shape there.
    convert : callable
        Returns the array in the layer's layout.
    """

    target: str
    source: str
    shape: Shape
    convert: Convert


@dataclass(frozen=True)
class Slot:
    """The arrays that one layer of the other library fills.

    Attributes
    ----------
    name : str
        The layer's path, "residual_1/conv2d_1", and for one part of a layer its name: ".depthwise".
    layer : str
        The layer's path.
    kind : str
        Class of the layer in the other library, written as `SourceLayer.kind`; "" for any.
    entries : tuple of Entry
    """

    name: str
    layer: str
    kind: str
    entries: tuple[Entry, ...]

    def fits(self, source: SourceLayer) -> bool:
        """Return whether kind, names and shapes of a layer's arrays are those wanted."""
        names = tuple(entry.source for entry in self.entries)
        return (
            source.kind in ("", self.kind)
            and source.array_names in ((), names)
            and source.shapes == tuple(entry.shape for entry in self.entries)
        )

    def __str__(self) -> str:
        arrays = ", ".join(f"{entry.source} {entry.shape}" for entry in self.entries)
        return f"{self.name!r} ({arrays})"


@dataclass(frozen=True)
class Leaf:
    """A layer with arrays, its path, and the shapes of these by name, buffers included."""

    layer: Layer
    path: str
    shapes: Mapping[str, Shape]


def leaves(architecture: Architecture) -> Iterator[Leaf]:
    """Yield the layers that have arrays, in the order of the computation, branches in theirs."""
    net = architecture
    for layer, path, shape in with_inputs(net.layers, net.names, net.views):
        arrays: list[Parameter | Buffer] = [*layer.parameters(shape), *layer.buffers(shape)]
        if arrays and not branches_of(layer):
            yield Leaf(layer, path, {array.name: array.shape for array in arrays})


def no_counterpart(leaf: Leaf, library: str) -> ArgumentError:
    """Return the error for a layer whose arrays the other library does not have."""
    return ArgumentError(
        f"layer {leaf.path!r}, a {type(leaf.layer).__name__}, has no counterpart in {library}; "
        f"its arrays are {', '.join(f'{name} {shape}' for name, shape in leaf.shapes.items())}"
    )
