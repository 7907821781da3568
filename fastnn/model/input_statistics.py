"""Statistics of the input, which layers take from the training data before the first step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from ..compiler.architecture import Architecture
from ..data.data_set import DataSet
from ..data.resolution import check_resolution, is_constant
from ..data.sparse_rows import SparseRows
from ..errors import ArgumentError
from ..execution.arena import ParameterArena
from ..layers import Flatten, Rescaling

#: Elements of X that are looked at together: a few MB as float64.
PIECE = 1 << 18

#: New values of buffers, by the name of the layer and of the buffer.
Statistics = Mapping[str, np.ndarray]


def compute(net: Architecture, data: DataSet) -> dict[str, np.ndarray]:
    """Return what the layers that adapt find in the rows of `data`; change nothing.

    Raises
    ------
    ArgumentError
        A statistic is beyond the network's dtype, or `check_rows` says so.
    """
    check_rows(net, data)
    statistics: dict[str, np.ndarray] = {}
    for index, layer in enumerate(net.layers):
        if layer.adapts:
            shape, scale = net.shapes[index], _scale_before(net, index)
            found = layer.adapt(_pieces(data, shape, scale), shape)
            if "variance" in found:
                found = found | {"variance": _of_varying(found, data.x.dtype)}
            for name, values in found.items():
                statistics[f"{net.names[index]}/{name}"] = _fitting(values, net, index, name)
    return statistics


def check_rows(net: Architecture, data: DataSet) -> None:
    """Refuse rows to train on whose columns the network's dtype cannot tell apart.

    Only where the first layer normalises columns: elsewhere a column of little variance says
    nothing, in any dtype.

    Raises
    ------
    ArgumentError
    """
    for index, layer in enumerate(net.layers):
        shape = net.shapes[index]
        columns = layer.normalized_columns(shape)
        if columns is not None and not isinstance(data.x, SparseRows):
            pieces = _pieces(data, shape, 1.0)
            check_resolution("X", pieces, columns, data.x.dtype, net.dtype)
        if not isinstance(layer, Flatten | Rescaling):
            break


def _of_varying(found: Statistics, dtype: np.dtype) -> np.ndarray:
    """Return the variances found; 1 for columns that are constant but for rounding."""
    constant = is_constant(np.sqrt(found["variance"]), found["mean"], dtype)
    return np.where(constant, 1.0, found["variance"])


def are_known(arena: ParameterArena) -> bool:
    """Return whether all counts of rows that statistics are of are positive, or there is none."""
    counts = [s for s in arena.buffer_segments if s.buffer.name == "count"]
    return all(arena.view(arena.buffers, s).all() for s in counts)


def assign(arena: ParameterArena, statistics: Statistics) -> None:
    """Copy statistics into the buffers of their names."""
    for segment in arena.buffer_segments:
        if segment.name in statistics:
            arena.view(arena.buffers, segment)[...] = statistics[segment.name]


def _scale_before(net: Architecture, index: int) -> float:
    """Return the factor by which rows have been multiplied before a layer of the input."""
    before = net.layers[:index]
    return math.prod(layer.scale for layer in before if isinstance(layer, Rescaling))


def _pieces(data: DataSet, shape: tuple[int, ...], scale: float) -> Iterator[np.ndarray]:
    """Yield the rows as float64, some at a time."""
    step = max(1, PIECE // math.prod(shape))
    for start in range(0, len(data), step):
        rows = slice(start, start + step)
        piece = data.x[rows if data.rows is None else data.rows[rows]]
        yield piece.reshape(len(piece), *shape).astype(np.float64) * scale


def _fitting(values: np.ndarray, net: Architecture, index: int, name: str) -> np.ndarray:
    """Return the values in the network's dtype; refuse those that it cannot hold."""
    with np.errstate(over="ignore", under="ignore"):
        converted = values.astype(net.dtype)
    wrong = ""
    if not np.isfinite(converted).all():
        wrong = "beyond"
    elif name == "variance" and (converted < np.finfo(net.dtype).tiny).any():
        wrong = "too small for"
    if wrong:
        raise ArgumentError(
            f"the {name} of X that layer {net.names[index]!r} finds is {wrong} {net.dtype}; "
            "scale X, or use dtype='float64'"
        )
    return converted
