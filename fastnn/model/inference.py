"""Prediction and evaluation: the forward pass, batch by batch, on data already checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.data_set import DataSet
from ..data.sparse_rows import SparseRows
from ..execution import selection
from ..execution.batches import BatchPass, BatchRange
from ..execution.executor_pool import ExecutorPool
from ..metrics import scoring
from .base import Model
from .tally import Tally

#: Rows run at a time unless told otherwise: enough to fill the kernels, few enough for the caches.
BATCH_SIZE = 1024

#: The step that keys the masks of the first draw: beyond all of training, whose steps have 47 bits.
FIRST_MC_STEP = 1 << 47


def predict(
    model: Model, x: np.ndarray | SparseRows, batch_size: int = BATCH_SIZE, link: bool = True
) -> np.ndarray:
    """Return predictions for the rows of x, shape (n, outputs).

    Without the link of the loss, they are the outputs of the last layer: logits of a cross-entropy.
    """
    predictions = np.empty((len(x), *model.output_shape), model.dtype)
    batch_size = min(batch_size, len(x))
    batches = BatchPass(DataSet(x), batch_size, predictions=predictions, scored=False)
    with model.executors.inference(batch_size, labels=False, link=link) as executor:
        executor.run(BatchRange(batches, 0, len(batches), model.state))
    return predictions


class RowPredictor:
    """Predicts single rows, without checks, in a few microseconds; for one thread at a time.

    Everything that a prediction needs lies ready: a call copies the row in, runs the plan for one
    row, and copies the outputs out. Later changes of the weights are seen.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model):
        row = np.zeros((1, *model.input_shape), model.dtype)
        outputs = np.zeros((1, *model.output_shape), model.dtype)
        with model.executors.inference(1, labels=False) as executor:
            plan = executor.plan  # folded only where that costs no digits
        own = selection.executor_class(plan)(plan, model.arena)
        batches = BatchPass(DataSet(row), 1, predictions=outputs, scored=False)
        self._run = own.bind_inference(BatchRange(batches, 0, 1, model.state))
        self._row, self._outputs = row[0], outputs[0]

    def __call__(self, row: Any) -> np.ndarray:
        """Return the network's predictions (outputs,) for a row of its input shape."""
        self._row[:] = row
        self._run()
        return self._outputs.copy()


def mc_dropout_mean_std(
    model: Model, x: np.ndarray | SparseRows, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of predictions with dropout and noise, each (n, outputs).

    The masks of a draw are a function of the network's seed, the number of the draw and the place
    of the row in x; no step of training has them.
    """
    mean, deviation = (np.empty((len(x), *model.output_shape), model.dtype) for _ in range(2))
    batch_size = min(BATCH_SIZE, len(x))
    step = FIRST_MC_STEP
    with model.executors.inference(batch_size, labels=False, noise=True) as executor:
        for start in range(0, len(x), batch_size):
            piece = DataSet(x[start : start + batch_size])
            sample = np.empty((draws, len(piece), *model.output_shape), model.dtype)
            for predictions in sample:
                batches = BatchPass(piece, batch_size, predictions=predictions, scored=False)
                executor.run(BatchRange(batches, 0, 1, replace(model.state, step=step)))
                step += 1
            rows_done = slice(start, start + batch_size)
            mean[rows_done] = sample.mean(axis=0, dtype=np.float64)
            deviation[rows_done] = sample.std(axis=0, dtype=np.float64)
    return mean, deviation


def evaluate(
    model: Model, data: DataSet, batch_size: int = BATCH_SIZE, executors: ExecutorPool | None = None
) -> dict[str, float]:
    """Return loss, without penalties, and metrics; by the model's executors, or others."""
    batch_size = min(batch_size, len(data))
    batches = BatchPass(data, batch_size)
    tally = tally_for(model, batches)
    with (executors or model.executors).inference(batch_size, data.labels) as executor:
        done = 0
        while done < len(batches):
            stop = len(batches) if tally is None else tally.block_end
            executor.run(BatchRange(batches, done, stop, model.state))
            done = stop
            if tally is not None:
                tally.reach(done)
    return {"loss": batches.mean_loss()} | ({} if tally is None else tally.scores())


def tally_for(model: Model, batches: BatchPass) -> Tally | None:
    """Return what collects the metrics over a pass; None if there are none."""
    if not model.metrics:
        return None
    (outputs,) = model.output_shape
    return Tally(model.metrics, model.loss.task, batches, outputs, model.dtype)


def score_names(named: Sequence[scoring.Metric], outputs: int) -> tuple[str, ...]:
    """Return the names, in their order, of the scores that `evaluate` gives for so many outputs."""
    return ("loss", *scoring.names(named, outputs))
