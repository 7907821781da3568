"""Going on with a fit that was interrupted, from the file of a `Checkpoint`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..callbacks import Checkpoint
from ..errors import ArgumentTypeError
from ..model.base import Model
from ..runtime.interrupts import DeferredInterrupt
from .session import Session

if TYPE_CHECKING:
    from os import PathLike

    from ..model_file.checkpoint import SavedFit


def read(
    resume_from: str | PathLike[str] | Checkpoint | None, model: Model, session: Session
) -> SavedFit | None:
    """Return the checkpoint to go on from, compared with the fit that begins; or None."""
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
    from ..model_file.checkpoint import read_checkpoint

    return read_checkpoint(resume_from, model, session.train.x.shape[1:], session.record())


def restore(saved: SavedFit, model: Model, session: Session) -> None:
    """Give a built model, and the callbacks that have a state, what the checkpoint holds.

    Raises
    ------
    ModelFileError
        A state is not one of that callback or schedule; the model is as it was.
    """
    with DeferredInterrupt(waiting=True):
        for number, callback in enumerate(session.callbacks.stateful()):
            saved.load_state(number, callback.load_state_dict)
        saved.restore(model)
    session.first_epoch = saved.first_epoch
