"""Windows that slide over the lines and columns of images: what convolution and pooling share.

Along an axis of n cells, window number i of a kernel of k cells begins at cell i * stride - pad and
has its cells `dilation` apart. Cells outside the image count as padding; how many there are after
it follows from the number of windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..table import Dims, Relation, Scalars

AXES = (("H", "h"), ("W", "w"))


class Windows(NamedTuple):
    """Strides, padding in front and distances of cells of windows, along lines and columns."""

    strides: tuple[int, int]
    pads: tuple[int, int]
    dilations: tuple[int, int]


def span(cells, dilation):
    """Return how many cells of an axis a window reaches over, the first and last included."""
    return (cells - 1) * dilation + 1


def most_windows(n, pad, stride):
    """Return the number of windows that begin before the end of an axis of n cells."""
    return (n + pad - 1) // stride + 1


def padded(x, spans, out, strides, pads, value=0):
    """Return a copy of x (B, H, W, C) with all cells that windows reach, padding included."""
    batch, height, width, channels = x.shape
    reach = [(o - 1) * s + k for o, s, k in zip(out, strides, spans, strict=True)]
    size = max(reach[0], pads[0] + height), max(reach[1], pads[1] + width)
    whole = np.full((batch, *size, channels), value, x.dtype)
    inner(whole, x.shape, pads)[...] = x
    return whole


def inner(whole, shape, pads):
    """Return the part of a padded copy that is the image itself."""
    return whole[:, pads[0] : pads[0] + shape[1], pads[1] : pads[1] + shape[2]]


def taps(whole, cells, dilations, out, strides) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (line, column, view (B, OH, OW, C)) for each cell of a window, in row-major order.

    The view has the cell of every window of a padded copy.
    """
    for i in range(cells[0]):
        for j in range(cells[1]):
            top, left = i * dilations[0], j * dilations[1]
            bottom = top + (out[0] - 1) * strides[0] + 1
            right = left + (out[1] - 1) * strides[1] + 1
            yield i, j, whole[:, top : bottom : strides[0], left : right : strides[1]]


# ---------------------------------------------------------------------- relations of dimensions


def _kernel_cells(dims: Dims, scalars: Scalars, axis: tuple[str, str]) -> tuple[int, int]:
    """Return the cells of a window along an axis, and how far apart they are."""
    upper, lower = axis
    if f"pool_{lower}" in scalars:
        return scalars[f"pool_{lower}"], 1
    return dims[f"K{upper}"], scalars[f"dilation_{lower}"]


def window_violation(dims: Dims, scalars: Scalars) -> str | None:
    """Return what is wrong with the windows of an image, if anything is."""
    for name, size in dims.items():
        if name != "B" and size < 1:
            return f"dimension {name} must be at least 1, got {size}"
    for upper, lower in AXES:
        n, out, pad = dims[upper], dims[f"O{upper}"], scalars[f"pad_{lower}"]
        reach = span(*_kernel_cells(dims, scalars, (upper, lower)))
        if pad >= reach:
            return f"pad_{lower} must be below {reach}, the reach of a window, got {pad}"
        most = most_windows(n, pad, scalars[f"stride_{lower}"])
        if out > most:
            return f"O{upper} must be at most {most}, the windows that begin in x, got {out}"
    return None


def fit_windows(dims: Dims, scalars: Scalars) -> dict[str, int]:
    """Return dimensions whose windows fit: images of the size that the outputs need."""
    fitted = {name: max(size, 1) if name != "B" else size for name, size in dims.items()}
    for upper, lower in AXES:
        pad, stride = scalars[f"pad_{lower}"], scalars[f"stride_{lower}"]
        if f"K{upper}" in dims:
            least = -(-pad // scalars[f"dilation_{lower}"]) + 1
            fitted[f"K{upper}"] = max(fitted[f"K{upper}"], least)
        reach = span(*_kernel_cells(fitted, scalars, (upper, lower)))
        out = fitted[f"O{upper}"]
        before_last = (out - 1) * stride - pad
        fitted[upper] = max(1, before_last + 1, before_last + reach - pad + out % stride)
    return fitted


def _group_violation(dims: Dims, scalars: Scalars) -> str | None:
    groups, channels = scalars["groups"], dims["C"]
    if dims["G"] * groups != channels:
        return (
            f"C must be G times groups, {dims['G']} x {groups} = {dims['G'] * groups}, "
            f"got {channels}"
        )
    if dims["O"] % groups:
        return f"O must be a multiple of groups = {groups}, got {dims['O']}"
    return window_violation(dims, scalars)


def _fit_groups(dims: Dims, scalars: Scalars) -> dict[str, int]:
    groups, fitted = scalars["groups"], fit_windows(dims, scalars)
    outputs = -(-fitted["O"] // groups) * groups
    return fitted | {"C": fitted["G"] * groups, "O": outputs}


#: Of pooling: the last window begins in the image, none is padding alone.
POOLING = Relation(window_violation, fit_windows, ("H", "W"))

#: Of a convolution: the same, and channels that divide into groups.
CONVOLUTION = Relation(_group_violation, _fit_groups, ("H", "W", "C"))
