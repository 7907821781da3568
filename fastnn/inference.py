"""Prediction and evaluation: the forward pass, batch by batch, on data already checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import metrics
from .data import DataSet
from .plan import Batch, Result

if TYPE_CHECKING:
    from .network import Network

#: Rows run at a time unless told otherwise: enough to fill the kernels, few enough for the caches.
BATCH_SIZE = 1024


def predict(network: Network, x: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
    """Predictions for the rows of x, shape (n, outputs)."""
    prediction = np.empty((len(x), *network.output_shape), network.dtype)
    with network.executors.inference(min(batch_size, len(x)), labels=False) as executor:
        for start in range(0, len(x), batch_size):
            rows = slice(start, start + batch_size)
            batch = Batch(x[rows])
            executor.run(("forward", "predict"), batch, network.state)
            prediction[rows] = executor.array(executor.plan.prediction, batch)
    return prediction


def evaluate(network: Network, data: DataSet, batch_size: int = BATCH_SIZE) -> dict[str, float]:
    """Loss, penalties included, and metrics, as a dict."""
    total = total_weight = 0.0
    prediction = np.empty((len(data), *network.output_shape), network.dtype)
    with network.executors.inference(min(batch_size, len(data)), data.labels) as executor:
        for rows, batch in data.batches(batch_size):
            results = executor.run(("forward", "predict", "loss"), batch, network.state)
            weight = float(len(batch.x) if batch.weight is None else batch.weight.sum(dtype=float))
            total += results[Result.LOSS] * weight
            total_weight += weight
            prediction[rows] = executor.array(executor.plan.prediction, batch)
        penalty = executor.run(("penalty",), batch, network.state)[Result.LOSS]
    scores = metrics.evaluate(
        network.metrics, network.loss.task, data.target, prediction, data.weight
    )
    return {"loss": total / total_weight + penalty} | scores
