"""Prediction and evaluation: the forward pass, batch by batch, on data already checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.data_set import DataSet
from ..data.sparse_rows import SparseRows
from ..execution import selection
from ..execution.batches import BatchPass, BatchRange
from ..metrics import scoring
from .tally import Tally

if TYPE_CHECKING:
    from ..execution.executor_pool import ExecutorPool
    from ..network import Network

#: Rows run at a time unless told otherwise: enough to fill the kernels, few enough for the caches.
BATCH_SIZE = 1024

#: The step that keys the masks of the first draw: beyond all of training, whose steps have 47 bits.
FIRST_MC_STEP = 1 << 47


def predict(
    network: Network, x: np.ndarray | SparseRows, batch_size: int = BATCH_SIZE, link: bool = True
) -> np.ndarray:
    """Return predictions for the rows of x, shape (n, outputs).

    Without the link of the loss, they are the outputs of the last layer: logits of a cross-entropy.
    """
    predictions = np.empty((len(x), *network.output_shape), network.dtype)
    batch_size = min(batch_size, len(x))
    batches = BatchPass(DataSet(x), batch_size, predictions=predictions, scored=False)
    with network.executors.inference(batch_size, labels=False, link=link) as executor:
        executor.run(BatchRange(batches, 0, len(batches), network.state))
    return predictions


class RowPredictor:
    """Predicts single rows, without checks, in a few microseconds; for one thread at a time.

    Everything that a prediction needs lies ready: a call copies the row in, runs the plan for one
    row, and copies the outputs out. Later changes of the weights are seen.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network):
        row = np.zeros((1, *network.input_shape), network.dtype)
        outputs = np.zeros((1, *network.output_shape), network.dtype)
        with network.executors.inference(1, labels=False) as executor:
            plan = executor.plan  # folded only where that costs no digits
        own = selection.executor_class(plan)(plan, network.arena)
        batches = BatchPass(DataSet(row), 1, predictions=outputs, scored=False)
        self._run = own.bind_inference(BatchRange(batches, 0, 1, network.state))
        self._row, self._outputs = row[0], outputs[0]

    def __call__(self, row: Any) -> np.ndarray:
        """Return the network's predictions (outputs,) for a row of its input shape."""
        self._row[:] = row
        self._run()
        return self._outputs.copy()


def mc_dropout_mean_std(
    network: Network, x: np.ndarray | SparseRows, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of predictions with dropout and noise, each (n, outputs).

    The masks of a draw are a function of the network's seed, the number of the draw and the place
    of the row in x; no step of training has them.
    """
    mean, deviation = (np.empty((len(x), *network.output_shape), network.dtype) for _ in range(2))
    batch_size = min(BATCH_SIZE, len(x))
    step = FIRST_MC_STEP
    with network.executors.inference(batch_size, labels=False, noise=True) as executor:
        for start in range(0, len(x), batch_size):
            piece = DataSet(x[start : start + batch_size])
            sample = np.empty((draws, len(piece), *network.output_shape), network.dtype)
            for predictions in sample:
                batches = BatchPass(piece, batch_size, predictions=predictions, scored=False)
                executor.run(BatchRange(batches, 0, 1, replace(network.state, step=step)))
                step += 1
            rows_done = slice(start, start + batch_size)
            mean[rows_done] = sample.mean(axis=0, dtype=np.float64)
            deviation[rows_done] = sample.std(axis=0, dtype=np.float64)
    return mean, deviation


def evaluate(
    network: Network,
    data: DataSet,
    batch_size: int = BATCH_SIZE,
    executors: ExecutorPool | None = None,
) -> dict[str, float]:
    """Loss, without penalties, and metrics, as a dict; by the network's executors, or others."""
    batch_size = min(batch_size, len(data))
    batches = BatchPass(data, batch_size)
    tally = tally_for(network, batches)
    with (executors or network.executors).inference(batch_size, data.labels) as executor:
        done = 0
        while done < len(batches):
            stop = len(batches) if tally is None else tally.block_end
            executor.run(BatchRange(batches, done, stop, network.state))
            done = stop
            if tally is not None:
                tally.reach(done)
    return {"loss": batches.mean_loss()} | ({} if tally is None else tally.scores())


def tally_for(network: Network, batches: BatchPass) -> Tally | None:
    """What collects the network's metrics over a pass; None if it has none."""
    if not network.metrics:
        return None
    (outputs,) = network.output_shape
    return Tally(network.metrics, network.loss.task, batches, outputs, network.dtype)


def score_names(named: Sequence[scoring.Metric], outputs: int) -> tuple[str, ...]:
    """Names, in their order, of what `evaluate` tells of a network with so many outputs."""
    return ("loss", *scoring.names(named, outputs))
