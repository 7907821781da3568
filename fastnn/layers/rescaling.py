"""Rescaling of inputs as they are gathered into the batch."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..ir.program import Region
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Rescaling"]


@dataclass(frozen=True)
class Rescaling(ShapedLayer):
    """Multiply the input by a number, in front of all other layers but `Flatten`.

    It costs nothing: rows are multiplied as they are gathered into the batch. So images of bytes
    need never be expanded in memory, and may stay on disk (`numpy.memmap`).

    Parameters
    ----------
    scale : float
        Not 0. 1/255 takes bytes to [0, 1].
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: the scale is 0 or not finite. From `Network`, if another layer stands
        before this one.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Flatten, Network, Rescaling
    >>> images = np.zeros((100, 28, 28), np.uint8)
    >>> net = Network([Rescaling(1 / 255), Flatten(), Dense(10)], loss="softmax_cross_entropy")
    >>> net.build((28, 28)).predict(images).shape
    (100, 10)
    """

    scale: float
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ("Flatten", "Rescaling")

    keeps_axes = True

    def __post_init__(self) -> None:
        self._set_fields(scale=checks.number("scale", self.scale))
        if self.scale == 0:
            raise ArgumentError("scale must not be 0")
        super().__post_init__()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        assert x.region is Region.INPUT  # `ModelConfig` has checked it
        builder.input_scale *= self.scale
        return x, lambda dy, need_dx: None  # no trainable layer can stand before it
