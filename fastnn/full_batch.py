"""Training on all rows at once by an optimizer that wants the loss as a function: L-BFGS."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import inference
from .callbacks import CallbackList
from .data import DataSet
from .errors import ArgumentError
from .executor import GRADIENT_STAGES
from .history import History
from .interrupts import DeferredInterrupt
from .optimizers import LBFGS
from .plan import Result
from .training import FitSettings, all_rows, divergence, validate

if TYPE_CHECKING:
    from .network import Network


class LossSurface:
    """The loss of all rows, and its gradient, as functions of the parameters that learn.

    Points are float64 vectors of these parameters alone, one array after the other. Random numbers
    are those of the step at which the surface is made.
    """

    def __init__(self, network: Network, data: DataSet):
        self._network = network
        self._arena = network.arena
        self._learning = [s for s in self._arena.segments if s.treatment.trainable]
        if not self._learning:
            raise ArgumentError("the network has no parameters to learn: unfreeze some layers")
        self._executor = network.executors.training(len(data), data.labels)
        self._rows = all_rows(network, data)
        self._batch = self._rows.batch(0, self._executor.plan)
        self._state = replace(network.state)

    @property
    def point(self) -> np.ndarray:
        """Where the parameters are."""
        return self._collect(self._arena.parameters)

    def move_to(self, point: np.ndarray) -> None:
        """Set the parameters."""
        start = 0
        for segment in self._learning:
            values = point[start : start + segment.size].reshape(segment.shape)
            self._arena.view(self._arena.parameters, segment)[...] = values
            start += segment.size

    def loss_and_gradient(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Both at a point, where the parameters stay; raises `DivergenceError`."""
        self.move_to(point)
        results = self._executor.run(GRADIENT_STAGES, self._batch, self._state)
        loss = results[Result.LOSS]
        if not math.isfinite(loss) or results[Result.NONFINITE]:
            layer = self._executor.first_nonfinite_layer(self._batch)
            raise divergence(self._network.state, loss, 0, layer)
        return loss, self._collect(self._arena.gradients)

    def finish_step(self) -> None:
        """What layers do after a step, with the latest point."""
        self._executor.run(("update",), self._batch, self._state)

    def scores(self) -> dict[str, float]:
        """Metrics at the latest point."""
        rows, executor = self._rows, self._executor
        if rows.predictions is not None:
            executor.run(("predict",), self._batch, self._state)
            rows.predictions[rows.rows(0)] = executor.array(executor.plan.prediction, self._batch)
        return inference.scores(self._network, rows)

    def _collect(self, region: np.ndarray) -> np.ndarray:
        views = [self._arena.view(region, segment).reshape(-1) for segment in self._learning]
        return np.concatenate(views, dtype=np.float64)


class _Stopped(Exception):
    """A callback asked for the end."""


class FullBatchTrainer:
    """Runs the iterations of one fit; the counterpart of `fastnn.training.Trainer`."""

    def __init__(
        self,
        network: Network,
        data: DataSet,
        validation: DataSet | None,
        settings: FitSettings,
        callbacks: CallbackList,
    ):
        self._network = network
        self._validation = validation
        self._settings = settings
        self._callbacks = callbacks
        self._rows = len(data)
        self._surface = LossSurface(network, data)
        self._accepted = self._latest = self._surface.point
        self._loss = math.nan  # at the latest point
        self._announced = False  # whether callbacks know of the iteration under way
        self._history = History()

    def run(self) -> History:
        """Train; returns the history of this fit and appends it to the network's."""
        epochs, rows = self._settings.epochs, self._rows
        try:
            with DeferredInterrupt() as interrupt:
                info = {"epochs": epochs, "rows": rows, "batch_size": rows}
                self._callbacks("on_train_begin", info)
                try:
                    self._minimize(lambda point: self._end_iteration(point, interrupt))
                except _Stopped:
                    pass
                finally:
                    with interrupt.section():
                        self._surface.move_to(self._accepted)
        finally:
            self._callbacks("on_train_end")
        return self._history

    def _minimize(self, callback: Callable[[np.ndarray], None]) -> None:
        from scipy.optimize import minimize

        optimizer, epochs = self._network.optimizer, self._settings.epochs
        assert isinstance(optimizer, LBFGS)
        options = {
            "maxiter": epochs,
            "maxfun": epochs * (optimizer.max_line_search + 1) + 1,
            "maxls": optimizer.max_line_search,
            "maxcor": optimizer.history_size,
            "gtol": optimizer.tolerance_grad,
            "ftol": optimizer.tolerance_change,
        }
        minimize(
            self._evaluate,
            self._accepted,
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options=options,
        )

    def _evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        if not self._announced:
            self._announced = True
            self._callbacks("on_epoch_begin", self._network.state.epoch + 1)
        loss, gradient = self._surface.loss_and_gradient(point)
        self._latest, self._loss = point.copy(), loss
        return loss, gradient

    def _end_iteration(self, point: np.ndarray, interrupt: DeferredInterrupt) -> None:
        if not np.array_equal(point, self._latest):
            self._evaluate(point)
        network, state = self._network, self._network.state
        epoch = state.epoch + 1
        with interrupt.section():
            self._surface.finish_step()
            self._accepted = self._latest
            state.step += 1
        logs = {"loss": self._loss} | self._surface.scores()
        logs |= validate(network, self._validation, epoch)
        with interrupt.section():
            state.epoch = epoch
            self._history.append(epoch, logs)
            network.history.append(epoch, logs)
        self._callbacks("on_epoch_end", epoch, logs)
        self._announced = False
        if network.stop_training:
            raise _Stopped
