"""Sizes, strides and paddings of windows: what convolutions, pooling and padding share.

Everything happens on images (height, width, channels); a series (time, channels) is an image of one
line. Along each axis, a window of k cells that lie d apart reaches over (k − 1) d + 1 cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..kernels.table import SPATIAL
from ..utils import checks

if TYPE_CHECKING:
    from ..ir.program import Ref

#: Axes of one row, channels last, by the number of axes that windows slide along.
AXES = {1: "(time, channels)", 2: "(height, width, channels)"}
KIND = {1: "series", 2: "images"}

Shape = tuple[int, ...]
Pair = tuple[int, int]


def sizes(argument: str, value: Any, rank: int, *, low: int = 1) -> int | Shape:
    """Return a size for each axis: a tuple of `rank` integers, or one integer for a series."""
    value = _listed(value)
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value] * rank
    if len(values) != rank:
        expected = "an integer" if rank == 1 else "an integer or a pair of them"
        raise ArgumentError(f"{argument} must be {expected}, got {value!r}")
    checked = tuple(_size(argument, one, low) for one in values)
    return checked[0] if rank == 1 else checked


def _listed(value: Any) -> Any:
    """Return an array as a list of integers, and anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def _size(argument: str, value: Any, low: int) -> int:
    """Return an integer from `low` to the largest that kernels take."""
    size = checks.integer(argument, value, low=low)
    if size > SPATIAL:
        raise ArgumentError(f"{argument} must be at most {SPATIAL}, got {checks.shown(size)}")
    return size


def on_both_axes(value: int | Shape, *, missing: int = 1) -> Pair:
    """Return the numbers for height and width; `missing` is that of the one line of a series."""
    return (missing, value) if isinstance(value, int) else (value[0], value[1])


def pads(argument: str, value: Any, rank: int) -> Any:
    """Return cells before and after along each axis: a pair, or for images a pair of pairs.

    An integer holds on all sides; for images, a pair of integers holds for height and width.
    """
    value = _listed(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, (Integral, Sequence))
        or isinstance(value, str)
    ):
        raise ArgumentTypeError(f"{argument} must be an integer or pairs of them, got {value!r}")
    if isinstance(value, Integral):
        both = (_size(argument, value, 0),) * 2
        return both if rank == 1 else (both, both)
    if len(value) != 2:
        raise ArgumentError(f"{argument} must be an integer or pairs of them, got {value!r}")
    if rank == 2:
        return tuple(pads(argument, one, 1) for one in value)
    return tuple(_size(argument, one, 0) for one in value)


def pads_on_both_axes(value: Any) -> tuple[Pair, Pair]:
    """Return (before, after) for height and for width of what `pads` returns."""
    return ((0, 0), value) if isinstance(value[0], int) else value


def windows_padding(value: Any, rank: int, *, causal: bool) -> Any:
    """Return the padding of windows: a word, or what `pads` returns."""
    if isinstance(value, str):
        known = ("valid", "same", *(("causal",) if causal and rank == 1 else ()))
        checks.one_of("padding", value, dict.fromkeys(known))
        return value
    return pads("padding", value, rank)


@dataclass(frozen=True)
class Windows:
    """Windows that slide over images.

    Attributes
    ----------
    cells, strides, dilation : (int, int)
        Along height and width.
    padding : str or ((int, int), (int, int))
        "valid", "same", "causal", or cells before and after on both axes.
    """

    cells: Pair
    strides: Pair
    dilation: Pair = (1, 1)
    padding: str | tuple[Pair, Pair] = "valid"

    @classmethod
    def along(cls, cells: Any, strides: Any, padding: Any, dilation: Any = 1) -> Windows:
        """Return the windows of a layer, whose fields have numbers for one axis or both."""
        if not isinstance(padding, str):
            padding = pads_on_both_axes(padding)
        return cls(on_both_axes(cells), on_both_axes(strides), on_both_axes(dilation), padding)

    @property
    def reach(self) -> Pair:
        """Return how many cells a window reaches over, on both axes."""
        pairs = zip(self.cells, self.dilation, strict=True)
        height, width = ((k - 1) * d + 1 for k, d in pairs)
        return height, width

    def pads(self, image: Sequence[int]) -> tuple[Pair, Pair]:
        """Return the cells of padding before and after an image (height, width, …), by axis.

        "same" gives ⌈n / stride⌉ windows, and an odd cell of padding to the end.
        """
        if not isinstance(self.padding, str):
            return self.padding
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if self.padding == "causal":
            return (0, 0), (self.reach[1] - 1, 0)
        axes = zip(image, self.strides, self.reach, strict=False)
        height, width = (max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in axes)
        return (height // 2, height - height // 2), (width // 2, width - width // 2)

    def outputs(self, image: Sequence[int]) -> Pair:
        """Return how many windows there are along height and width; not positive if none fits."""
        axes = zip(image, self.pads(image), self.reach, self.strides, strict=False)
        height, width = ((n + sum(pad) - reach) // s + 1 for n, pad, reach, s in axes)
        return height, width

    def numbers(self, image: Sequence[int]) -> tuple[int, ...]:
        """Return strides and the padding before, as kernels take them."""
        (top, _), (left, _) = self.pads(image)
        return *self.strides, top, left

    def check_reach(self, argument: str, cure: str) -> None:
        """Raise `ArgumentError` for windows too large for kernels, or padding as wide as one.

        `cure` says which layer does what wider padding would.
        """
        if max(self.reach) > SPATIAL:
            raise ArgumentError(
                f"windows must reach over at most {SPATIAL} cells, but (kernel_size - 1) * "
                f"dilation + 1 is {max(self.reach)}"
            )
        if isinstance(self.padding, str):
            return
        for pair, reach in zip(self.padding, self.reach, strict=True):
            if max(pair) >= reach:
                raise ArgumentError(
                    f"{argument} must be below the {reach} cells that a window reaches over, got "
                    f"{max(pair)}; {cure}"
                )


def image_shape(layer: str, input_shape: Shape, rank: int) -> tuple[int, int, int]:
    """Return (height, width, channels) of a layer's input; raise `ArgumentError` for other axes."""
    if len(input_shape) == rank + 1:
        return (1, *input_shape) if rank == 1 else input_shape  # type: ignore[return-value]
    hint = "" if len(input_shape) > 1 else f"; put Reshape({AXES[rank]}) in front of it"
    raise ArgumentError(
        f"{layer} takes {KIND[rank]} {AXES[rank]}, but its input has shape {input_shape}{hint}"
    )


def looks_channels_first(shape: Shape) -> bool:
    """Return whether rows look like square images (channels, height, width), grey or of colours."""
    return len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2] > 4


def with_channel(input_shape: Shape, rank: int) -> Shape:
    """Return the shape of an input with a last axis of one channel, where it has none."""
    return (*input_shape, 1) if len(input_shape) == rank else input_shape


def row_shape(image: Sequence[int], rank: int) -> Shape:
    """Return the shape of one row: an image, or a series without its one line."""
    return tuple(image[1:]) if rank == 1 else tuple(image)


def as_image(ref: Ref) -> Ref:
    """Return a series as an image of one line, and an image as it is."""
    return ref if len(ref.shape) == 3 else ref.reshaped((1, *ref.shape))


def as_positions(ref: Ref) -> Ref:
    """Return images or series as (positions, channels)."""
    return ref.reshaped((math.prod(ref.shape[:-1]), ref.shape[-1]))


def times(numbers: Sequence[int]) -> str:
    """Return a text such as 3 × 3."""
    return " × ".join(map(str, numbers))
