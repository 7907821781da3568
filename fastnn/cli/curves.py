"""Learning curves as a picture."""

from __future__ import annotations

from pathlib import Path

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
    loss, accuracy = figure.subplots(1, 2)
    figure.suptitle("Handwritten digits: learning curves")
    for axes, name, factor in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        for series, key in (("training", name), ("test", f"val_{name}")):
            values = [factor * value for value in history[key]]
            axes.plot(history.epoch, values, color=_COLOURS[series], label=series)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    loss.set_ylabel("cross-entropy per image (nats, log scale)")
    loss.set_yscale("log")
    accuracy.set_ylabel("images classified correctly (%)")
    accuracy.set_ylim(top=100.5)
    last = factor * history["val_accuracy"][-1]
    accuracy.annotate(
        f"test: {last:.1f} %",
        (history.epoch[-1], last),
        xytext=(0, -24),
        textcoords="offset points",
        ha="right",
        color=_COLOURS["test"],
    )
    for axes in (loss, accuracy):
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    return True
