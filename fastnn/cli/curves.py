"""Learning curves as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..history import History

_COLOURS = {"training": "#0072b2", "test": "#d55e00"}  # told apart by colour-blind readers too


def draw_curves(history: History, path: Path) -> bool:
    """Draw loss and accuracy of every epoch, training and test, as a PNG.

    Draws on a canvas of its own, so that the user's matplotlib back end stays what it is. Returns
    False where matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return False
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Handwritten digits: learning curves")
    loss, accuracy = figure.subplots(1, 2)
    _draw(loss, history, "loss")
    loss.set_yscale("log")
    loss.set_ylabel("cross-entropy per image (nats, log scale)")
    _draw(accuracy, history, "accuracy", factor=100, unit=" %")
    accuracy.set_ylim(top=101)
    accuracy.set_ylabel("images classified correctly (%)")
    figure.savefig(path, dpi=150)
    return True


def _draw(axes: Axes, history: History, name: str, factor: float = 1, unit: str = "") -> None:
    """One quantity over the epochs, of training and test images, with its last values."""
    for series, key in (("training", name), ("test", f"val_{name}")):
        values = [factor * value for value in history[key]]
        label = f"{series}, finally {values[-1]:.3g}{unit}"
        axes.plot(history.epoch, values, color=_COLOURS[series], label=label)
    axes.set_xlabel("epoch")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
