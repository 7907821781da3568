"""Normalization of inputs by the mean and variance of the training data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.moments import Moments
from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import Buffer
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Normalization"]

Numbers = float | Sequence[float]


@dataclass(frozen=True)
class Normalization(ShapedLayer):
    """Subtract the mean of the training data and divide by their standard deviation.

    The first `Network.fit` (or `Network.train_on_batch`) learns mean and variance from its training
    rows, in float64 and in pieces, so that neither bytes nor files on disk are ever expanded as a
    whole. After that they stay as they are, through later fits and in the model file, until
    `Network.adapt` learns them anew. Before, and for the rows of `validation_data`, nothing is
    learned: a network that was never fitted passes its input on as it is.

    A constant column, or one that differs by no more than its numbers are rounded, counts as one of
    variance 1: it becomes 0. In inference the layer costs nothing in front of a `Dense`: it is
    folded into the weights, where there are rows enough to make that pay and no column's mean
    exceeds 64 standard deviations, which would cost digits.

    Parameters
    ----------
    axis : int, tuple of int, or None
        Axes of X, rows being axis 0, with a mean and variance for each place along them. -1,
        the last: of each column of a table, or channel of images (rows, height, width, channels).
        None: one of everything. A tuple must name the last axes, as (1, 2) does for (rows, height,
        width): of each pixel.
    mean, variance : float or sequence of float, optional
        To be used instead of learned ones; both or neither. Of what reaches the layer: after
        `Rescaling`, if that stands before it.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: a variance is negative, only one of mean and variance is
        given, their lengths differ. From `Network`, if another layer than `Flatten` and `Rescaling`
        stands before this one; from `Network.build` and `Network.fit`, if axis or lengths do not
        fit the rows; from `fit`, if a column of X is float64 or of large integers and its values
        are too close together for a float32 network (seconds since 1970, within a minute): subtract
        a constant, or give the network ``dtype="float64"``.

    References
    ----------
    Ng: Improving deep neural networks, week 1, normalizing inputs. LeCun, Bottou, Orr, Müller:
    Efficient backprop. In Neural Networks: Tricks of the Trade, 1998. Names are those of Keras,
    where `adapt` must be called.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, Normalization
    >>> X = np.array([[1.0, 200.0], [3.0, 400.0], [5.0, 600.0]])
    >>> net = Network([Normalization(), Dense(1)], loss="mean_squared_error", seed=0)
    >>> history = net.fit(X, X[:, 0], verbose=0)
    >>> net.buffers["normalization_1/mean"]
    array([  3., 400.], dtype=float32)
    """

    axis: int | tuple[int, ...] | None = -1
    _: KW_ONLY
    mean: Numbers | None = None
    variance: Numbers | None = None
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ("Flatten", "Rescaling")
    keeps_axes = True

    def __post_init__(self) -> None:
        self._set_fields(axis=_axis(self.axis))
        if (self.mean is None) != (self.variance is None):
            raise ArgumentError("mean and variance must be given together, or neither")
        if self.mean is not None:
            mean, variance = _numbers("mean", self.mean), _numbers("variance", self.variance)
            if len(mean) != len(variance):
                raise ArgumentError(
                    f"mean and variance must be of one length, got {len(mean)} and {len(variance)}"
                )
            if min(variance) < 0:
                raise ArgumentError(f"variance must not be negative, got {min(variance)}")
            self._set_fields(mean=mean, variance=variance)
        super().__post_init__()

    @property
    def adapts(self) -> bool:
        return self.mean is None

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        places = self._places(input_shape)
        if self.mean is not None and len(self.mean) not in (1, places):  # type: ignore[arg-type]
            raise ArgumentError(
                f"mean must have one number, or {places} for rows of shape {input_shape}, "
                f"got {len(self.mean)}"  # type: ignore[arg-type]
            )
        return input_shape

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        places = (self._places(input_shape),)
        if self.mean is None:
            mean: tuple[float, ...] = (0.0,)
            variance: tuple[float, ...] = (1.0,)
        else:
            mean, variance = self.mean, tuple(v or 1.0 for v in self.variance)  # type: ignore
        count = (Buffer("count", (1,)),) if self.adapts else ()
        return Buffer("mean", places, mean), Buffer("variance", places, variance), *count

    def normalized_columns(self, input_shape: tuple[int, ...]) -> int | None:
        return self._places(input_shape)

    def _places(self, input_shape: tuple[int, ...]) -> int:
        """Return the number of means for rows of this shape."""
        if self.axis is None:
            return 1
        dimensions = 1 + len(input_shape)
        wanted = (self.axis,) if isinstance(self.axis, int) else self.axis
        axes = sorted(axis + dimensions if axis < 0 else axis for axis in wanted)
        if axes != list(range(dimensions - len(axes), dimensions)) or axes[0] == 0:
            raise ArgumentError(
                f"axis must name the last axes of X, without that of the rows, got {self.axis} "
                f"for rows of shape {input_shape}"
            )
        return math.prod(input_shape[-len(axes) :])

    def adapt(
        self, pieces: Iterable[np.ndarray], input_shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        moments = Moments(self._places(input_shape))
        for piece in pieces:
            moments.add(piece.reshape(-1, moments.columns))
        return moments.buffers()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        mean, variance = parameters["mean"], parameters["variance"]
        (places,) = mean.shape
        y = builder.elementwise(x)
        arguments = y.as_matrix(places), x.as_matrix(places), mean, variance, None, None, 0.0
        builder.emit("forward", "standardize_fwd", *arguments)
        return y, lambda dy, need_dx: None  # no trainable layer can stand before it


def _axis(axis: object) -> int | tuple[int, ...] | None:
    if axis is None:
        return None
    if isinstance(axis, Sequence) and not isinstance(axis, str):
        if not axis or len(set(axis)) < len(axis):
            raise ArgumentError(f"axis must name different axes, at least one, got {axis!r}")
        return tuple(_one_axis(each) for each in axis)
    return _one_axis(axis)


def _one_axis(axis: object) -> int:
    return checks.integer("axis", axis, low=-8, high=8)


def _numbers(argument: str, values: object) -> tuple[float, ...]:
    """Return one finite number, or a flat sequence of them, as a tuple."""
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        array = np.empty((0, 0))
    if array.ndim > 1 or array.size == 0:
        raise ArgumentTypeError(
            f"{argument} must be a number or a sequence of numbers, got {values!r}"
        )
    if not np.isfinite(array).all():
        raise ArgumentError(f"{argument} must be finite, got {values!r}")
    return tuple(array.reshape(-1).tolist())
