"""The learning curves of the demo as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingDependencyError

if TYPE_CHECKING:
    from ..model.history import History


def draw_curves(history: History, path: Path) -> bool:
    """Draw loss and accuracy of every epoch, of training and test images, as a PNG.

    The figure does not use pyplot, which would choose matplotlib's back end. Return False where
    matplotlib is not installed.
    """
    from ..plotting import style

    try:
        figure, axes = style.figure(1, 2)
    except MissingDependencyError:
        return False
    loss, accuracy = history.plot(["loss", "accuracy"], ax=axes)
    loss.set_yscale("log")
    loss.set_ylabel("cross-entropy per image (nats)")
    accuracy.set_ylabel("share classified correctly")
    figure.suptitle("Handwritten digits, the test images as validation data")
    style.save(figure, path)
    return True
