"""The rows with the largest losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.data_set import DataSet
from ..execution.batches import BatchPass, BatchRange
from ..metrics import scoring
from ..model.base import model_of
from ..network import Network


@dataclass(frozen=True)
class HardExample:
    """A validation row with a large loss.

    Attributes
    ----------
    row : int
        Row number in X_val, from 0.
    loss : float
        Loss of the row, without penalties.
    true, predicted : int, float or tuple of them
        Class, value, or one for each output.
    """

    row: int
    loss: float
    true: int | float | tuple[int | float, ...]
    predicted: int | float | tuple[int | float, ...]


def row_losses(net: Network, data: DataSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of every row, shape (n,) float64, and predictions, shape (n, outputs)."""
    predictions = np.empty((len(data), *net.output_shape), net.dtype)
    one_by_one = BatchPass(data, 1, predictions=predictions)
    with model_of(net).executors.inference(1, data.labels) as executor:
        executor.run(BatchRange(one_by_one, 0, len(one_by_one), net.state))
    return one_by_one.losses, predictions


def hardest(
    task: str, target: np.ndarray, prediction: np.ndarray, losses: np.ndarray, n: int
) -> tuple[HardExample, ...]:
    """Return the `n` rows with the largest losses, the largest first."""
    true, predicted = scoring.decisions(task, target), scoring.decisions(task, prediction)
    found = np.argsort(-losses, kind="stable")[:n]
    return tuple(
        HardExample(int(r), float(losses[r]), _plain(true[r]), _plain(predicted[r])) for r in found
    )


def _plain(value: np.ndarray) -> int | float | tuple[int | float, ...]:
    values = np.atleast_1d(value).tolist()
    return values[0] if len(values) == 1 else tuple(values)
