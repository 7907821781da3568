"""The plots of a diagnosis, each drawn into given axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..plotting.style import ACCENT, QUIET, TRAINING, VALIDATION, dress, lines, plain
from .layer_flags import EXPLODING_SIGNAL, LARGE_UPDATE, SMALL_UPDATE, VANISHING_SIGNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from .bias_variance import BiasVariance
    from .learning_curve import LearningCurve
    from .measurement import LayerFigures
    from .scores import ClassScores, Residuals

#: More layers or classes than this are not labelled one by one.
MANY = 12

#: Figures that `LayerHealth` draws over the epochs, with the title of each plot.
HEALTH = {"signal": "‖gradient‖ at each output", "update_ratio": "‖update‖ / ‖parameters‖"}


def error_parts(axes: Axes, errors: BiasVariance) -> None:
    """Draw human, training and validation error as bars."""
    scale = 100 if errors.classification else 1
    values = {
        "human" if errors.human_error is not None else "human\n(taken as 0)": errors.human_error
        or 0.0,
        "training": errors.training.value,
        "validation": errors.validation.value,
    }
    bars = axes.bar(
        list(values), [scale * v for v in values.values()], color=[ACCENT, TRAINING, VALIDATION]
    )
    axes.bar_label(bars, [errors.format(v) for v in values.values()], padding=2)
    axes.margins(y=0.15)
    unit = "error (%)" if errors.classification else "root mean squared error"
    dress(axes, errors.verdict, "", unit)


def learning_curve(axes: Axes, curve: LearningCurve, errors: BiasVariance) -> None:
    """Draw training and validation error over the number of training rows."""
    scale = 100 if errors.classification else 1
    rows = [point.rows for point in curve.points]
    series = [
        (name, [scale * getattr(point, name).value for point in curve.points], colour)
        for name, colour in (("training", TRAINING), ("validation", VALIDATION))
    ]
    lines(axes, rows, series)
    if errors.human_error is not None:
        axes.axhline(scale * errors.human_error, color=ACCENT, linestyle="--", linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xticks(rows, [f"{r:,}" for r in rows])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    unit = "error (%)" if errors.classification else "root mean squared error"
    dress(axes, "learning curve", "training rows", unit)


def gradients(axes: Axes, layers: Sequence[LayerFigures]) -> None:
    """Draw the gradient at each layer's output over that at the network's."""
    last = layers[-1].signal
    gains = [figures.signal / last if last else math.nan for figures in layers]
    _by_layer(axes, layers, gains, (VANISHING_SIGNAL, EXPLODING_SIGNAL))
    dress(axes, "gradient on its way back", "", "‖gradient‖, output = 1")


def updates(axes: Axes, layers: Sequence[LayerFigures]) -> None:
    """Draw the size of one step over that of the parameters, by layer."""
    ratios = [figures.update_ratio for figures in layers]
    _by_layer(axes, layers, ratios, (SMALL_UPDATE, LARGE_UPDATE))
    dress(axes, "one update", "", "‖update‖ / ‖parameters‖")


def _by_layer(
    axes: Axes, layers: Sequence[LayerFigures], values: Sequence[float], limits: tuple[float, float]
) -> None:
    """Draw points on a logarithmic scale, with the healthy range shaded."""
    shown = np.array([v if v > 0 and math.isfinite(v) else math.nan for v in values])
    axes.axhspan(*limits, color=ACCENT, alpha=0.12, linewidth=0)
    axes.plot(range(len(layers)), shown, color=TRAINING, marker="o", markersize=4)
    axes.set_yscale("log")
    names = [plain(figures.name) for figures in layers]
    if len(names) <= MANY:
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    else:
        axes.set_xticks([0, len(names) - 1], [names[0], names[-1]])


def confusion(axes: Axes, scores: ClassScores) -> None:
    """Draw true classes down, predicted across; shades are shares of the true class."""
    counts, shares = scores.confusion, scores.confusion_shares
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(counts) <= MANY:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > 0.5 else QUIET if count == 0 else "#222222"
            axes.text(j, i, f"{count}", ha="center", va="center", color=colour, fontsize="small")
        axes.set_xticks(range(len(counts)))
        axes.set_yticks(range(len(counts)))
    dress(axes, "confusion, validation rows", "predicted", "true")
    axes.grid(visible=False)


def residuals(axes: Axes, found: Residuals) -> None:
    """Draw true values over predictions."""
    axes.scatter(found.predicted.ravel(), found.true.ravel(), s=6, alpha=0.4, color=VALIDATION)
    ends = [
        min(found.true.min(), found.predicted.min()),
        max(found.true.max(), found.predicted.max()),
    ]
    axes.plot(ends, ends, color=QUIET, linewidth=1)
    dress(axes, "predictions, validation rows", "predicted", "true")


def health(
    axes: Axes, epochs: Sequence[int], values: Mapping[str, Sequence[float]], title: str
) -> None:
    """Draw a figure of every layer over the epochs, logarithmically, first layers darkest."""
    from matplotlib import colormaps

    # The ends of the colour map are hardly visible on black or on white.
    shades = colormaps["viridis"](np.linspace(0.25, 0.95, len(values)))
    marker = "o" if len(epochs) <= 10 else None
    for (name, column), shade in zip(values.items(), shades, strict=True):
        shown = [v if v > 0 and math.isfinite(v) else math.nan for v in column]
        axes.plot(epochs, shown, color=shade, label=plain(name), marker=marker, markersize=3)
    axes.set_yscale("log")
    axes.locator_params(axis="x", integer=True)
    if len(values) <= MANY:
        axes.legend(frameon=False, fontsize="small")
    dress(axes, f"{title}, over the epochs", "epoch", "")
