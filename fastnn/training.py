"""Training: epochs, validation, callbacks and history around an executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import inference, kernels
from .augmentation.pipeline import Pipeline
from .callbacks import CallbackList
from .data import DataSet
from .errors import DivergenceError
from .executor import Diverged, Executor
from .history import History
from .interrupts import DeferredInterrupt
from .passes import Pass
from .plan import RunState
from .randomness import Stream, permutation, stream_offset

if TYPE_CHECKING:
    from .network import Network

#: Seconds between two calls of `Callback.on_progress`.
PROGRESS_INTERVAL = 0.1
#: Batches of one call of the executor: as many learning rates are worked out ahead.
LONGEST_STRETCH = 1 << 14


class Steps:
    """Optimizer steps on a network, each all or nothing."""

    def __init__(self, network: Network, executor: Executor, interrupt: DeferredInterrupt):
        self._network = network
        self._state: RunState = network.state
        self._executor = executor
        self._interrupt = interrupt

    def __call__(self, rows: Pass, start: int, stop: int, seconds: float | None = None) -> int:
        """Train on the batches [start, stop) of a pass; see `Executor.train`.

        A non-finite loss or gradient raises `DivergenceError` before its update; a schedule's rate
        that cannot be used, `ArgumentError` before the first of them.
        """
        rates = self._network.learning_rates.upcoming(self._state, stop - start)
        try:
            return self._executor.train(
                rows, start, stop, rates, self._state, self._interrupt, seconds
            )
        except Diverged as found:
            what = (
                "the gradient is not finite"
                if np.isfinite(found.loss)
                else f"the loss is {found.loss}"
            )
            batch = rows.batch(found.number, self._executor.plan, self._state)
            layer = self._executor.first_nonfinite_layer(batch)
            self._raise(what, found.number, layer)

    @contextmanager
    def all_finite(self, rows: Pass) -> Iterator[None]:
        """Steps after which the parameters must be finite.

        An update may overflow although its gradient was finite. It shows in the next step's loss or
        here, at the end; then only the parameters and slots of the beginning are known to be good.
        """
        snapshot = self._network.executors.snapshot()
        snapshot.take()
        try:
            yield
            if self._overflowed():
                self._raise("an update overflowed", len(rows) - 1, "optimizer")
        except DivergenceError:
            if self._overflowed():
                snapshot.restore()
            raise

    def _overflowed(self) -> bool:
        count, arena = kernels.implementation().count_nonfinite, self._network.arena
        return count(arena.parameters) + count(arena.buffers) > 0

    def _raise(self, what: str, number: int, layer: str) -> NoReturn:
        epoch, batch = self._state.epoch + 1, number + 1
        raise DivergenceError(
            f"training diverged in epoch {epoch}, batch {batch}: {what}, first in layer "
            f"{layer!r}. The last finite weights are kept. A smaller learning rate, scaled inputs "
            "or another initialiser may help",
            epoch=epoch,
            batch=batch,
            layer=layer,
        ) from None


def _training_pass(
    network: Network, data: DataSet, batch_size: int, augmentation: Pipeline | None
) -> tuple[Executor, Pass]:
    """A pass to train on, and the executor for it."""
    labels = data.labels and not (augmentation and augmentation.mixes)
    rows = Pass(data, batch_size, augmentation=augmentation)
    if network.metrics:
        rows.predictions = np.zeros((len(data.x), *network.output_shape), network.dtype)
    return network.executors.training(batch_size, labels), rows


def train_on_batch(
    network: Network, data: DataSet, augmentation: Pipeline | None = None
) -> dict[str, float]:
    """One step on all rows; returns loss and metrics from before the update."""
    executor, rows = _training_pass(network, data, len(data), augmentation)
    with DeferredInterrupt() as interrupt:
        steps = Steps(network, executor, interrupt)
        with steps.all_finite(rows):
            steps(rows, 0, 1)
    return {"loss": float(rows.losses[0])} | inference.scores(network, rows)


@dataclass(frozen=True)
class FitSettings:
    """The checked arguments of one fit."""

    epochs: int
    batch_size: int
    shuffle: bool
    augmentation: Pipeline | None = None


@dataclass
class Session:
    """A fit under way: what `Checkpoint` saves of it beside the network.

    Attributes
    ----------
    first_epoch : int
        Epochs that were completed when the fit began, before any interruption.
    arguments : dict
        See `fastnn.resuming.fit_arguments`.
    callbacks : CallbackList
    """

    first_epoch: int
    arguments: dict[str, Any]
    callbacks: CallbackList


class Trainer:
    """Runs the epochs of one fit."""

    def __init__(
        self,
        network: Network,
        data: DataSet,
        validation: DataSet | None,
        settings: FitSettings,
        session: Session,
    ):
        self._network = network
        self._state: RunState = network.state
        self._data = data
        self._validation = validation
        self._settings = settings
        self._session = session
        self._callbacks = callbacks = session.callbacks
        # A single batch of all rows is not shuffled: no order matters.
        self._shuffle = settings.shuffle and settings.batch_size < len(data)
        self._batch_events = callbacks.wants("on_batch_begin", "on_batch_end")
        self._interval = PROGRESS_INTERVAL if callbacks.wants("on_progress") else None

    def run(self) -> History:
        """Train; returns the history of this fit and appends it to the network's."""
        network, session = self._network, self._session
        history = network.history.since(session.first_epoch)
        network.session = session
        try:
            with DeferredInterrupt() as interrupt:
                self._callbacks("on_train_begin", self._info())
                self._epochs(interrupt, history)
        except DivergenceError as error:
            if not self._callbacks("on_divergence", error):
                raise
        finally:
            network.session = None
            self._callbacks("on_train_end")
        return history

    def _info(self) -> dict[str, int]:
        """What callbacks are told in the beginning."""
        return {
            "epochs": self._settings.epochs,
            "done": self._state.epoch - self._session.first_epoch,
            "rows": len(self._data),
            "validation_rows": 0 if self._validation is None else len(self._validation),
            "batch_size": self._settings.batch_size,
        }

    def _epochs(self, interrupt: DeferredInterrupt, history: History) -> None:
        """Epochs up to the last one, or until a callback wants to stop."""
        network, settings = self._network, self._settings
        executor, rows = _training_pass(
            network, self._data, settings.batch_size, settings.augmentation
        )
        steps = Steps(network, executor, interrupt)
        last = self._session.first_epoch + self._settings.epochs
        while self._state.epoch < last and not network.stop_training:
            epoch = self._state.epoch + 1
            self._callbacks("on_epoch_begin", epoch)
            logs = self._epoch(steps, rows)
            with interrupt.section():
                self._state.epoch = epoch
                history.append(epoch, logs)
                network.history.append(epoch, logs)
                if network.learning_rates.plateau is not None:
                    network.learning_rates.plateau.observe(logs)
            self._callbacks("on_epoch_end", epoch, logs)

    def _epoch(self, steps: Steps, rows: Pass) -> dict[str, float]:
        rows.losses[:] = 0
        if self._shuffle:
            offset = stream_offset(Stream.SHUFFLE, self._state.epoch)
            order = permutation(len(self._data), self._state.seed, offset)
            rows.order = order if self._data.rows is None else self._data.rows[order]
        with steps.all_finite(rows):
            done = 0
            while done < len(rows):
                done = self._stretch(steps, rows, done)
        logs = {"loss": _mean_loss(rows, len(rows))} | inference.scores(self._network, rows)
        if self._validation is not None:
            scores = inference.evaluate(self._network, self._validation)
            logs |= {f"val_{name}": value for name, value in scores.items()}
        return logs

    def _stretch(self, steps: Steps, rows: Pass, start: int) -> int:
        """Batches up to the next one, or as many as pass before callbacks are to be told."""
        if not self._batch_events:
            stop = min(start + LONGEST_STRETCH, len(rows))
            reached = steps(rows, start, stop, self._interval)
        else:
            self._callbacks("on_batch_begin", start + 1)
            reached = steps(rows, start, start + 1)
            logs = {"loss": float(rows.losses[start]), "size": int(rows.sizes()[start])}
            self._callbacks("on_batch_end", reached, logs)
        if self._interval is not None:
            seen = int(rows.sizes()[:reached].sum())
            self._callbacks("on_progress", {"rows": seen, "loss": _mean_loss(rows, reached)})
        return reached


def _mean_loss(rows: Pass, batches: int) -> float:
    """Of the first batches, each weighted by its rows."""
    sizes = rows.sizes()[:batches]
    return float((rows.losses[:batches] * sizes).sum() / sizes.sum())
