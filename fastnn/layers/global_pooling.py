"""Pooling of whole series and images: one value for each channel."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..utils import checks
from . import geometry
from .base import ShapedLayer
from .spatial import SpatialLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
]


@dataclass(frozen=True)
class _GlobalPooling(SpatialLayer, ShapedLayer):
    """Base of the layers that leave one value of each channel."""

    _: KW_ONLY
    keepdims: bool = False
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(keepdims=checks.boolean("keepdims", self.keepdims))
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        channels = self.image(input_shape)[2]
        return (*(1,) * self.rank, channels) if self.keepdims else (channels,)


@dataclass(frozen=True)
class _GlobalMaxPooling(_GlobalPooling):
    """Base of both layers that take the largest value."""

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, channels = builder.activation(self.output_shape(x.shape)), x.shape[-1:]
        winners = builder.buffer(channels, dtype=np.uint32) if builder.training else None
        positions, flat_y = geometry.as_positions, y.reshaped(channels)
        builder.emit("forward", "global_max_fwd", flat_y, winners, positions(x))

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx, flat_dy = builder.gradient(x.shape), dy.reshaped(channels)
            builder.emit("backward", "global_max_bwd", positions(dx), flat_dy, winners)
            return dx

        return y, pullback


@dataclass(frozen=True)
class _GlobalAveragePooling(_GlobalPooling):
    """Base of both layers that take means."""

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y, channels = builder.activation(self.output_shape(x.shape)), x.shape[-1:]
        positions = geometry.as_positions
        builder.emit("forward", "global_average_fwd", y.reshaped(channels), positions(x))

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "global_average_bwd", positions(dx), dy.reshaped(channels))
            return dx

        return y, pullback


@dataclass(frozen=True)
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Largest value of each channel of a series (time, channels).

    Parameters
    ----------
    keepdims : bool
        Whether the output is (1, channels) instead of (channels,).
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import GlobalMaxPooling1D
    >>> GlobalMaxPooling1D().output_shape((100, 8))
    (8,)
    """

    rank = 1


@dataclass(frozen=True)
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Largest value of each channel of an image (height, width, channels).

    Parameters
    ----------
    keepdims : bool
        Whether the output is (1, 1, channels) instead of (channels,).
    input_shape : tuple of int, optional
    name : str, optional

    Examples
    --------
    >>> from fastnn import GlobalMaxPooling2D
    >>> GlobalMaxPooling2D(keepdims=True).output_shape((7, 7, 64))
    (1, 1, 64)
    """

    rank = 2


@dataclass(frozen=True)
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Mean of each channel of a series (time, channels).

    Parameters
    ----------
    keepdims : bool
        Whether the output is (1, channels) instead of (channels,).
    input_shape : tuple of int, optional
    name : str, optional

    References
    ----------
    Lin, Chen, Yan: Network in network. ICLR 2014.

    Examples
    --------
    >>> from fastnn import GlobalAveragePooling1D
    >>> GlobalAveragePooling1D().output_shape((100, 8))
    (8,)
    """

    rank = 1


@dataclass(frozen=True)
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Mean of each channel of an image (height, width, channels).

    Parameters
    ----------
    keepdims : bool
        Whether the output is (1, 1, channels) instead of (channels,).
    input_shape : tuple of int, optional
    name : str, optional

    References
    ----------
    Lin, Chen, Yan: Network in network. ICLR 2014.

    Examples
    --------
    >>> from fastnn import GlobalAveragePooling2D
    >>> GlobalAveragePooling2D().output_shape((7, 7, 64))
    (64,)
    """

    rank = 2
