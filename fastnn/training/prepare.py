"""From the arguments of `fit` to a session: all is checked before the model is built or changed.

The model's lock is held meanwhile.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..augmentation import augmentation_of
from ..callbacks.base import Callback, CallbackList, checked
from ..callbacks.progress import EpochLines, ProgressBar
from ..data.data_set import DataSet, require_weight, split
from ..errors import ArgumentError, ArgumentTypeError, naming
from ..layers import BatchNorm
from ..layers.sequence import with_inputs
from ..model import data_sets, input_statistics
from ..model.base import Model
from ..model.base_network import BaseNetwork
from ..model.history import History
from ..utils import checks
from . import lbfgs, resume
from .session import FitSettings, Session
from .trainer import Trainer

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np

    from ..augmentation.pipeline import Pipeline
    from ..callbacks import Checkpoint
    from ..compiler.architecture import Architecture


class DataSource(Protocol):
    """The data of a fit, as users give them."""

    def data_sets(self, model: Model) -> tuple[DataSet, DataSet | None]:
        """Return the rows to train on, and those to validate on if there are any, checked."""
        ...


@dataclass(frozen=True)
class FitArguments:
    """The arguments of one fit, not checked yet but for its callbacks; see `Network.fit`."""

    data: DataSource
    callbacks: CallbackList
    batch_size: int | None
    epochs: int
    shuffle: bool
    augmentation: Any


@dataclass(frozen=True)
class FitData:
    """The arguments of `Network.fit` that are data."""

    X: Any
    y: Any
    sample_weight: Any = None
    class_weight: Any = None
    validation_data: tuple[Any, ...] | None = None
    validation_fraction: float | None = None

    def data_sets(self, model: Model) -> tuple[DataSet, DataSet | None]:
        """Return the rows to train on, and those to validate on if any are given or held out."""
        if self.validation_data is not None and self.validation_fraction is not None:
            raise ArgumentError("give validation_data or validation_fraction, not both")
        x, net = data_sets.inputs_and_sizes(model, self.X)
        train = data_sets.with_targets(net, x, self.y, training=True)
        validation, weight = None, self.sample_weight
        if self.validation_data is not None:
            with naming("validation_data"):
                X, y, *own = validation_arrays(self.validation_data)
                validation, weight = data_sets.data_set(net, X, y), own[0] if own else None
        elif self.validation_fraction is not None:
            train, validation = split(train, self.validation_fraction, model.seed)
        factors = data_sets.class_factors(net, train.targets, self.class_weight)
        train = _weighted(net, train, self.sample_weight, factors)
        require_weight(train, "train on")
        if validation is not None:
            with naming("validation_data") if self.validation_data is not None else nullcontext():
                validation = _weighted(net, validation, weight, factors)
            require_weight(validation, "validate on")
        return train, validation


def prepare(model: Model, arguments: FitArguments) -> Session:
    """Return the session of a fit; an optimizer that takes no steps needs all rows at once.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used; nothing is built or changed.
    """
    train, validation = arguments.data.data_sets(model)
    epochs = checks.integer("epochs", arguments.epochs, low=1)
    shuffle = checks.boolean("shuffle", arguments.shuffle)
    batch_size = arguments.batch_size
    if batch_size is not None:
        batch_size = checks.integer("batch_size", batch_size, low=1)
    if model.optimizer.full_batch:
        lbfgs.refuse(model.optimizer, augmentation=arguments.augmentation)
        batch_size = None
    n_rows = min(batch_size or len(train), len(train))
    pipeline = bound(arguments.augmentation, model, train)
    settings = FitSettings(epochs, n_rows, shuffle, pipeline)
    return Session(model.state.epoch, arguments.callbacks, settings, train, validation)


def batch(model: Model, X: Any, y: Any, sample_weight: Any, class_weight: Any) -> DataSet:
    """Return the rows of one step; alone they need not show what the dtype can tell apart."""
    x, net = data_sets.inputs_and_sizes(model, X)
    data = data_sets.with_targets(net, x, y)
    factors = data_sets.class_factors(net, data.targets, class_weight)
    data = _weighted(net, data, sample_weight, factors)
    require_weight(data, "train on")
    return data


def _weighted(
    net: Architecture, data: DataSet, sample_weight: Any, factors: np.ndarray | None
) -> DataSet:
    """Return data with their weights; `sample_weight` has those of the whole arrays."""
    assert data.target is not None
    return data.weighted(data_sets.row_weights(net, data.target, sample_weight, factors))


def validation_arrays(validation_data: Any) -> tuple[Any, ...]:
    """Return X, y and, if they are given, weights."""
    if not isinstance(validation_data, tuple) or len(validation_data) not in (2, 3):
        raise ArgumentTypeError(
            "validation_data must be (X, y) or (X, y, sample_weight), "
            f"got {type(validation_data).__name__}"
        )
    return validation_data


def bound(augmentation: Any, model: Model, data: DataSet) -> Pipeline | None:
    """Return an augmentation tied to the rows of a data set."""
    if augmentation is None:
        return None
    described = augmentation_of("augmentation", augmentation)
    shape = data.x.shape[1:]
    (outputs,) = model.architecture_for(shape).shapes[-1]
    return described.bind(shape, model.dtype, outputs, data.labels)


def listeners(network: BaseNetwork, callbacks: Iterable[Callback], verbose: int) -> CallbackList:
    """Return the user's callbacks, and those that report on the fit, for a network."""
    verbose = checks.verbosity(verbose, high=2)
    callbacks = checked(callbacks)
    reporters: dict[int, list[Callback]] = {0: [], 1: [ProgressBar()], 2: [EpochLines()]}
    return CallbackList([*callbacks, *reporters[verbose]], network)


