"""What two fits must share for one to go on where the other stopped, exactly."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks import Checkpoint
from ..errors import ArgumentTypeError

if TYPE_CHECKING:
    from os import PathLike

    from ..data.data_set import DataSet
    from ..network import Network
    from ..serialization.checkpoint import SavedFit
    from .trainer import Session

#: Rows of each array, evenly spread, that a digest covers.
DIGEST_ROWS = 256


def fit_arguments(session: Session) -> dict[str, Any]:
    """The arguments of a fit that its outcome depends on, the number of epochs aside, as JSON."""
    settings, validation = session.settings, session.validation
    return {
        "batch_size": settings.batch_size,
        "shuffle": settings.shuffle,
        "augmentation": settings.augmentation and settings.augmentation.description,
        "training data": _described(session.train),
        "validation data": None if validation is None else _described(validation),
    }


def read(
    resume_from: str | PathLike[str] | Checkpoint | None,
    network: Network,
    input_shape: tuple[int, ...],
    session: Session,
) -> SavedFit | None:
    """The checkpoint to go on from, compared with the fit that begins; None for a new beginning."""
    if resume_from is None:
        return None
    if isinstance(resume_from, Checkpoint):
        if not os.path.exists(resume_from.file):
            return None
        resume_from = resume_from.file
    elif not isinstance(resume_from, (str, bytes, os.PathLike)):
        raise ArgumentTypeError(
            f"resume_from must be the path of a file or a Checkpoint, got {resume_from!r}"
        )
    from ..serialization.checkpoint import read_checkpoint

    arguments, callbacks = fit_arguments(session), session.callbacks.stateful()
    return read_checkpoint(resume_from, network, input_shape, arguments, callbacks)


def _described(data: DataSet) -> dict[str, Any]:
    """Sizes and dtypes of a data set, and a digest of a sample of its values."""
    arrays = {"X": data.x, "y": data.target, "sample_weight": data.weight}
    described: dict[str, Any] = {"rows": len(data)}
    for name, array in arrays.items():
        described[f"shape of {name}"] = None if array is None else list(array.shape)
        described[f"dtype of {name}"] = None if array is None else array.dtype.name
    for name, array in (*arrays.items(), ("selection of rows", data.rows)):
        described[f"digest of {name}"] = None if array is None else _digest(array)
    return described


def _digest(array: np.ndarray) -> str:
    sample = array[np.linspace(0, len(array) - 1, min(len(array), DIGEST_ROWS), dtype=np.int64)]
    return hashlib.sha256(np.ascontiguousarray(sample).data).hexdigest()[:16]
