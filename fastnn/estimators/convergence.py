"""scikit-learn's rules of convergence: when training stops or lowers its learning rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks import Callback
from ..model.base import model_of
from ..runtime.interrupts import DeferredInterrupt

if TYPE_CHECKING:
    from ..callbacks.base import Logs
    from ..errors import DivergenceError
    from ..network import Network

#: The learning rate at which "adaptive" stops, and the divisor that lowers it until then.
SMALLEST_RATE, RATE_DIVISOR = 1e-6, 5.0


class ConvergenceMonitor(Callback):
    """Record losses and scores of each epoch in an estimator, and end training on convergence.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    n_rows : int
        Rows in an epoch.
    score : callable, optional
        Returns the score on the validation rows, for early stopping.

    Attributes
    ----------
    converged : bool
        Whether training stopped because it no longer improved.
    diverged : DivergenceError or None
        The error that ended a fit with early stopping.
    """

    def __init__(self, estimator: Any, n_rows: int, score: Callable[[], float] | None):
        self._estimator = estimator
        self._n_rows = n_rows
        self._score = score
        self._best_weights: tuple[np.ndarray, np.ndarray] | None = None
        self.converged = False
        self.diverged: DivergenceError | None = None

    def on_train_begin(self, network: Network, info: Any) -> None:
        """Copy the initial weights, which are the best so far."""
        if self._score is not None:
            self._copy_weights(network)

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        """Record the epoch; stop, or lower the learning rate, if it no longer improves."""
        estimator = self._estimator
        self._record_loss(logs["loss"])
        if "val_loss" in logs:
            estimator.validation_loss_curve_.append(logs["val_loss"])
        if self._score is None:
            self._compare_loss(estimator.loss_)
        else:
            self._compare_score(network, self._score())
        if self._schedule == "invscaling":
            rates = model_of(network).learning_rates
            initial = rates.initial  # the optimizer's, whatever was set since
            network.learning_rate = initial / (estimator.t_ + 1) ** float(estimator.power_t)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._stop_or_lower_rate(network)

    def on_divergence(self, network: Network, error: DivergenceError) -> bool:
        """Return whether the best weights so far can be kept in place of an error."""
        if self._score is None:
            return False
        self._record_loss(np.nan)
        self._estimator.validation_scores_.append(np.nan)
        self.diverged = error
        return True

    def on_train_end(self, network: Network) -> None:
        """Restore the best weights."""
        if self._best_weights is not None:
            with DeferredInterrupt(waiting=True):
                arena = model_of(network).arena
                arena.parameters[...], arena.buffers[...] = self._best_weights

    @property
    def _schedule(self) -> str:
        """Return the name of the learning-rate schedule."""
        return self._estimator.learning_rate if self._estimator.solver == "sgd" else "constant"

    def _record_loss(self, loss: float) -> None:
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._n_rows
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")

    def _compare_loss(self, loss: float) -> None:
        estimator = self._estimator
        self._count_epochs(improved=not loss > estimator.best_loss_ - estimator.tol)
        estimator.best_loss_ = min(loss, estimator.best_loss_)

    def _compare_score(self, network: Network, score: float) -> None:
        estimator = self._estimator
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        self._count_epochs(improved=not score < estimator.best_validation_score_ + estimator.tol)
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self._copy_weights(network)

    def _count_epochs(self, *, improved: bool) -> None:
        """Count the epochs since the last improvement."""
        estimator = self._estimator
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _copy_weights(self, network: Network) -> None:
        arena = model_of(network).arena
        self._best_weights = arena.parameters.copy(), arena.buffers.copy()

    def _stop_or_lower_rate(self, network: Network) -> None:
        estimator = self._estimator
        reason = "Training loss" if self._score is None else "Validation score"
        reason += (
            f" did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        if self._schedule != "adaptive":
            self._stop(network, f"{reason} Stopping.")
        elif network.learning_rate <= SMALLEST_RATE:
            self._stop(network, f"{reason} Learning rate too small. Stopping.")
        else:
            network.learning_rate /= RATE_DIVISOR
            estimator._no_improvement_count = 0
            self._print(f"{reason} Setting learning rate to {network.learning_rate:f}")

    def _stop(self, network: Network, message: str) -> None:
        self.converged = network.stop_training = True
        self._print(message)

    def _print(self, message: str) -> None:
        if self._estimator.verbose:
            print(message)


class TimeLimit(Callback):
    """End training after the first epoch that ends past a number of seconds.

    Attributes
    ----------
    reached : bool
        Whether the time limit ended training.
    """

    def __init__(self, seconds: float | None):
        self._seconds = math.inf if seconds is None else seconds
        self.reached = False

    def on_train_begin(self, network: Network, info: Any) -> None:
        """Start the clock."""
        self._end = time.monotonic() + self._seconds

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        """Stop training if the time is over."""
        if not network.stop_training and time.monotonic() >= self._end:
            self.reached = network.stop_training = True
