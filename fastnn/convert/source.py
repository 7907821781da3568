"""The arrays of each layer of another library's model."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SourceLayer:
    """The arrays of one layer.

    Attributes
    ----------
    name : str
    arrays : tuple of numpy.ndarray
        In the order in which the library keeps them.
    kind : str
        Class of the layer, in lower case and without underscores; "" if the source does not tell.
    array_names : tuple of str
        Names of the arrays; () if the source does not tell.
    """

    name: str
    arrays: tuple[np.ndarray, ...]
    kind: str = ""
    array_names: tuple[str, ...] = ()

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the arrays."""
        return tuple(array.shape for array in self.arrays)

    @property
    def pattern(self) -> str:
        """Return the name without its numbers: within a pattern, numbers give the order."""
        return re.sub(r"_?\d+", "", self.name)

    def __str__(self) -> str:
        names = self.array_names or ("",) * len(self.arrays)
        arrays = zip(names, self.shapes, strict=True)
        text = ", ".join(f"{name} {shape}".lstrip() for name, shape in arrays)
        return f"{self.name!r} ({text})"


@dataclass(frozen=True)
class Source:
    """The layers with arrays of a model.

    Attributes
    ----------
    title : str
        Of the model or file, for messages.
    layers : tuple of SourceLayer
        In the order of the computation if `ordered`, else in that of `natural_key`.
    ordered : bool
        Whether the source tells the order of its layers.
    """

    title: str
    layers: tuple[SourceLayer, ...]
    ordered: bool = True


def natural_key(name: str) -> list[tuple[int, str, int]]:
    """Return the key that sorts names with numbers in them by these: dense_2 before dense_10.

    Examples
    --------
    >>> from fastnn.convert.source import natural_key
    >>> sorted(["10.bias", "2.bias", "dense_1", "dense"], key=natural_key)
    ['2.bias', '10.bias', 'dense', 'dense_1']
    """
    parts = re.split(r"(\d+)", name)
    return [(0, "", int(part)) if part.isdigit() else (1, part, 0) for part in parts if part]
