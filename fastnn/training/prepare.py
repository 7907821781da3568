"""From the arguments of `fit` to a session: all is checked before the network is built or changed.

The network's lock is held meanwhile.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..augmentation import augmentation_of
from ..callbacks.base import Callback, CallbackList, checked
from ..callbacks.progress import EpochLines, ProgressBar
from ..data import data_set
from ..errors import ArgumentError, ArgumentTypeError, naming
from ..layers import BatchNorm
from ..model import input_statistics
from ..runtime.interrupts import DeferredInterrupt
from ..utils import checks
from . import lbfgs, resume
from .trainer import FitSettings, Session, Trainer

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np

    from ..augmentation.pipeline import Pipeline
    from ..callbacks import Checkpoint
    from ..compiler.architecture import Architecture
    from ..data.data_set import DataSet
    from ..network import Network


def data_sets(
    network: Network,
    X: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    validation_data: Any = None,
    validation_fraction: float | None = None,
) -> tuple[DataSet, DataSet | None]:
    """Return the rows to train on, and those to validate on if any are given or held out."""
    if validation_data is not None and validation_fraction is not None:
        raise ArgumentError("give validation_data or validation_fraction, not both")
    net = network.settle_for(X)
    train = data_set.data_set(net, X, y, training=True)
    validation, weight = None, sample_weight
    if validation_data is not None:
        with naming("validation_data"):
            X, y, *own = validation_arrays(validation_data)
            validation, weight = data_set.data_set(net, X, y), own[0] if own else None
    elif validation_fraction is not None:
        train, validation = data_set.split(train, validation_fraction, network.seed)
    factors = data_set.class_factors(net, train.targets, class_weight)
    train = _weighted(net, train, sample_weight, factors)
    data_set.require_weight(train, "train on")
    if validation is not None:
        with naming("validation_data") if validation_data is not None else nullcontext():
            validation = _weighted(net, validation, weight, factors)
        data_set.require_weight(validation, "validate on")
    return train, validation


def batch(network: Network, X: Any, y: Any, sample_weight: Any, class_weight: Any) -> DataSet:
    """Return the rows of one step; alone they need not show what the dtype can tell apart."""
    net = network.settle_for(X)
    rows = data_set.data_set(net, X, y)
    rows = _weighted(
        net, rows, sample_weight, data_set.class_factors(net, rows.targets, class_weight)
    )
    data_set.require_weight(rows, "train on")
    return rows


def _weighted(
    net: Architecture, rows: DataSet, sample_weight: Any, factors: np.ndarray | None
) -> DataSet:
    """Return rows with their weights; `sample_weight` has those of the whole arrays."""
    assert rows.target is not None
    return rows.weighted(data_set.row_weights(net, rows.target, sample_weight, factors))


def validation_arrays(validation_data: Any) -> tuple[Any, ...]:
    """X, y and, if they are given, weights."""
    if not isinstance(validation_data, tuple) or len(validation_data) not in (2, 3):
        raise ArgumentTypeError(
            "validation_data must be (X, y) or (X, y, sample_weight), "
            f"got {type(validation_data).__name__}"
        )
    return validation_data


def bound(augmentation: Any, network: Network, rows: DataSet) -> Pipeline | None:
    """An augmentation tied to the rows of a data set."""
    if augmentation is None:
        return None
    described = augmentation_of("augmentation", augmentation)
    shape = rows.x.shape[1:]
    (outputs,) = network.settled(shape).shapes[-1]
    return described.bind(shape, network.dtype, outputs, rows.labels)


def settings(
    network: Network,
    train: DataSet,
    *,
    batch_size: int | None,
    epochs: int,
    shuffle: bool,
    augmentation: Any,
) -> FitSettings:
    """What is to be done with the rows; an optimizer that takes no steps wants all of them."""
    epochs = checks.integer("epochs", epochs, low=1)
    shuffle = checks.boolean("shuffle", shuffle)
    if batch_size is not None:
        batch_size = checks.integer("batch_size", batch_size, low=1)
    if network.optimizer.full_batch:
        lbfgs.refuse(network.optimizer, augmentation=augmentation)
        batch_size = None
    rows = min(batch_size or len(train), len(train))
    return FitSettings(epochs, rows, shuffle, bound(augmentation, network, train))


def listeners(network: Network, callbacks: Iterable[Callback], verbose: int) -> CallbackList:
    """The user's callbacks, and what reports on the fit."""
    verbose = checks.verbosity(verbose, high=2)
    callbacks = checked(callbacks)
    reporters: dict[int, list[Callback]] = {0: [], 1: [ProgressBar()], 2: [EpochLines()]}
    return CallbackList([*callbacks, *reporters[verbose]], network)


def trainer(
    network: Network,
    session: Session,
    resume_from: str | PathLike[str] | Checkpoint | None = None,
) -> Trainer:
    """Build the network, or take it up where the fit to resume was interrupted; who trains it."""
    if network.optimizer.full_batch:
        lbfgs.refuse(network.optimizer, resume_from=resume_from)
    warn_of_lone_rows(network, session.train, session.settings.batch_size)
    saved = resume.read(resume_from, network, session.train.x.shape[1:], session)
    if network.built and input_statistics.adapted(network.arena):
        input_statistics.check_rows(network.architecture, session.train)
    check(network, session)
    network.build_for(session.train)
    network.stop_training = False
    if saved is not None:
        with DeferredInterrupt(waiting=True):
            saved.restore(network, session.callbacks.stateful())
        session.first_epoch = saved.fit["first_epoch"]
    kind = lbfgs.FullBatchTrainer if network.optimizer.full_batch else Trainer
    return kind(network, session)


def check(network: Network, session: Session) -> None:
    """Refuse a fit that a callback, or the schedule, cannot follow; nothing has changed yet."""
    plateau = network.learning_rates.plateau
    if plateau is not None:
        plateau.monitor.check_available(session.score_names(network), network.metrics)
    session.callbacks.check_fit(session.info(network))


def warn_of_lone_rows(network: Network, data: DataSet, batch_size: int) -> None:
    """Warn where `BatchNorm` meets a batch of a single value for each feature.

    It normalises that to 0 whatever it is, so nothing is learnt from it, and the running variance
    is drawn towards 0.
    """
    rows = len(data)
    if batch_size > 1 and rows % batch_size != 1:
        return
    net = network.settled(data.x.shape[1:])
    for layer, name, shape in zip(net.layers, net.names, net.shapes, strict=False):
        if not isinstance(layer, BatchNorm) or math.prod(shape) > shape[-1]:
            continue  # of an image, all positions count
        which = "batches" if batch_size == 1 else "the last batch of an epoch"
        warnings.warn(
            f"BatchNorm layer {name!r} gets {which} of a single row (batch_size={batch_size}, "
            f"{rows} rows), which it normalises to 0 whatever it is: nothing is learnt from it. "
            "Choose another batch_size",
            stacklevel=4,
        )
        return
