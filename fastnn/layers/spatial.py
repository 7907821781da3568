"""Base of the layers along one axis of series, or both of images."""

from __future__ import annotations

from typing import ClassVar

from . import geometry
from .base import Layer


class SpatialLayer(Layer, listed=False):
    """Base of the layers of series (time, channels) or images (height, width, channels)."""

    #: Number of axes in front of the channels.
    rank: ClassVar[int]

    @property
    def kind(self) -> str:
        """Return the name of the class, for errors."""
        return type(self).__name__

    def input_view(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return geometry.with_channel(input_shape, self.rank)

    def image(self, input_shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return (height, width, channels) of the input."""
        return geometry.image_shape(self.kind, input_shape, self.rank)
