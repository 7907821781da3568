"""Dropout of whole channels of series and images."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..ir.per_step import StreamOffset
from ..ir.program import StateValue
from ..runtime.random_streams import Stream
from ..utils import checks
from . import geometry
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["SpatialDropout1D", "SpatialDropout2D"]


@dataclass(frozen=True)
class _SpatialDropout(ShapedLayer):
    """Base of both layers."""

    rank: ClassVar[int]

    rate: float
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(rate=checks.number("rate", self.rate, low=0, high=1, open_high=True))
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        geometry.image_shape(type(self).__name__, input_shape, self.rank)
        return input_shape

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        if not builder.noise or self.rate == 0:
            return x, lambda dy, need_dx: dy if need_dx else None
        y, positions = builder.elementwise(x), geometry.as_positions
        mask = builder.buffer(x.shape[-1:], dtype=np.uint8, bits=True)
        random = self.rate, StateValue.SEED, StreamOffset(Stream.LAYER + index)
        builder.emit("forward", "spatial_dropout_fwd", positions(y), mask, positions(x), *random)

        def arguments(dy: Ref) -> tuple[Ref, Ref, Ref, float]:
            return positions(dy), mask, positions(dy), self.rate

        return y, builder.pullback_in_place("spatial_dropout_bwd", arguments)


@dataclass(frozen=True)
class SpatialDropout1D(_SpatialDropout):
    """Drop whole channels of series (time, channels) in training, and scale the others up.

    Neighbouring steps resemble each other, so that dropping single ones hides little.

    Parameters
    ----------
    rate : float
        Share of the channels of a row to drop, in [0, 1), in steps of 1/65536.
    input_shape : tuple of int, optional
    name : str, optional

    References
    ----------
    Tompson et al.: Efficient object localization using convolutional networks. CVPR 2015.

    Examples
    --------
    >>> from fastnn import SpatialDropout1D
    >>> SpatialDropout1D(0.2).output_shape((100, 8))
    (100, 8)
    """

    rank = 1


@dataclass(frozen=True)
class SpatialDropout2D(_SpatialDropout):
    """Drop whole channels of images (height, width, channels) in training; scale the others up.

    Neighbouring cells resemble each other, so that dropping single ones hides little.

    Parameters
    ----------
    rate : float
        Share of the channels of a row to drop, in [0, 1), in steps of 1/65536.
    input_shape : tuple of int, optional
    name : str, optional

    References
    ----------
    Tompson et al.: Efficient object localization using convolutional networks. CVPR 2015.

    Examples
    --------
    >>> from fastnn import SpatialDropout2D
    >>> SpatialDropout2D(0.2).output_shape((14, 14, 32))
    (14, 14, 32)
    """

    rank = 2
