"""Training of a network by the options of ``fastnn train``."""

from __future__ import annotations

import math
import sys
from argparse import Namespace
from collections.abc import Callable

import numpy as np

from ..activations.named import ACTIVATIONS
from ..callbacks import EarlyStopping
from ..errors import ArgumentError, DivergenceError, FastnnError
from ..layers import Dense, Dropout, Layer
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..tables.findings import count
from ..utils import checks
from . import streams

# Default number of epochs: enough for this many updates, within these limits.
_UPDATES = 10_000
_MIN_EPOCHS, _MAX_EPOCHS = 50, 1000
_MIN_ROWS_TO_VALIDATE = 50
_FEW_VALIDATION_ROWS = 10


def check_options(options: Namespace) -> tuple[list[Layer], Optimizer]:
    """Return the hidden layers and the optimizer of the options, before data are read.

    Raises
    ------
    ArgumentError
        An option has a value that cannot be used.
    """
    if options.epochs is not None:
        checks.integer("--epochs", options.epochs, low=1)
    checks.integer("--batch-size", options.batch_size, low=1)
    checks.integer("--seed", options.seed, low=0, high=2**64 - 1)
    for name in ("test_fraction", "validation_fraction"):
        option = f"--{name.replace('_', '-')}"
        checks.number(option, getattr(options, name), low=0, high=1, open_high=True)
    kind: Callable[..., Optimizer] = checks.one_of("--optimizer", options.optimizer, OPTIMIZERS)
    rate = options.learning_rate
    checks.number("--dropout", options.dropout, low=0, high=1, open_high=True)
    checks.number("--l2", options.l2, low=0)
    if rate is not None:
        checks.number("--learning-rate", rate, low=0, open_low=True)
    checks.one_of("--activation", options.activation, ACTIVATIONS)
    return _hidden_layers(options), kind() if rate is None else kind(learning_rate=rate)


def _hidden_layers(options: Namespace) -> list[Layer]:
    layers: list[Layer] = []
    for units in _sizes(options.hidden):
        layers.append(Dense(units, options.activation, l2=options.l2))
        if options.dropout:
            layers.append(Dropout(options.dropout))
    return layers


def _sizes(text: str) -> list[int]:
    """Return the units of hidden layers given as "128,64"; "none" is no hidden layer."""
    if text.strip().lower() == "none":
        return []
    try:
        sizes = [int(units) for units in text.split(",")]
    except ValueError:
        raise ArgumentError(
            f'--hidden must be sizes such as "128,64" or "none", got {text!r}'
        ) from None
    return [checks.integer("units in --hidden", units, low=1) for units in sizes]


def fit(network: Network, x: np.ndarray, y: np.ndarray, options: Namespace) -> str:
    """Train on inputs (n, features) and encoded targets; return a sentence about the training.

    Unless there are few rows, some of them are held out to choose the epoch whose weights are kept.

    Raises
    ------
    FastnnError
        Training diverged.
    """
    updates_per_epoch = math.ceil(len(x) / options.batch_size)
    epochs = options.epochs or min(max(_MIN_EPOCHS, _UPDATES // updates_per_epoch), _MAX_EPOCHS)
    validate = options.validation_fraction > 0 and len(x) >= _MIN_ROWS_TO_VALIDATE
    _warn_of_few_rows(options, len(x), validate)
    keep_best = EarlyStopping(patience=max(10, epochs // 10), restore_best_weights=True)
    try:
        history = network.fit(
            x,
            y,
            batch_size=options.batch_size,
            epochs=epochs,
            validation_fraction=options.validation_fraction if validate else None,
            callbacks=[keep_best] if validate else [],
            verbose=0 if options.quiet or not sys.stderr.isatty() else 1,
        )
    except DivergenceError as error:
        raise FastnnError(
            f"training diverged in epoch {error.epoch}, batch {error.batch}; a smaller "
            f"--learning-rate may help (it is {network.optimizer.learning_rate}). No file was "
            "written"
        ) from error
    if not validate:
        return f"trained for {count(epochs, 'epoch')}"
    return (
        f"trained for {count(len(history.epoch), 'epoch')}; the weights of epoch "
        f"{keep_best.best_epoch}, the best on validation rows, are kept"
    )


def _warn_of_few_rows(options: Namespace, n_rows: int, validate: bool) -> None:
    if validate:
        n_held_out = round(options.validation_fraction * n_rows)
        if n_held_out < _FEW_VALIDATION_ROWS:
            streams.note(
                f"warning: only {count(n_held_out, 'validation row')} to choose the best epoch by"
            )
    elif options.validation_fraction > 0:
        streams.note(
            f"warning: {count(n_rows, 'training row')}, fewer than {_MIN_ROWS_TO_VALIDATE}: too "
            "few to hold some out, so the last epoch is kept, not the best"
        )
