"""Layers that add noise in training and vanish in inference."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import checks
from ..plan import StateValue, StreamOffset
from ..randomness import Stream
from .base import Layer

if TYPE_CHECKING:
    from ..compiler import PlanBuilder, Pullback
    from ..plan import Ref


@dataclass(frozen=True)
class Dropout(Layer):
    """Set a random share of the elements to 0 in training, and scale the others up to match.

    The mask of a step is a function of the network's seed, the layer's place, the step and the
    element: the same for any number of threads, and after a restart.

    Parameters
    ----------
    rate : float
        Share to drop, in [0, 1), in steps of 1/65536.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout. JMLR 15, 2014.

    Examples
    --------
    >>> from fastnn import Dense, Dropout, Network
    >>> net = Network([Dense(64, "relu"), Dropout(0.5), Dense(1)], loss="mean_squared_error")
    """

    rate: float
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._settle(rate=checks.real("rate", self.rate, low=0, high=1, open_high=True))
        self._settle_input_shape()
        self._settle_name()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        if not builder.training or self.rate == 0:
            return x, lambda dy, wanted: dy if wanted else None
        y = builder.activation(x.shape)
        mask = builder.buffer(x.shape, dtype=np.uint8, bits=True)
        seed, offset = StateValue.SEED, StreamOffset(Stream.LAYER + index)
        builder.emit("forward", "dropout_fwd", y, mask, x, self.rate, seed, offset)
        return y, builder.pullback_in_place("dropout_bwd", lambda dy: (dy, mask, dy, self.rate))
