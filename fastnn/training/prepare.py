"""The checks of the arguments of `fit`, which give a session; no model is built or changed.

The model's lock is held meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..augmentation import augmentation_of
from ..callbacks.base import Callback, CallbackList, checked
from ..callbacks.progress import EpochLines, ProgressBar
from ..data.data_set import DataSet, require_weight
from ..layers import BatchNorm
from ..model import data_sets
from ..model.base import Model
from ..model.base_network import BaseNetwork
from ..utils import checks
from ..utils.counting import count
from ..utils.warn import warn_caller
from . import lbfgs
from .arguments import FitArguments, weighted
from .session import FitSettings, Session

if TYPE_CHECKING:
    from ..augmentation.pipeline import Pipeline


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
    warn_of_lone_rows(model, train, n_rows)
    settings = FitSettings(epochs, n_rows, shuffle, pipeline)
    return Session(model.state.epoch, arguments.callbacks, settings, train, validation)


def batch(model: Model, X: Any, y: Any, sample_weight: Any, class_weight: Any) -> DataSet:
    """Return the rows of one step; alone they need not show what the dtype can tell apart."""
    x, net = data_sets.inputs_and_sizes(model, X)
    data = data_sets.with_targets(net, x, y)
    factors = data_sets.class_factors(net, data.targets, class_weight)
    data = weighted(net, data, sample_weight, factors)
    require_weight(data, "train on")
    return data


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
    for layer, name, shape in net.all_layers():
        if not isinstance(layer, BatchNorm) or math.prod(shape) > shape[-1]:
            continue  # of an image, all positions count
        which = "batches" if batch_size == 1 else "the last batch of an epoch"
        warn_caller(
            f"BatchNorm layer {name!r} gets {which} of a single row (batch_size={batch_size}, "
            f"{count(n_rows, 'row')}), which it normalises to 0 whatever it is: nothing is learnt "
            "from it. Choose another batch_size"
        )
        return
