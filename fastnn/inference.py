"""Prediction and evaluation: the forward pass, batch by batch, on data already checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import metrics
from .data import DataSet
from .passes import Pass
from .plan import Batch, Result
from .sparse_rows import SparseRows

if TYPE_CHECKING:
    from .network import Network

#: Rows run at a time unless told otherwise: enough to fill the kernels, few enough for the caches.
BATCH_SIZE = 1024

#: The step that keys the masks of the first draw: beyond all of training, whose steps have 47 bits.
FIRST_DRAW = 1 << 47


def predict(
    network: Network, x: np.ndarray | SparseRows, batch_size: int = BATCH_SIZE, link: bool = True
) -> np.ndarray:
    """Return predictions for the rows of x, shape (n, outputs).

    Without the link of the loss, they are the outputs of the last layer: logits of a cross-entropy.
    """
    predictions = np.empty((len(x), *network.output_shape), network.dtype)
    batch_size = min(batch_size, len(x))
    rows = Pass(DataSet(x), batch_size, predictions=predictions, scored=False)
    with network.executors.inference(batch_size, labels=False, link=link) as executor:
        executor.infer(rows, network.state)
    return predictions


def moments_of_draws(
    network: Network, x: np.ndarray | SparseRows, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of predictions with dropout and noise, each (n, outputs).

    The masks of a draw are a function of the network's seed, the number of the draw and the place
    of the row in x; no step of training has them.
    """
    mean, deviation = (np.empty((len(x), *network.output_shape), network.dtype) for _ in range(2))
    batch_size = min(BATCH_SIZE, len(x))
    step = FIRST_DRAW
    with network.executors.inference(batch_size, labels=False, noise=True) as executor:
        for start in range(0, len(x), batch_size):
            piece = DataSet(x[start : start + batch_size])
            sample = np.empty((draws, len(piece), *network.output_shape), network.dtype)
            for predictions in sample:
                rows = Pass(piece, batch_size, predictions=predictions, scored=False)
                executor.infer(rows, replace(network.state, step=step))
                step += 1
            rows_done = slice(start, start + batch_size)
            mean[rows_done] = sample.mean(axis=0, dtype=np.float64)
            deviation[rows_done] = sample.std(axis=0, dtype=np.float64)
    return mean, deviation


def evaluate(network: Network, data: DataSet, batch_size: int = BATCH_SIZE) -> dict[str, float]:
    """Loss, penalties included, and metrics, as a dict."""
    batch_size = min(batch_size, len(data))
    rows = Pass(data, batch_size)
    if network.metrics:
        rows.predictions = np.empty((len(data.x), *network.output_shape), network.dtype)
    weights = Batch(np.empty((len(data), 0)), weight=data.weights)
    with network.executors.inference(batch_size, data.labels) as executor:
        executor.infer(rows, network.state)
        penalty = executor.run(("penalty",), weights, network.state)[Result.LOSS]
    return {"loss": _mean_loss(rows) + penalty} | scores(network, rows)


def scores(network: Network, rows: Pass) -> dict[str, float]:
    """Metrics of the predictions that a pass left; none if it left none."""
    data = rows.data
    if rows.predictions is None or data.target is None:
        return {}
    target, predictions = data.selected(data.target), data.selected(rows.predictions)
    return metrics.evaluate(network.metrics, network.loss.task, target, predictions, data.weights)


def _mean_loss(rows: Pass) -> float:
    """Over all rows: each batch's mean counts what its rows weigh."""
    shares = rows.sizes().astype(float)
    if rows.data.weights is not None:
        weight = rows.data.weights.astype(float)
        shares = np.add.reduceat(weight, np.arange(len(rows)) * rows.batch_size)
    return float((rows.losses * shares).sum() / shares.sum())
