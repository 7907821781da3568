"""Training on all rows at once by L-BFGS, which takes the loss as a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..callbacks.base import CallbackList
from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..execution.batches import BatchPass
from ..execution.python_executor import GRADIENT_STAGES, PythonExecutor
from ..ir.program import Result
from ..model import inference
from ..model.base import Model
from ..model.history import History
from ..optimizers import LBFGS, Optimizer
from ..runtime.interrupts import DeferredInterrupt
from .batch_ranges import RangeTasks
from .trainer import Trainer, divergence, validate


def refuse(optimizer: Optimizer, **arguments: Any) -> None:
    """Raise `ArgumentError` for arguments of `fit` that make sense for steps alone."""
    for name, value in arguments.items():
        if value is not None:
            raise ArgumentError(f"{name} cannot be used with {optimizer}, which takes no steps")


class LossSurface:
    """The loss of all rows, and its gradient, as functions of the parameters that learn.

    Points are float64 vectors of these parameters alone, one array after the other. Random numbers
    are those of the step at which the surface is made.
    """

    def __init__(self, model: Model, data: DataSet):
        self._model = model
        self._arena = model.arena
        self._learning = [s for s in self._arena.segments if s.options.trainable]
        if not self._learning:
            raise ArgumentError("the network has no parameters to learn: unfreeze some layers")
        plan = model.executors.plan(len(data), training=True, labels=data.labels)
        self._executor = PythonExecutor(plan, self._arena)
        self._batches = BatchPass(data, len(data))
        self._tally = inference.tally_for(model, self._batches)
        self._batch = self._batches.batch(0, plan)
        self._state = replace(model.state)

    @property
    def point(self) -> np.ndarray:
        """Return the parameters that learn."""
        return self._collect(self._arena.parameters)

    def move_to(self, point: np.ndarray) -> None:
        """Set the parameters."""
        start = 0
        for segment in self._learning:
            values = point[start : start + segment.size].reshape(segment.shape)
            self._arena.view(self._arena.parameters, segment)[...] = values
            start += segment.size

    def loss_and_gradient(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Move to a point; return loss and gradient there, or raise `DivergenceError`."""
        self.move_to(point)
        results = self._executor.run_stages(GRADIENT_STAGES, self._batch, self._state)
        loss = results[Result.LOSS]
        if not math.isfinite(loss) or results[Result.NONFINITE]:
            layer = self._executor.first_nonfinite_layer(self._batch)
            raise divergence(self._model.state, loss, 0, layer)
        return loss, self._collect(self._arena.gradients)

    def finish_step(self) -> None:
        """Update running statistics after a step to the latest point."""
        self._executor.run_stages(("update",), self._batch, self._state)

    def scores(self) -> dict[str, float]:
        """Return the metrics at the latest point."""
        tally, executor = self._tally, self._executor
        if tally is None:
            return {}
        assert self._batches.predictions is not None
        executor.run_stages(("predict",), self._batch, self._state)
        self._batches.predictions[...] = executor.array(executor.plan.prediction, self._batch)
        tally.restart()
        tally.reach(1)
        return tally.scores()

    def _collect(self, region: np.ndarray) -> np.ndarray:
        views = [self._arena.view(region, segment).reshape(-1) for segment in self._learning]
        return np.concatenate(views, dtype=np.float64)


class _Stopped(Exception):
    """A callback ended the fit."""


class FullBatchTrainer(Trainer):
    """Runs the iterations of one fit."""

    def _epochs(self, interrupt: DeferredInterrupt, history: History) -> RangeTasks[None]:
        """Run iterations up to the last, to convergence, or until a callback stops them.

        SciPy drives the loop: there are no tasks to hand out.
        """
        yield from ()
        search = _Search(self._model, self._data, self._callbacks)

        def end_iteration(point: np.ndarray) -> None:
            search.accept(point, interrupt)
            with interrupt.allowed():
                epoch = self._state.epoch + 1
                logs = search.scores() | validate(self._model, self._validation, epoch)
            self._end_epoch(interrupt, history, logs)
            if self._model.stop_training:
                raise _Stopped

        try:
            with interrupt.allowed():
                self._session.outcome = search.run(self._settings.epochs, end_iteration)
        except _Stopped:
            pass
        finally:
            search.surface.move_to(search.accepted)


class _Search:
    """The minimisation: where it is, and the last iterate, which alone may stay.

    Attributes
    ----------
    surface : LossSurface
    accepted : ndarray
        The last iterate.
    """

    def __init__(self, model: Model, data: DataSet, callbacks: CallbackList):
        self._model = model
        self._callbacks = callbacks
        self.surface = LossSurface(model, data)
        self.accepted = self._latest = self.surface.point
        self._loss = math.nan  # at the latest point
        self._announced = False  # whether callbacks know of the iteration under way

    def run(self, iterations: int, end_iteration: Callable[[np.ndarray], None]) -> Any:
        """Minimise; call `end_iteration` with each iterate. Return SciPy's `OptimizeResult`."""
        from scipy.optimize import minimize

        optimizer = self._model.optimizer
        assert isinstance(optimizer, LBFGS)
        options = {
            "maxiter": iterations,
            "maxfun": optimizer.max_evaluations or iterations * (optimizer.max_line_search + 1) + 1,
            "maxls": optimizer.max_line_search,
            "maxcor": optimizer.history_size,
            "gtol": optimizer.tolerance_grad,
            "ftol": optimizer.tolerance_change,
        }
        return minimize(
            self._evaluate,
            self.accepted,
            jac=True,
            method="L-BFGS-B",
            callback=end_iteration,
            options=options,
        )

    def accept(self, point: np.ndarray, interrupt: DeferredInterrupt) -> None:
        """Make a point the last iterate."""
        if not np.array_equal(point, self._latest):
            self._evaluate(point)
        with interrupt.section():
            self.surface.finish_step()
            self.accepted = self._latest
            self._model.state.step += 1
        self._announced = False

    def scores(self) -> dict[str, float]:
        """Return loss and metrics at the latest point."""
        return {"loss": self._loss} | self.surface.scores()

    def _evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        if not self._announced:
            self._announced = True
            self._callbacks("on_epoch_begin", self._model.state.epoch + 1)
        self._loss, gradient = self.surface.loss_and_gradient(point)
        self._latest = point.copy()
        return self._loss, gradient
