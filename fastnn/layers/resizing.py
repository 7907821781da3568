"""Layers that repeat, add or cut off lines and columns of images, and steps of series."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ArgumentError
from ..utils import checks
from . import geometry
from .base import ShapedLayer
from .spatial import SpatialLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
]


@dataclass(frozen=True)
class _UpSampling(SpatialLayer, ShapedLayer):
    """Base of both layers that repeat."""

    size: int | tuple[int, ...] = 2
    _: KW_ONLY
    interpolation: str = "nearest"
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(size=geometry.sizes("size", self.size, self.rank))
        checks.one_of("interpolation", self.interpolation, {"nearest": None})
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        (height, width, channels), sizes = self.image(input_shape), self._sizes
        return geometry.row_shape((height * sizes[0], width * sizes[1], channels), self.rank)

    @property
    def _sizes(self) -> tuple[int, int]:
        return geometry.on_both_axes(self.size)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, view = builder.activation(self.output_shape(x.shape)), geometry.as_image
        sizes = self._sizes
        builder.emit("forward", "upsample_fwd", view(y), view(x), *sizes)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "upsample_bwd", view(dx), view(dy), *sizes)
            return dx

        return y, pullback


class _Shifting(SpatialLayer, ShapedLayer, listed=False):
    """Base of the layers that lay their input into an image of another size."""

    #: What is added on each side; negative where it is cut off.
    sign: ClassVar[int]

    def _amounts(self) -> tuple[geometry.Pair, geometry.Pair]:
        """Return the cells before and after, for height and width."""
        raise NotImplementedError

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        image, sign = self.image(input_shape), self.sign
        sides = [n + sign * sum(pair) for n, pair in zip(image, self._amounts(), strict=False)]
        if min(sides) < 1:
            raise ArgumentError(
                f"{type(self).__name__} leaves nothing of its input of shape {input_shape}: it "
                f"cuts off {self._amounts()[2 - self.rank :]}"
            )
        return geometry.row_shape((*sides, image[2]), self.rank)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, view = builder.activation(self.output_shape(x.shape)), geometry.as_image
        (top, _), (left, _) = self._amounts()
        top, left = self.sign * top, self.sign * left
        builder.emit("forward", "shift_window", view(y), view(x), top, left)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "shift_window", view(dx), view(dy), -top, -left)
            return dx

        return y, pullback


@dataclass(frozen=True)
class _ZeroPadding(_Shifting):
    """Base of both layers that add zeros."""

    padding: Any = 1
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    sign = 1

    def __post_init__(self) -> None:
        self._set_fields(padding=geometry.pads("padding", self.padding, self.rank))
        super().__post_init__()

    def _amounts(self) -> tuple[geometry.Pair, geometry.Pair]:
        return geometry.pads_on_both_axes(self.padding)


@dataclass(frozen=True)
class _Cropping(_Shifting):
    """Base of both layers that cut off."""

    cropping: Any = 1
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    sign = -1

    def __post_init__(self) -> None:
        self._set_fields(cropping=geometry.pads("cropping", self.cropping, self.rank))
        super().__post_init__()

    def _amounts(self) -> tuple[geometry.Pair, geometry.Pair]:
        return geometry.pads_on_both_axes(self.cropping)


@dataclass(frozen=True)
class UpSampling1D(_UpSampling):
    """Repeat every step of a series (time, channels).

    Parameters
    ----------
    size : int
        How often.
    interpolation : {"nearest"}
        The only one that is offered.
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import UpSampling1D
    >>> UpSampling1D(3).output_shape((10, 8))
    (30, 8)
    """

    rank = 1


@dataclass(frozen=True)
class UpSampling2D(_UpSampling):
    """Repeat every line and column of an image (height, width, channels).

    Parameters
    ----------
    size : int or (int, int)
        How often.
    interpolation : {"nearest"}
        The only one that is offered.
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import UpSampling2D
    >>> UpSampling2D((2, 1)).output_shape((7, 7, 32))
    (14, 7, 32)
    """

    rank = 2


@dataclass(frozen=True)
class ZeroPadding1D(_ZeroPadding):
    """Add steps of zeros to a series (time, channels).

    Parameters
    ----------
    padding : int or (int, int)
        Steps on both sides, or before and after.
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import ZeroPadding1D
    >>> ZeroPadding1D((2, 0)).output_shape((10, 8))
    (12, 8)
    """

    rank = 1


@dataclass(frozen=True)
class ZeroPadding2D(_ZeroPadding):
    """Add lines and columns of zeros to an image (height, width, channels).

    Parameters
    ----------
    padding : int, or pairs of int
        Cells on all sides, (height, width), or ((top, bottom), (left, right)).
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import ZeroPadding2D
    >>> ZeroPadding2D(((1, 0), (2, 2))).output_shape((7, 7, 32))
    (8, 11, 32)
    """

    rank = 2


@dataclass(frozen=True)
class Cropping1D(_Cropping):
    """Cut steps off a series (time, channels).

    Parameters
    ----------
    cropping : int or (int, int)
        Steps on both sides, or before and after.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        From `Network.build` and `Network.fit`: nothing is left.

    Examples
    --------
    >>> from fastnn import Cropping1D
    >>> Cropping1D((2, 0)).output_shape((10, 8))
    (8, 8)
    """

    rank = 1


@dataclass(frozen=True)
class Cropping2D(_Cropping):
    """Cut lines and columns off an image (height, width, channels).

    Parameters
    ----------
    cropping : int, or pairs of int
        Cells on all sides, (height, width), or ((top, bottom), (left, right)).
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        From `Network.build` and `Network.fit`: nothing is left.

    Examples
    --------
    >>> from fastnn import Cropping2D
    >>> Cropping2D(2).output_shape((28, 28, 1))
    (24, 24, 1)
    """

    rank = 2
