"""Learning curves over the size of the training set, which tell whether more data would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..data.data_set import DataSet
from ..errors import ArgumentError, ArgumentTypeError, DivergenceError
from ..model import inference
from ..model.base import model_of
from ..network import Network
from ..utils import checks
from . import samples
from .bias_variance import ErrorRate

#: Shares of the training rows, each twice the one before, since errors fall about as a power of the
#: number of rows (Hestness et al., Deep learning scaling is predictable, 2017).
SIZES = (1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class CurvePoint:
    """Errors of a network trained on part of the data.

    Attributes
    ----------
    rows, updates : int
        Number of training rows, and of optimizer steps.
    training, validation : ErrorRate
        On those training rows, and on the validation rows.
    """

    rows: int
    updates: int
    training: ErrorRate
    validation: ErrorRate


@dataclass(frozen=True)
class LearningCurve:
    """Errors against the number of training rows.

    Attributes
    ----------
    points : tuple of CurvePoint
        From the fewest rows to all; sizes on which training diverged are left out.
    """

    points: tuple[CurvePoint, ...]

    @property
    def last_gain(self) -> float:
        """Return by how much the last enlargement of the data lowered the validation error."""
        if len(self.points) < 2:
            return 0.0
        before, after = self.points[-2:]
        return before.validation.value - after.validation.value

    @property
    def still_falling(self) -> bool:
        """Return whether `last_gain` exceeds the standard error of the last validation error."""
        return bool(self.points) and self.last_gain > self.points[-1].validation.standard_error


def check_sizes(sizes: Sequence[float]) -> tuple[float, ...]:
    """Return ascending shares of the training rows; raise an error for anything else."""
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise ArgumentTypeError(f"curve_sizes must be a list of shares, or None, got {sizes!r}")
    shares = tuple(checks.number("curve_sizes", s, low=0, high=1, open_low=True) for s in sizes)
    if not shares or any(a >= b for a, b in pairwise(shares)):
        raise ArgumentError(f"curve_sizes must be ascending shares of the rows, got {sizes!r}")
    return shares


def learning_curve(
    net: Network,
    train: DataSet,
    validation: DataSet,
    *,
    sizes: Sequence[float],
    epochs: int,
    batch_size: int,
) -> LearningCurve:
    """Train clones of the network on nested parts of the rows.

    Each starts from the same seed and takes as many updates as `epochs` on all rows, so that only
    the data differ. The network itself is not changed.
    """
    order = samples.random_order(len(train), net.seed, samples.SUBSETS)
    updates = epochs * -(-len(train) // min(batch_size, len(train)))
    points = []
    for share in sizes:
        n_rows = max(1, round(share * len(train)))
        part = train if n_rows == len(train) else train.take(np.sort(order[:n_rows]))
        try:
            points.append(_train(net.clone(), part, validation, updates, batch_size))
        except DivergenceError:
            continue
    return LearningCurve(tuple(points))


def _train(
    net: Network, part: DataSet, validation: DataSet, updates: int, batch_size: int
) -> CurvePoint:
    assert part.target is not None
    x, target = part.selected(part.x), part.selected(part.target)
    per_epoch = -(-len(part) // batch_size)
    net.fit(x, target, batch_size=batch_size, epochs=round(updates / per_epoch) or 1, verbose=0)
    return CurvePoint(len(part), net.state.step, error_rate(net, part), error_rate(net, validation))


def error_rate(net: Network, data: DataSet) -> ErrorRate:
    """Return the error of a network's predictions."""
    assert data.target is not None
    predictions = inference.predict(model_of(net), data.selected(data.x))
    return ErrorRate.of(net.loss.task, data.selected(data.target), predictions)
