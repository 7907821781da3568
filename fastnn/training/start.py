"""The start of a checked session: its model is built or restored, and trained.

The model's lock is held meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import input_statistics
from ..model.base import Model
from ..model.history import History
from . import lbfgs, prepare, resume
from .session import Session
from .trainer import Trainer

if TYPE_CHECKING:
    from os import PathLike

    from ..callbacks import Checkpoint


def trainer(
    model: Model, session: Session, resume_from: str | PathLike[str] | Checkpoint | None = None
) -> Trainer:
    """Build the model, or restore it from the fit to resume; return what trains it."""
    if model.optimizer.full_batch:
        lbfgs.refuse(model.optimizer, resume_from=resume_from)
    saved = resume.read(resume_from, model, session)
    if model.built and input_statistics.are_known(model.arena):
        input_statistics.check_rows(model.architecture, session.train)
    prepare.check(model, session)
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
            prepare.warn_of_lone_rows(model, session.train, session.settings.batch_size)
            chosen = trainer(model, session)
        return chosen.run(interrupt)
