"""Pooling of windows: their largest values, or their means."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..kernels.table import LARGEST_WINDOW
from . import geometry
from .base import ShapedLayer
from .geometry import Windows
from .spatial import SpatialLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["AveragePooling1D", "AveragePooling2D", "MaxPooling1D", "MaxPooling2D"]


@dataclass(frozen=True)
class _Pooling(SpatialLayer, ShapedLayer):
    """Base of the layers that look at windows of each channel."""

    pool_size: int | tuple[int, ...] = 2
    _: KW_ONLY
    strides: int | tuple[int, ...] | None = None
    padding: Any = "valid"
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        rank = self.rank
        self._set_fields(
            pool_size=geometry.sizes("pool_size", self.pool_size, rank),
            padding=geometry.windows_padding(self.padding, rank, causal=False),
        )
        if self.strides is None:
            self._derive(strides=self.pool_size)
        else:
            self._set_fields(strides=geometry.sizes("strides", self.strides, rank))
        windows = self.windows
        if not isinstance(windows.padding, str):
            for pair, cells in zip(windows.padding, windows.cells, strict=True):
                if 2 * max(pair) > cells:
                    raise ArgumentError(
                        f"padding must be at most half of a window of {cells} cells, since a "
                        f"window of padding alone has no largest value or mean, got {max(pair)}"
                    )
        super().__post_init__()

    @property
    def windows(self) -> Windows:
        """Return the windows that are pooled."""
        assert self.strides is not None
        return Windows.along(self.pool_size, self.strides, self.padding)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        image, windows = self.image(input_shape), self.windows
        outputs = windows.outputs(image)
        if min(outputs) < 1:
            cells = geometry.times(windows.cells[2 - self.rank :])
            raise ArgumentError(
                f"{self.kind} has windows of {cells} cells, larger than its input of shape "
                f"{input_shape} with padding={self.padding!r}"
            )
        return geometry.row_shape((*outputs, image[2]), self.rank)

    def _numbers(self, x: Ref) -> tuple[int, ...]:
        """Return what the kernels take behind the arrays."""
        windows = self.windows
        return *windows.cells, *windows.numbers(geometry.as_image(x).shape)


@dataclass(frozen=True)
class _MaxPooling(_Pooling):
    """Base of both layers that take the largest value."""

    def __post_init__(self) -> None:
        super().__post_init__()
        cells = self.windows.cells
        if cells[0] * cells[1] > LARGEST_WINDOW:
            shown = geometry.times(cells[2 - self.rank :])
            raise ArgumentError(
                f"pool_size must have at most {LARGEST_WINDOW} cells, got {shown}; "
                f"GlobalMaxPooling{self.rank}D takes whole inputs, and two layers in a row larger "
                "windows"
            )

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, view = builder.activation(self.output_shape(x.shape)), geometry.as_image
        winners = builder.buffer(view(y).shape, dtype=np.uint8) if builder.training else None
        numbers = self._numbers(x)
        builder.emit("forward", "max_pool_fwd", view(y), winners, view(x), *numbers)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "max_pool_bwd", view(dx), view(dy), winners, *numbers)
            return dx

        return y, pullback


@dataclass(frozen=True)
class _AveragePooling(_Pooling):
    """Base of both layers that take means."""

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, view = builder.activation(self.output_shape(x.shape)), geometry.as_image
        numbers = self._numbers(x)
        builder.emit("forward", "average_pool_fwd", view(y), view(x), *numbers)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "average_pool_bwd", view(dx), view(dy), *numbers)
            return dx

        return y, pullback


@dataclass(frozen=True)
class MaxPooling1D(_MaxPooling):
    """Largest value of each channel in windows of a series (time, channels).

    Padding is −∞ and never wins. Of equal values the first gets the gradient; NaN is passed on.

    Parameters
    ----------
    pool_size : int
        Steps of a window, at most 256.
    strides : int, optional
        Steps from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}, int or (int, int)
        As for `Conv1D`; at most half of a window.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: an argument is out of range. From `Network.build` and `Network.fit`:
        the series is shorter than a window.

    Examples
    --------
    >>> from fastnn import MaxPooling1D
    >>> MaxPooling1D(3, strides=2, padding="same").output_shape((10, 8))
    (5, 8)
    """

    rank = 1


@dataclass(frozen=True)
class MaxPooling2D(_MaxPooling):
    """Largest value of each channel in windows of an image (height, width, channels).

    Padding is −∞ and never wins. Of equal values the first, in row-major order, gets the gradient;
    NaN is passed on.

    Parameters
    ----------
    pool_size : int or (int, int)
        Height and width of a window, of at most 256 cells.
    strides : int or (int, int), optional
        Cells from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}, int, or pairs of int
        As for `Conv2D`; at most half of a window.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: an argument is out of range. From `Network.build` and `Network.fit`:
        the image is smaller than a window.

    Examples
    --------
    >>> from fastnn import MaxPooling2D
    >>> MaxPooling2D(2).output_shape((28, 28, 16))
    (14, 14, 16)
    """

    rank = 2


@dataclass(frozen=True)
class AveragePooling1D(_AveragePooling):
    """Mean of each channel in windows of a series (time, channels), over the steps that exist.

    Parameters
    ----------
    pool_size : int
        Steps of a window.
    strides : int, optional
        Steps from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}, int or (int, int)
        As for `Conv1D`; at most half of a window. Padding does not count, as in Keras.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `MaxPooling1D`.

    Examples
    --------
    >>> from fastnn import AveragePooling1D
    >>> AveragePooling1D(4).output_shape((10, 8))
    (2, 8)
    """

    rank = 1


@dataclass(frozen=True)
class AveragePooling2D(_AveragePooling):
    """Mean of each channel in windows of an image (height, width, channels), over existing cells.

    Parameters
    ----------
    pool_size : int or (int, int)
        Height and width of a window.
    strides : int or (int, int), optional
        Cells from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}, int, or pairs of int
        As for `Conv2D`; at most half of a window. Padding does not count, as in Keras.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `MaxPooling2D`.

    Examples
    --------
    >>> from fastnn import AveragePooling2D
    >>> AveragePooling2D((2, 4)).output_shape((28, 28, 16))
    (14, 7, 16)
    """

    rank = 2
