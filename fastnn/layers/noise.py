"""GaussianNoise, added in training and, unless asked for, absent in inference."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ..ir.per_step import StreamOffset
from ..ir.program import StateValue
from ..runtime.random_streams import Stream
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["GaussianNoise"]


@dataclass(frozen=True)
class GaussianNoise(ShapedLayer):
    """Add independent normal numbers in training: a continuous kind of augmentation.

    The numbers of a step are a function of the network's seed, the layer's place, the step and the
    element, as those of `Dropout` are.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, not negative.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: stddev is negative or not finite.

    References
    ----------
    Bishop: Training with noise is equivalent to Tikhonov regularization. Neural Computation 7,
    1995.

    Examples
    --------
    >>> from fastnn import Dense, GaussianNoise, Network
    >>> net = Network([GaussianNoise(0.1), Dense(1)], loss="mean_squared_error")
    """

    keeps_axes = True

    stddev: float
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(stddev=checks.number("stddev", self.stddev, low=0))
        super().__post_init__()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            return dy if need_dx else None

        if not builder.noise or self.stddev == 0:
            return x, pullback
        y = builder.elementwise(x)
        seed, offset = StateValue.SEED, StreamOffset(Stream.LAYER + index)
        builder.emit("forward", "gaussian_noise_fwd", y, x, self.stddev, seed, offset)
        return y, pullback
