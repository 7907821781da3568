"""Training: epochs, batches, validation, callbacks and history around an executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import inference, metrics
from .callbacks import CallbackList
from .data import DataSet
from .errors import DivergenceError
from .executor import Executor
from .history import History
from .interrupts import DeferredInterrupt
from .plan import Batch, Result, RunState
from .randomness import Stream, permutation, stream_offset

if TYPE_CHECKING:
    from .network import Network

GRADIENT_STAGES = ("forward", "loss", "backward", "penalty", "check")


class ShuffledBatches:
    """Batches of rows in a given order, copied into buffers that all of them share."""

    def __init__(self, data: DataSet, size: int):
        self._arrays = [a for a in (data.x, data.target, data.weight) if a is not None]
        self._buffers = [np.empty((size, *a.shape[1:]), a.dtype) for a in self._arrays]
        self._size = size

    def __call__(self, order: np.ndarray) -> Iterator[tuple[np.ndarray, Batch]]:
        """(rows, batch), each valid until the next is asked for."""
        for start in range(0, len(order), self._size):
            rows = order[start : start + self._size]
            # mode="clip" spares NumPy a temporary; a permutation needs no bounds check.
            taken = (
                np.take(array, rows, axis=0, out=buffer[: len(rows)], mode="clip")
                for array, buffer in zip(self._arrays, self._buffers, strict=True)
            )
            yield rows, Batch(*taken)


class Step:
    """One optimizer step on one batch, all or nothing."""

    def __init__(self, network: Network, executor: Executor, interrupt: DeferredInterrupt):
        self._network = network
        self._state: RunState = network.state
        self._executor = executor
        self._interrupt = interrupt
        self._number = 0  # of the latest batch

    def __call__(self, batch: Batch, number: int) -> float:
        """Train on a batch; returns its loss before the update, penalties included.

        A batch whose weights are all 0 changes nothing. A non-finite loss or gradient raises
        `DivergenceError` before the update.
        """
        self._number = number
        if batch.weight is not None and not batch.weight.any():
            return 0.0
        results = self._executor.run(GRADIENT_STAGES, batch, self._state)
        loss = results[Result.LOSS]
        if not np.isfinite(loss) or results[Result.NONFINITE]:
            self._diverged(batch, loss)
        with self._interrupt.section():
            self._executor.run(("update",), batch, self._state)
            self._state.step += 1
        return loss

    def prediction(self, batch: Batch) -> np.ndarray:
        """Predictions for the batch just trained on, from the weights before the update."""
        self._executor.run(("predict",), batch, self._state)
        prediction = self._executor.array(self._executor.plan.prediction, batch)
        assert prediction is not None
        return prediction

    @contextmanager
    def all_finite(self) -> Iterator[None]:
        """Steps after which the parameters must be finite.

        An update may overflow although its gradient was finite. It shows in the next step's loss or
        here, at the end; then only the parameters and slots of the beginning are known to be good.
        """
        arena = self._network.arena
        before = arena.snapshot()
        try:
            yield
            if not np.isfinite(arena.parameters).all():
                self._raise("an update overflowed", "optimizer")
        except DivergenceError:
            if not np.isfinite(arena.parameters).all():
                arena.restore(before)
            raise

    def _diverged(self, batch: Batch, loss: float) -> None:
        what = "the gradient is not finite" if np.isfinite(loss) else f"the loss is {loss}"
        self._raise(what, self._executor.first_nonfinite_layer(batch))

    def _raise(self, what: str, layer: str) -> None:
        epoch = self._state.epoch + 1
        raise DivergenceError(
            f"training diverged in epoch {epoch}, batch {self._number}: {what}, first in layer "
            f"{layer!r}. The last finite weights are kept. A smaller learning rate, scaled inputs "
            "or another initialiser may help",
            epoch=epoch,
            batch=self._number,
            layer=layer,
        )


def train_on_batch(network: Network, data: DataSet) -> dict[str, float]:
    """One step on all rows; returns loss and metrics from before the update."""
    executor = network.executors.training(len(data), data.labels)
    _, batch = next(data.batches(len(data)))
    with DeferredInterrupt() as interrupt:
        step = Step(network, executor, interrupt)
        with step.all_finite():
            logs = {"loss": step(batch, 1)}
        if network.metrics:
            logs |= metrics.evaluate(
                network.metrics,
                network.loss.task,
                data.target,
                step.prediction(batch),
                data.weight,
            )
    return logs


@dataclass(frozen=True)
class FitSettings:
    """The checked arguments of one fit."""

    epochs: int
    batch_size: int
    shuffle: bool


class Trainer:
    """Runs the epochs of one fit."""

    def __init__(
        self,
        network: Network,
        data: DataSet,
        validation: DataSet | None,
        settings: FitSettings,
        callbacks: CallbackList,
    ):
        self._network = network
        self._state: RunState = network.state
        self._data = data
        self._validation = validation
        self._settings = settings
        self._callbacks = callbacks
        self._executor = network.executors.training(settings.batch_size, data.labels)
        # A single batch of all rows is not shuffled: no order matters.
        shuffle = settings.shuffle and settings.batch_size < len(data)
        self._shuffled = ShuffledBatches(data, settings.batch_size) if shuffle else None
        self._predictions = None
        if network.metrics:
            self._predictions = np.zeros((len(data), *network.output_shape), network.dtype)

    def run(self) -> History:
        """Train; returns the history of this fit and appends it to the network's."""
        history = History()
        info = {
            "epochs": self._settings.epochs,
            "rows": len(self._data),
            "batch_size": self._settings.batch_size,
        }
        try:
            with DeferredInterrupt() as interrupt:
                self._callbacks("on_train_begin", info)
                step = Step(self._network, self._executor, interrupt)
                for _ in range(self._settings.epochs):
                    epoch = self._state.epoch + 1
                    self._callbacks("on_epoch_begin", epoch)
                    logs = self._epoch(step)
                    with interrupt.section():
                        self._state.epoch = epoch
                        history.append(epoch, logs)
                        self._network.history.append(epoch, logs)
                    self._callbacks("on_epoch_end", epoch, logs)
                    if self._network.stop_training:
                        break
        finally:
            self._callbacks("on_train_end")
        return history

    def _epoch(self, step: Step) -> dict[str, float]:
        total = 0.0
        with step.all_finite():
            for number, (rows, batch) in enumerate(self._epoch_batches(), start=1):
                self._callbacks("on_batch_begin", number)
                loss = step(batch, number)
                size = len(batch.x)
                total += loss * size
                if self._predictions is not None:
                    self._predictions[rows] = step.prediction(batch)
                self._callbacks("on_batch_end", number, {"loss": loss, "size": size})
        return self._logs(total / len(self._data))

    def _epoch_batches(self) -> Iterator[tuple[Any, Batch]]:
        if self._shuffled is None:
            return self._data.batches(self._settings.batch_size)
        offset = stream_offset(Stream.SHUFFLE, self._state.epoch)
        return self._shuffled(permutation(len(self._data), self._state.seed, offset))

    def _logs(self, loss: float) -> dict[str, float]:
        network, data = self._network, self._data
        logs = {"loss": loss}
        if self._predictions is not None:
            logs |= metrics.evaluate(
                network.metrics, network.loss.task, data.target, self._predictions, data.weight
            )
        if self._validation is not None:
            scores = inference.evaluate(network, self._validation)
            logs |= {f"val_{name}": value for name, value in scores.items()}
        return logs
