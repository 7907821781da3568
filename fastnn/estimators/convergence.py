"""scikit-learn's account of a fit: losses, scores, improvement, and when to stop or slow down."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks import Callback
from ..runtime.interrupts import DeferredInterrupt

if TYPE_CHECKING:
    from ..callbacks.base import Logs
    from ..errors import DivergenceError
    from ..network import Network

#: The learning rate below which "adaptive" stops, and what it divides by before.
SMALLEST_RATE, RATE_DIVISOR = 1e-6, 5.0


class Account(Callback):
    """Writes the fitted attributes of an estimator, epoch by epoch.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    rows : int
        Of an epoch.
    score : callable, optional
        Gives the score of the validation rows, for early stopping.

    Attributes
    ----------
    converged : bool
        Whether training stopped because it no longer improved.
    diverged : DivergenceError or None
        What ended a fit with early stopping.
    """

    def __init__(self, estimator: Any, rows: int, score: Callable[[], float] | None):
        self._estimator = estimator
        self._rows = rows
        self._score = score
        self._best: tuple[np.ndarray, np.ndarray] | None = None
        self.converged = False
        self.diverged: DivergenceError | None = None

    def on_train_begin(self, network: Network, info: Any) -> None:
        if self._score is not None:
            self._remember(network)

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        estimator = self._estimator
        self._note_loss(logs["loss"])
        if "val_loss" in logs:
            estimator.validation_loss_curve_.append(logs["val_loss"])
        if self._score is None:
            self._note_improvement_of_loss(estimator.loss_)
        else:
            self._note_improvement_of_score(network, self._score())
        if self._rule == "invscaling":
            initial = network.learning_rates.initial  # the optimizer's, whatever was set since
            network.learning_rate = initial / (estimator.t_ + 1) ** float(estimator.power_t)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._stop_or_slow_down(network)

    def on_divergence(self, network: Network, error: DivergenceError) -> bool:
        if self._score is None:
            return False
        self._note_loss(np.nan)
        self._estimator.validation_scores_.append(np.nan)
        self.diverged = error
        return True

    def on_train_end(self, network: Network) -> None:
        if self._best is not None:
            with DeferredInterrupt(waiting=True):
                network.arena.parameters[...], network.arena.buffers[...] = self._best

    @property
    def _rule(self) -> str:
        """How the learning rate changes."""
        return self._estimator.learning_rate if self._estimator.solver == "sgd" else "constant"

    def _note_loss(self, loss: float) -> None:
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._rows
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")

    def _note_improvement_of_loss(self, loss: float) -> None:
        estimator = self._estimator
        self._count(improved=not loss > estimator.best_loss_ - estimator.tol)
        estimator.best_loss_ = min(loss, estimator.best_loss_)

    def _note_improvement_of_score(self, network: Network, score: float) -> None:
        estimator = self._estimator
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        self._count(improved=not score < estimator.best_validation_score_ + estimator.tol)
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self._remember(network)

    def _count(self, *, improved: bool) -> None:
        estimator = self._estimator
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _remember(self, network: Network) -> None:
        self._best = network.arena.parameters.copy(), network.arena.buffers.copy()

    def _stop_or_slow_down(self, network: Network) -> None:
        estimator = self._estimator
        reason = "Training loss" if self._score is None else "Validation score"
        reason += (
            f" did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        if self._rule != "adaptive":
            self._stop(network, f"{reason} Stopping.")
        elif network.learning_rate <= SMALLEST_RATE:
            self._stop(network, f"{reason} Learning rate too small. Stopping.")
        else:
            network.learning_rate /= RATE_DIVISOR
            estimator._no_improvement_count = 0
            self._say(f"{reason} Setting learning rate to {network.learning_rate:f}")

    def _stop(self, network: Network, message: str) -> None:
        self.converged = network.stop_training = True
        self._say(message)

    def _say(self, message: str) -> None:
        if self._estimator.verbose:
            print(message)


class TimeLimit(Callback):
    """Ends training after the first epoch that ends later than so many seconds.

    Attributes
    ----------
    reached : bool
        Whether it did.
    """

    def __init__(self, seconds: float | None):
        self._seconds = math.inf if seconds is None else seconds
        self.reached = False

    def on_train_begin(self, network: Network, info: Any) -> None:
        self._end = time.monotonic() + self._seconds

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        if not network.stop_training and time.monotonic() >= self._end:
            self.reached = network.stop_training = True
