"""Training: epochs, validation, callbacks and history around an executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from .. import kernels
from ..augmentation.pipeline import Pipeline
from ..data.data_set import DataSet
from ..errors import DivergenceError
from ..execution.batches import BatchPass, BatchRange
from ..execution.executor import Diverged
from ..ir.program import RunState
from ..model import inference, weight_average
from ..model.base import Model
from ..model.history import History
from ..model.tally import Tally
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import Stream, permutation, stream_offset
from .batch_ranges import RangeTask, RangeTasks, run_all
from .session import Session

#: Seconds between two calls of `Callback.on_progress`.
PROGRESS_INTERVAL = 0.1
#: Batches of one call of the executor: as many learning rates are worked out ahead.
MAX_BATCHES_PER_CALL = 1 << 14


class Steps:
    """Optimizer steps on a network, each all or nothing, by the back end that is active.

    Parameters
    ----------
    model : Model
    labels : bool
        Whether targets are class numbers.
    """

    def __init__(self, model: Model, labels: bool):
        self._model = model
        self._state: RunState = model.state
        self._labels = labels

    def __call__(
        self, batches: BatchPass, start: int, stop: int, seconds: float | None = None
    ) -> RangeTasks[int]:
        """Train on the batches [start, stop) of a pass; see `Executor.run`.

        A non-finite loss or gradient raises `DivergenceError` before its update; a schedule's rate
        that cannot be used, `ArgumentError` before the first of them.
        """
        rates = self._model.learning_rates.next_rates(self._state, stop - start)
        batch_range = BatchRange(batches, start, stop, self._state, rates, seconds)
        executor = self._model.executors.training(batches.batch_size, self._labels)
        try:
            return (yield RangeTask(executor, batch_range))
        except Diverged as found:
            batch = batches.batch(found.number, executor.plan, self._state)
            layer = executor.first_nonfinite_layer(batch)
            raise divergence(self._state, found.loss, found.number, layer) from None

    @contextmanager
    def all_finite(self, batches: BatchPass) -> Iterator[None]:
        """Run the steps of the context, after which the parameters must be finite.

        An update may overflow although its gradient was finite. It shows in the next step's loss or
        here, at the end; then only the parameters and slots of the beginning are known to be good.
        """
        snapshot = self._model.executors.snapshot()
        snapshot.take()
        try:
            yield
            if self._overflowed():
                raise divergence(self._state, None, len(batches) - 1, "optimizer")
        except BaseException:
            if self._overflowed():
                snapshot.restore()
            raise

    def _overflowed(self) -> bool:
        count, arena = kernels.implementation().count_nonfinite, self._model.arena
        return count(arena.parameters) + count(arena.buffers) > 0


def divergence(state: RunState, loss: float | None, number: int, layer: str) -> DivergenceError:
    """Return the error for batch `number`, counted from 0, whose loss or gradient is not finite.

    `loss` is None where an update overflowed.
    """
    what = "an update overflowed"
    if loss is not None:
        what = "the gradient is not finite" if np.isfinite(loss) else f"the loss is {loss}"
    epoch, batch = state.epoch + 1, number + 1
    return DivergenceError(
        f"training diverged in epoch {epoch}, batch {batch}: {what}, first in layer "
        f"{layer!r}. The last finite weights are kept. A smaller learning rate, scaled inputs "
        "or another initialiser may help",
        epoch=epoch,
        batch=batch,
        layer=layer,
    )


def training_pass(
    model: Model, data: DataSet, batch_size: int, augmentation: Pipeline | None = None
) -> tuple[Steps, BatchPass, Tally | None]:
    """Return the steps of training on a data set, a pass over it and the collector of metrics."""
    labels = data.labels and not (augmentation and augmentation.mixes)
    batches = BatchPass(data, batch_size, augmentation=augmentation)
    return Steps(model, labels), batches, inference.tally_for(model, batches)


def train_on_batch(
    model: Model, data: DataSet, interrupt: DeferredInterrupt, augmentation: Pipeline | None = None
) -> dict[str, float]:
    """Take one step on all rows; return loss and metrics from before the update."""
    steps, batches, tally = training_pass(model, data, len(data), augmentation)
    with steps.all_finite(batches):
        run_all(steps(batches, 0, 1), interrupt)
    logs = {"loss": float(batches.losses[0])}
    if tally is not None:
        tally.reach(1)
        logs |= tally.scores()
    return logs


def validate(model: Model, data: DataSet | None, epoch: int) -> dict[str, float]:
    """Return the scores of an epoch, those of the average of the weights once there is one."""
    if data is None:
        return {}
    average, executors = model.weight_average, model.executors
    if average is not None and average.has_started(replace(model.state, epoch=epoch)):
        executors = executors.averaged()
    scores = inference.evaluate(model, data, executors=executors)
    return {f"val_{name}": value for name, value in scores.items()}


class Trainer:
    """Runs the epochs of one fit."""

    def __init__(self, model: Model, session: Session):
        self._model = model
        self._state: RunState = model.state
        self._data, self._validation = session.train, session.validation
        self._settings = settings = session.settings
        self._session = session
        self._callbacks = callbacks = session.callbacks
        # A single batch of all rows is not shuffled: no order matters.
        self._shuffle = settings.shuffle and settings.batch_size < len(session.train)
        self._batch_events = callbacks.overrides("on_batch_begin", "on_batch_end")
        self._tally: Tally | None = None
        self._interval = PROGRESS_INTERVAL if callbacks.overrides("on_progress") else None

    def run(self, interrupt: DeferredInterrupt) -> History:
        """Train; return the history of this fit and append it to the model's.

        Ctrl-C waits, in `interrupt`, but while batches are computed, rows scored or callbacks run.
        """
        return run_all(self.tasks(interrupt), interrupt)

    def tasks(self, interrupt: DeferredInterrupt) -> RangeTasks[History]:
        """Yield the tasks of `run`, for others to have them done."""
        model, session = self._model, self._session
        self._interrupt = interrupt
        history = model.history.since(session.first_epoch)
        done = self._state.epoch - session.first_epoch
        model.session = session
        try:
            with self._callbacks.during(session.info(model) | {"done": done}, interrupt):
                try:
                    yield from self._epochs(interrupt, history)
                except DivergenceError as error:
                    if not self._tell("on_divergence", error):
                        raise
                finally:
                    model.session = None  # on_train_end finds none
        finally:
            model.session = None
        return history

    def _tell(self, hook: str, *arguments: Any) -> bool:
        """Call a hook of the callbacks, which Ctrl-C may end."""
        with self._interrupt.allowed():
            return self._callbacks(hook, *arguments)

    def _epochs(self, interrupt: DeferredInterrupt, history: History) -> RangeTasks[None]:
        """Run epochs up to the last one, or until a callback stops them."""
        model, settings = self._model, self._settings
        steps, batches, self._tally = training_pass(
            model, self._data, settings.batch_size, settings.augmentation
        )
        last = self._session.first_epoch + self._settings.epochs
        while self._state.epoch < last and not model.stop_training:
            self._tell("on_epoch_begin", self._state.epoch + 1)
            logs = yield from self._epoch(steps, batches)
            self._end_epoch(interrupt, history, logs)

    def _end_epoch(
        self, interrupt: DeferredInterrupt, history: History, logs: dict[str, float]
    ) -> None:
        """Count an epoch, append it to the history and call callbacks."""
        model, epoch = self._model, self._state.epoch + 1
        with interrupt.section():
            self._state.epoch = epoch
            history.append(epoch, logs)
            model.history.append(epoch, logs)
            if model.learning_rates.plateau is not None:
                model.learning_rates.plateau.observe(logs)
        self._tell("on_epoch_end", epoch, logs)

    def _epoch(self, steps: Steps, batches: BatchPass) -> RangeTasks[dict[str, float]]:
        batches.restart(self._order())
        if self._tally is not None:
            self._tally.restart()
        with steps.all_finite(batches):
            done = 0
            while done < len(batches):
                done = yield from self._range(steps, batches, done)
        epoch = self._state.epoch + 1
        with self._interrupt.allowed():
            loss = batches.mean_loss(by_rows=self._settings.loss_by_rows)
            logs = {"loss": loss} | ({} if self._tally is None else self._tally.scores())
        weight_average.end_epoch(self._model, epoch)
        with self._interrupt.allowed():
            return logs | validate(self._model, self._validation, epoch)

    def _order(self) -> np.ndarray | None:
        """Return the order of the rows in the next epoch; None is that of the data set."""
        if self._settings.order is not None:
            return self._settings.order()
        if not self._shuffle:
            return None
        offset = stream_offset(Stream.SHUFFLE, self._state.epoch)
        return permutation(len(self._data), self._state.seed, offset)

    def _range(self, steps: Steps, batches: BatchPass, start: int) -> RangeTasks[int]:
        """Train on one batch, or on all before the next call of a callback; return the next one."""
        if not self._batch_events:
            stop = min(start + MAX_BATCHES_PER_CALL, len(batches))
            if self._tally is not None:
                stop = min(stop, self._tally.block_end)
            reached = yield from steps(batches, start, stop, self._interval)
        else:
            self._tell("on_batch_begin", start + 1)
            reached = yield from steps(batches, start, start + 1)
            figures = float(batches.losses[start]), batches.size(start), batches.weights()[start]
            logs = dict(zip(("loss", "size", "weight"), figures, strict=True))
            self._tell("on_batch_end", reached, logs)
        if self._tally is not None:
            with self._interrupt.allowed():
                self._tally.reach(reached)
        if self._interval is not None:
            seen = int(batches.sizes()[:reached].sum())
            self._tell("on_progress", {"rows": seen, "loss": batches.mean_loss(reached)})
        return reached
