"""The training of a fit: the validation split, the session to run, and the warnings at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..callbacks import Callback, ProgressBar
from ..callbacks.base import CallbackList, Logs
from ..data.data_set import DataSet
from ..errors import ArgumentError, DivergenceError
from ..model.base import model_of
from ..model.history import History
from ..network import Network
from ..training.session import FitSettings, Session
from ..training.start import run
from ..utils.warn import warn_caller
from . import baseline
from .convergence import ConvergenceMonitor, TimeLimit
from .sklearn_random import Shuffles
from .splitting import split

#: The largest batch size where `batch_size` is "auto".
AUTO_BATCH_SIZE = 200

MAX_ITERATIONS = (
    "Stochastic Optimizer: Maximum iterations ({}) reached and the optimization hasn't converged "
    "yet."
)

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


def fit_steps(
    estimator: Any,
    network: Network,
    data: DataSet,
    validation: DataSet | None,
    random: np.random.RandomState,
    incremental: bool,
    listeners: Sequence[Callback],
) -> None:
    """Train by gradient descent: one epoch if `incremental`, otherwise until convergence.

    Without validation data, early stopping holds out some of the rows.
    """
    train, score = data, None
    if estimator.early_stopping:
        held_out = validation
        if held_out is None:
            train, held_out = _validation_split(estimator, data, random)
        score = estimator._scorer(held_out)
    epochs = 1 if incremental else estimator.max_iter
    order = Shuffles(random, len(train)) if estimator.shuffle else None
    settings = FitSettings(
        epochs, _batch_size(estimator, len(train)), False, order=order, loss_by_rows=True
    )
    estimator._prepare_steps()
    monitor = ConvergenceMonitor(estimator, len(train), score)
    estimator.n_iter_ = 0
    limit = TimeLimit(estimator.max_time)
    callbacks = [monitor, *_callbacks(estimator), *listeners]
    if estimator.max_time is not None:
        callbacks.append(limit)
    _run(network, train, validation, settings, callbacks)
    if monitor.diverged is not None:
        warn_caller(
            f"Training ended early, with the best weights so far: {monitor.diverged}",
            ConvergenceWarning,
        )
    elif limit.reached:
        _warn_of_time(estimator)
    elif not incremental:
        exhausted = estimator.n_iter_ == epochs and not monitor.converged
        messages = [MAX_ITERATIONS.format(epochs)] if exhausted else []
        if monitor.converged or exhausted:
            messages += baseline.poor_fit(estimator, network.loss, train)
        if messages:
            warn_caller(" ".join(messages), ConvergenceWarning)


def fit_full_batch(
    estimator: Any,
    network: Network,
    data: DataSet,
    validation: DataSet | None,
    listeners: Sequence[Callback],
) -> None:
    """Train by L-BFGS."""
    settings = FitSettings(estimator.max_iter, len(data), False, loss_by_rows=True)
    lines = [_IterationLines()] if estimator.verbose else []
    limit = TimeLimit(estimator.max_time)
    callbacks = [*lines, *_callbacks(estimator), *listeners, limit]
    session = _run(network, data, validation, settings, callbacks)
    estimator.validation_loss_curve_ += network.history.get("val_loss", [])
    outcome = session.outcome
    if outcome is None:  # ended by a callback, or Ctrl-C
        losses = network.history.get("loss", [])
        estimator.n_iter_, estimator.loss_ = len(losses), (losses or [np.inf])[-1]
        if limit.reached:
            _warn_of_time(estimator)
        return
    estimator.n_iter_, estimator.loss_ = int(outcome.nit), float(outcome.fun)
    if outcome.status != 0:
        warn_caller(
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
            f"(status={outcome.status}): {outcome.message}. Scaled inputs, or more iterations than "
            f"max_iter={estimator.max_iter}, may help.",
            ConvergenceWarning,
        )
    else:
        for message in baseline.poor_fit(estimator, network.loss, data):
            warn_caller(message, ConvergenceWarning)


def _warn_of_time(estimator: Any) -> None:
    warn_caller(
        f"Training ended after epoch {estimator.n_iter_}: max_time={estimator.max_time} s is over.",
        ConvergenceWarning,
    )


def _callbacks(estimator: Any) -> list[Callback]:
    """Return the user's callbacks and the progress bar."""
    bar = [ProgressBar()] if estimator.progress else []
    return [*(estimator.callbacks or ()), *bar]


class _IterationLines(Callback):
    """Print a line for each iteration."""

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        print(f"Iteration {epoch}, loss = {logs['loss']:.8f}")


def _run(
    network: Network,
    data: DataSet,
    validation: DataSet | None,
    settings: FitSettings,
    callbacks: list[Callback],
) -> Session:
    """Train; warn after Ctrl-C, and raise `ArgumentError` if the weights are no longer finite."""
    callback_list = CallbackList(callbacks, network)
    session = Session(network.state.epoch, callback_list, settings, data, validation)
    model = model_of(network)
    model.history = History()  # of this fit alone: partial_fit may be called any number of times
    try:
        run(model, session)
    except DivergenceError as error:
        raise ArgumentError(f"{NOT_FINITE} {error}") from error
    except KeyboardInterrupt:
        warn_caller("Training interrupted by user.")
    return session


def _validation_split(
    estimator: Any, data: DataSet, random: np.random.RandomState
) -> tuple[DataSet, DataSet]:
    """Return the rows to train on and the rows to score, the latter copied."""
    strata = estimator._strata(data.target)
    train, validation = split(len(data), estimator.validation_fraction, strata, random)
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    assert data.target is not None
    weight = None if data.weight is None else data.weight[validation]
    held_out = DataSet(data.x.take(validation, axis=0), data.target[validation], weight)
    return replace(data, rows=train), held_out


def _batch_size(estimator: Any, n_rows: int) -> int:
    if estimator.batch_size == "auto":
        return min(AUTO_BATCH_SIZE, n_rows)
    if estimator.batch_size > n_rows:
        warn_caller(
            f"batch_size={estimator.batch_size} is clipped to the {n_rows} rows there are",
        )
    return min(int(estimator.batch_size), n_rows)
