"""One fit: callbacks, settings and data, and their description in a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..augmentation.pipeline import Pipeline
from ..callbacks.base import CallbackList
from ..data.data_set import DataSet
from ..model import inference
from ..model.base import Model
from ..model.running_fit import FitRecord

#: Rows of each array, evenly spread, that a digest covers.
DIGEST_ROWS = 256


@dataclass(frozen=True)
class FitSettings:
    """The checked arguments of one fit, data and callbacks apart.

    Attributes
    ----------
    epochs, batch_size : int
    shuffle : bool
    augmentation : Pipeline or None
    order : callable, optional
        Returns, before each epoch, the order of the rows, int64 indices into the training set, in
        place of the shuffle that follows from the seed.
    loss_by_rows : bool
        Whether batches count in the loss of an epoch by their rows, as in scikit-learn, instead of
        by their weights.
    """

    epochs: int
    batch_size: int
    shuffle: bool
    augmentation: Pipeline | None = None
    order: Callable[[], np.ndarray] | None = None
    loss_by_rows: bool = False


@dataclass
class Session:
    """A fit: its callbacks, settings and data; a `RunningFit`.

    Attributes
    ----------
    first_epoch : int
        Epochs that were completed when the fit began, before any interruption.
    callbacks : CallbackList
    settings : FitSettings
    train : DataSet
    validation : DataSet or None
    outcome : scipy.optimize.OptimizeResult or None
        How a fit by `LBFGS` ended, unless a callback ended it.
    """

    first_epoch: int
    callbacks: CallbackList
    settings: FitSettings
    train: DataSet
    validation: DataSet | None
    outcome: Any = None

    @property
    def epochs(self) -> int:
        """Return the number of epochs of the whole fit."""
        return self.settings.epochs

    @property
    def n_rows(self) -> int:
        """Return the number of rows of an epoch."""
        return len(self.train)

    def record(self) -> FitRecord:
        """Return what a checkpoint saves of it now, and compares with the fit that resumes it."""
        return FitRecord(self.first_epoch, self._arguments(), self.callbacks.states())

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments that the outcome depends on, epochs aside, as JSON values."""
        settings, validation = self.settings, self.validation
        return {
            "batch_size": settings.batch_size,
            "shuffle": settings.shuffle,
            "augmentation": settings.augmentation and settings.augmentation.description,
            "training data": _described(self.train),
            "validation data": None if validation is None else _described(validation),
        }

    def score_names(self, model: Model) -> tuple[str, ...]:
        """Return the names of the scores of each epoch, in their order."""
        net = model.architecture_for(self.train.x.shape[1:])
        names = inference.score_names(model.metrics, net.shapes[-1][0])
        return names if self.validation is None else (*names, *(f"val_{name}" for name in names))

    def info(self, model: Model) -> dict[str, Any]:
        """Return the `info` that callbacks get before the fit begins."""
        return {
            "epochs": self.settings.epochs,
            "rows": len(self.train),
            "validation_rows": 0 if self.validation is None else len(self.validation),
            "batch_size": self.settings.batch_size,
            "logs": (*self.score_names(model), *self.callbacks.reports),
        }


def _described(data: DataSet) -> dict[str, Any]:
    """Return sizes and dtypes of a data set, and digests of samples of its values."""
    arrays = {"X": data.x, "y": data.target, "sample_weight": data.weight}
    described: dict[str, Any] = {"rows": len(data)}
    for name, array in arrays.items():
        described[f"shape of {name}"] = None if array is None else list(array.shape)
        described[f"dtype of {name}"] = None if array is None else array.dtype.name
    for name, array in (*arrays.items(), ("selection of rows", data.rows)):
        described[f"digest of {name}"] = None if array is None else _digest(array)
    return described


def _digest(array: np.ndarray) -> str:
    import hashlib  # which loads OpenSSL

    sample = array[np.linspace(0, len(array) - 1, min(len(array), DIGEST_ROWS), dtype=np.int64)]
    return hashlib.sha256(np.ascontiguousarray(sample).data).hexdigest()[:16]
