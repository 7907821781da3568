"""Layers that drop elements in training and, unless asked for, do nothing in inference."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..ir.per_step import StreamOffset
from ..ir.program import StateValue
from ..runtime.random_streams import Stream
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["AlphaDropout", "Dropout"]


@dataclass(frozen=True)
class Dropout(ShapedLayer):
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

    #: Name of its kernels, less the direction.
    kernel: ClassVar[str] = "dropout"

    keeps_axes = True

    rate: float
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(rate=checks.number("rate", self.rate, low=0, high=1, open_high=True))
        super().__post_init__()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        if not builder.noise or self.rate == 0:
            return x, lambda dy, need_dx: dy if need_dx else None
        y = builder.elementwise(x)
        mask = builder.buffer(x.shape, dtype=np.uint8, bits=True)
        seed, offset = StateValue.SEED, StreamOffset(Stream.LAYER + index)
        builder.emit("forward", f"{self.kernel}_fwd", y, mask, x, self.rate, seed, offset)
        backward = f"{self.kernel}_bwd"
        return y, builder.pullback_in_place(backward, lambda dy: (dy, mask, dy, self.rate))


@dataclass(frozen=True)
class AlphaDropout(Dropout):
    """Dropout for selu networks that keeps mean 0 and variance 1 of its input.

    In training, dropped elements become α' = −λ α = −1.7581, what selu saturates to, and then
    y = a x + b with a = (q + α'² q (1 − q))^(−½) and b = −a (1 − q) α', where q = 1 − rate.

    Parameters
    ----------
    rate : float
        Share to drop, in [0, 1), in steps of 1/65536; 0.05 to 0.1 is usual.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: rate is not in [0, 1).

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks. NIPS 2017.

    Examples
    --------
    >>> from fastnn import AlphaDropout, Dense, Network
    >>> layers = [Dense(64, "selu"), AlphaDropout(0.1), Dense(1)]
    >>> net = Network(layers, loss="mean_squared_error")
    """

    kernel = "alpha_dropout"