def trainer(
    model: Model, session: Session, resume_from: str | PathLike[str] | Checkpoint | None = None
) -> Trainer:
    """Build the model, or restore it from the fit to resume; return what trains it."""
    if model.optimizer.full_batch:
        lbfgs.refuse(model.optimizer, resume_from=resume_from)
    warn_of_lone_rows(model, session.train, session.settings.batch_size)
    saved = resume.read(resume_from, model, session)
    if model.built and input_statistics.are_known(model.arena):
        input_statistics.check_rows(model.architecture, session.train)
    check(model, session)
    model.build_for(session.train)
    model.stop_training = False
    if saved is not None:
        resume.restore(saved, model, session)
    kind = lbfgs.FullBatchTrainer if model.optimizer.full_batch else Trainer
    return kind(model, session)


def run(model: Model, session: Session) -> History:
    """Run a fit whose data and settings are checked; raise what `Network.fit` does of the rest."""
    with model.lock.held() as interrupt:
        with interrupt.allowed():
            chosen = trainer(model, session)
        return chosen.run(interrupt)


def check(model: Model, session: Session) -> None:
    """Refuse a fit that a callback, or the schedule, cannot follow; nothing has changed yet."""
    plateau = model.learning_rates.plateau
    if plateau is not None:
        plateau.monitor.check_available(session.score_names(model), model.metrics)
    session.callbacks.check_fit(session.info(model))


def warn_of_lone_rows(model: Model, data: DataSet, batch_size: int) -> None:
    """Warn where `BatchNorm` meets a batch of a single value for each feature.

    It normalises that to 0 whatever it is, so the row has no effect, and the running variance is
    drawn towards 0.
    """
    n_rows = len(data)
    if batch_size > 1 and n_rows % batch_size != 1:
        return
    net = model.architecture_for(data.x.shape[1:])
    for layer, name, shape in with_inputs(net.layers, net.names, net.views):
        if not isinstance(layer, BatchNorm) or math.prod(shape) > shape[-1]:
            continue  # of an image, all positions count
        which = "batches" if batch_size == 1 else "the last batch of an epoch"
        warnings.warn(
            f"BatchNorm layer {name!r} gets {which} of a single row (batch_size={batch_size}, "
            f"{n_rows} rows), which it normalises to 0 whatever it is: nothing is learnt from it. "
            "Choose another batch_size",
            stacklevel=4,
        )
        return
