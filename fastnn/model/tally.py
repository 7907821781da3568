"""Metrics of predictions that come batch by batch, without keeping all of them.

Precision, F1 and R² are no means over batches, so metrics are taken over all rows of an epoch. What
must be kept for that is the decision of each row, or nothing but sums; the predictions themselves
only where a metric needs them all (areas under curves, R², functions of the user). Where a block of
batches ends depends on sizes alone, and so do the bits of the scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..execution.batches import BatchPass
from ..metrics.scoring import Compared, Metric, compared, scored

#: Predictions kept at a time, unless a single batch has more.
BLOCK_ELEMENTS = 1 << 20


def block_batches(metrics: Sequence[Metric], batches: int, batch_size: int, outputs: int) -> int:
    """Return the number of batches whose predictions are held at a time."""
    if not all(metric.in_pieces for metric in metrics):
        return batches
    return min(batches, max(1, BLOCK_ELEMENTS // (batch_size * outputs)))


class Tally:
    """Collects what metrics need of a pass; gives the pass its array of predictions.

    Parameters
    ----------
    metrics : sequence of Metric
    task : str
        Of the loss.
    batches : BatchPass
        With targets.
    outputs : int
    dtype : dtype
        Of predictions.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        task: str,
        batches: BatchPass,
        outputs: int,
        dtype: np.dtype,
    ):
        self._metrics, self._task, self._batches = metrics, task, batches
        self._classes = max(outputs, 2)
        self._block = block_batches(metrics, len(batches), batches.batch_size, outputs)
        n_rows = min(self._block * batches.batch_size, len(batches.data))
        batches.predictions = np.zeros((n_rows, outputs), dtype)
        self.restart()

    def restart(self) -> None:
        """Drop what was collected, at the beginning of an epoch."""
        self._batches.kept_from = 0
        self._weights: list[np.ndarray | None] = []  # of the rows of each block
        self._decisions: list[tuple[np.ndarray, np.ndarray]] = []
        self._scores: dict[str, list[np.ndarray]] = {m.name: [] for m in self._metrics}

    @property
    def block_end(self) -> int:
        """Return the number of the batch before which the block at hand ends."""
        return min(self._batches.kept_from + self._block, len(self._batches))

    def reach(self, batch: int) -> None:
        """Note that the batches before that number are done; collect a block that is complete."""
        if batch == self.block_end and batch > self._batches.kept_from:
            self._take(self._batches.kept_from, batch)
            self._batches.kept_from = batch

    def _take(self, start: int, stop: int) -> None:
        batches, data = self._batches, self._batches.data
        assert data.target is not None
        assert batches.predictions is not None
        target = batches.visited(start, stop, data.target)
        prediction = batches.predictions[: len(target)]
        weight = None if data.weight is None else batches.visited(start, stop, data.weight)
        self._weights.append(weight)
        for metric in self._metrics:
            if metric.compares is not Compared.DECISIONS:
                pair = compared(metric, self._task, target, prediction)
                self._scores[metric.name].append(scored(metric, *pair, weight, self._classes))
        deciding = [m for m in self._metrics if m.compares is Compared.DECISIONS]
        if deciding:
            true, predicted = compared(deciding[0], self._task, target, prediction)
            self._decisions.append((_compact(true), _compact(predicted)))

    def scores(self) -> dict[str, float]:
        """Return all metrics, by name."""
        found: dict[str, float] = {}
        weights = [weight for weight in self._weights if weight is not None]
        weight = np.concatenate(weights) if weights else None
        if self._decisions:
            true, predicted = map(np.concatenate, zip(*self._decisions, strict=True))
        for metric in self._metrics:
            if metric.compares is Compared.DECISIONS:
                values = scored(metric, true, predicted, weight, self._classes)
            else:
                values = self._mean(self._scores[metric.name])
            found |= zip(metric.names(self._classes), values.tolist(), strict=True)
        return found

    def _mean(self, values: list[np.ndarray]) -> np.ndarray:
        """Return the mean over the blocks, by weight; leave out blocks that weigh nothing."""
        if len(values) == 1:
            return values[0]
        starts = range(0, len(self._batches), self._block)
        shares = np.add.reduceat(self._batches.weights(), list(starts))
        counted = shares > 0
        return np.average(np.array(values)[counted], axis=0, weights=shares[counted])


def _compact(decisions: np.ndarray) -> np.ndarray:
    """Return class numbers or answers as small integers."""
    largest = int(decisions.max(initial=0))
    small = np.int8 if largest < 128 else np.int32
    return decisions.astype(small)
