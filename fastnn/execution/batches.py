"""A pass over a data set: which rows, in which order and batches, and what comes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ..augmentation.pipeline import Pipeline
from ..data.data_set import DataSet
from ..ir.program import Batch, Plan, RunState


@dataclass
class BatchPass:
    """Rows to visit once, and what is found out about them.

    Attributes
    ----------
    data : DataSet
    batch_size : int
    order : ndarray of int64, shape (len(data),), or None
        Rows of the arrays in the order to visit; None is all of them as they lie.
    scored : bool
        Whether to compute the losses.
    augmentation : Pipeline or None
        Random changes to the batches.
    losses : ndarray of float64, shape (batches,)
        Filled with the loss of each batch; a batch without weight leaves 0.
    predictions : ndarray, shape (rows of some batches, outputs), or None
        Filled with the predictions for the rows of the batches from `kept_from` on, in the order of
        visit; a batch of training that weighs nothing has none.
    kept_from : int
    """

    data: DataSet
    batch_size: int
    order: np.ndarray | None = None
    predictions: np.ndarray | None = None
    scored: bool = True
    augmentation: Pipeline | None = None
    kept_from: int = 0
    losses: np.ndarray = field(init=False)
    _weights: np.ndarray | None = field(init=False, default=None)  # of the batches, once computed

    def __post_init__(self) -> None:
        self.losses = np.zeros(len(self))
        if self.order is None:
            self.order = self.data.rows

    def restart(self, order: np.ndarray | None) -> None:
        """Clear the losses, and visit rows of the data set in this order; None keeps the last."""
        self.losses[:] = 0
        if order is not None:
            self.order = order if self.data.rows is None else self.data.rows[order]
            if self.data.weight is not None:
                self._weights = None

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self.data) // self.batch_size)

    def rows(self, number: int) -> slice | np.ndarray:
        """Return the rows of batch `number`, counted from 0."""
        start = number * self.batch_size
        rows = slice(start, min(start + self.batch_size, len(self.data)))
        return rows if self.order is None else self.order[rows]

    def visited(self, start: int, stop: int, array: np.ndarray) -> np.ndarray:
        """Return the rows of an array, as long as the data's, that batches [start, stop) visit."""
        rows = slice(start * self.batch_size, min(stop * self.batch_size, len(self.data)))
        return array[rows] if self.order is None else array[self.order[rows]]

    def size(self, number: int) -> int:
        """Return the number of rows of batch `number`."""
        return min(self.batch_size, len(self.data) - number * self.batch_size)

    def sizes(self) -> np.ndarray:
        """Return the number of rows of every batch."""
        sizes = np.full(len(self), self.batch_size)
        sizes[-1] = self.size(len(self) - 1)
        return sizes

    def weights(self) -> np.ndarray:
        """Return the sum of the weights of each batch, float64; without any, its number of rows."""
        if self._weights is None:
            self._weights = self.sizes().astype(np.float64)
            if self.data.weight is not None:
                weight = self.data.weight if self.order is None else self.data.weight[self.order]
                starts = np.arange(len(self)) * self.batch_size
                self._weights = np.add.reduceat(weight, starts, dtype=np.float64)
        return self._weights

    def mean_loss(self, batches: int | None = None, *, by_rows: bool = False) -> float:
        """Return Σ w l / Σ w over the rows of the first batches, or of all; NaN if Σ w is 0.

        Batches count what their rows weigh; with `by_rows`, their number of rows.
        """
        shares = (self.sizes() if by_rows else self.weights())[:batches]
        total = shares.sum()
        return float((self.losses[:batches] * shares).sum() / total) if total else math.nan

    def batch(self, number: int, plan: Plan, state: RunState | None = None) -> Batch:
        """Return batch `number` as a plan takes it; `state` keys what augments it."""
        rows, data = self.rows(number), self.data
        x = data.x[rows].astype(plan.dtype, copy=False)
        if plan.input_scale != 1:
            x = x * plan.dtype.type(plan.input_scale)
        target = None if data.target is None else data.target[rows]
        batch = Batch(x, target, None if data.weight is None else data.weight[rows])
        if self.augmentation is None:
            return batch
        assert state is not None
        return self.augmentation(batch, state.seed, state.step)


@dataclass(slots=True)
class BatchRange:
    """Batches [start, stop) of a pass, to be trained on or predicted by an executor.

    Attributes
    ----------
    batches : BatchPass
    start, stop : int
    state : RunState
        Its step and its learning rate move on with each update.
    learning_rates : ndarray of float64, shape (stop − start or more,), or None
        Those of the updates to come; None leaves the parameters as they are.
    seconds : float or None
        The time after which to return at the end of a batch.
    """

    batches: BatchPass
    start: int
    stop: int
    state: RunState
    learning_rates: np.ndarray | None = None
    seconds: float | None = None

    def within(self, seconds: float) -> BatchRange:
        """Return the same range for so many seconds at most."""
        limit = seconds if self.seconds is None else min(seconds, self.seconds)
        return replace(self, seconds=limit)
