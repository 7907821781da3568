"""A fit: the data in two parts, the session that the engine runs, and what is said at its end."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..callbacks import Callback, ProgressBar
from ..callbacks.base import CallbackList, Logs
from ..data.data_set import DataSet
from ..errors import ArgumentError, DivergenceError
from ..model.history import History
from ..network import Network
from ..training.trainer import FitSettings, Session
from . import baseline
from .convergence import Account, TimeLimit
from .sklearn_random import Shuffles
from .splitting import split

#: Rows of a batch at most, where `batch_size` is "auto".
AUTO_BATCH_SIZE = 200

#: Frames up from here to whoever called `fit`: `fit_steps`, `_fit`, `fit`, scikit-learn's wrapper.
CALLER = 5

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
    """Epochs of gradient descent: one if `incremental`, else until the account says stop.

    Without validation data, early stopping holds out some of the rows.
    """
    train, score = data, None
    if estimator.early_stopping:
        held_out = validation
        if held_out is None:
            train, held_out = _split(estimator, data, random)
        score = estimator._scorer(held_out)
    epochs = 1 if incremental else estimator.max_iter
    order = Shuffles(random, len(train)) if estimator.shuffle else None
    settings = FitSettings(
        epochs, _batch_size(estimator, len(train)), False, order=order, loss_by_rows=True
    )
    estimator._go_on()
    account = Account(estimator, len(train), score)
    estimator.n_iter_ = 0
    limit = TimeLimit(estimator.max_time)
    callbacks = [account, *_callbacks(estimator), *listeners, limit]
    _run(network, train, validation, settings, callbacks)
    if account.diverged is not None:
        warnings.warn(
            f"Training ended early, with the best weights so far: {account.diverged}",
            ConvergenceWarning,
            stacklevel=CALLER,
        )
    elif limit.reached:
        _warn_of_time(estimator)
    elif not incremental:
        reached = estimator.n_iter_ == epochs and not account.converged
        said = f"{MAX_ITERATIONS.format(epochs)} " if reached else ""
        poor = account.converged or reached
        said += (poor and baseline.complaint(estimator, network.loss, train)) or ""
        if said:
            warnings.warn(said.strip(), ConvergenceWarning, stacklevel=CALLER)


def fit_full_batch(
    estimator: Any,
    network: Network,
    data: DataSet,
    validation: DataSet | None,
    listeners: Sequence[Callback],
) -> None:
    """Iterations of L-BFGS."""
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
        warnings.warn(
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
            f"(status={outcome.status}): {outcome.message}. Scaled inputs, or more iterations than "
            f"max_iter={estimator.max_iter}, may help.",
            ConvergenceWarning,
            stacklevel=CALLER,
        )
    elif poor := baseline.complaint(estimator, network.loss, data):
        warnings.warn(poor, ConvergenceWarning, stacklevel=CALLER)


def _warn_of_time(estimator: Any) -> None:
    warnings.warn(
        f"Training ended after epoch {estimator.n_iter_}: max_time={estimator.max_time} s is over.",
        ConvergenceWarning,
        stacklevel=CALLER + 1,
    )


def _callbacks(estimator: Any) -> list[Callback]:
    """The user's callbacks, and the progress bar."""
    bar = [ProgressBar()] if estimator.progress else []
    return [*(estimator.callbacks or ()), *bar]


class _IterationLines(Callback):
    """One line for each iteration."""

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        print(f"Iteration {epoch}, loss = {logs['loss']:.8f}")


def _run(
    network: Network,
    data: DataSet,
    validation: DataSet | None,
    settings: FitSettings,
    callbacks: list[Callback],
) -> Session:
    """Train; the end is another one after Ctrl-C, or where numbers are no longer finite."""
    called = CallbackList(callbacks, network)
    session = Session(network.state.epoch, called, settings, data, validation)
    network.history = History()  # of this fit alone: partial_fit may be called without end
    try:
        network.train(session)
    except DivergenceError as error:
        raise ArgumentError(f"{NOT_FINITE} {error}") from error
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=CALLER + 1)
    return session


def _split(estimator: Any, data: DataSet, random: np.random.RandomState) -> tuple[DataSet, DataSet]:
    """Rows to train on and rows to score, the latter copied."""
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


def _batch_size(estimator: Any, rows: int) -> int:
    if estimator.batch_size == "auto":
        return min(AUTO_BATCH_SIZE, rows)
    if estimator.batch_size > rows:
        warnings.warn(
            f"batch_size={estimator.batch_size} is clipped to the {rows} rows there are",
            stacklevel=CALLER + 1,
        )
    return min(int(estimator.batch_size), rows)
