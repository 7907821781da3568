"""The arguments of one fit, and its data as they are checked."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..callbacks.base import CallbackList
from ..data.data_set import DataSet, require_weight, split
from ..errors import ArgumentError, ArgumentTypeError, naming
from ..model import data_sets
from ..model.base import Model

if TYPE_CHECKING:
    import numpy as np

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
        train = weighted(net, train, self.sample_weight, factors)
        require_weight(train, "train on")
        if validation is not None:
            with naming("validation_data") if self.validation_data is not None else nullcontext():
                validation = weighted(net, validation, weight, factors)
            require_weight(validation, "validate on")
        return train, validation


def weighted(
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
