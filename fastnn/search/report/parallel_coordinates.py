"""Parallel coordinates: a vertical axis for each hyper-parameter, a line for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...plotting.style import QUIET, TRAINING, VALIDATION, dress
from .axes import Axis, dimension_axis, shorten
from .plots import FAILED, MANY_POINTS, objective_axis
from .study_view import Dimension, StudyView, TrialView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Maximum number of hyper-parameters: the most important.
MOST = 10
#: Position below the axis of a hyper-parameter that a trial does not have.
ABSENT = -0.14
#: Characters of all names that fit below the axes; and of one name, if they are rotated.
NAME_CHARACTERS, TURNED = 90, 18


def shown_dimensions(view: StudyView) -> list[Dimension]:
    """Return the dimensions that have an axis, in the order in which they were drawn."""
    if len(view.dimensions) <= MOST:
        return list(view.dimensions)
    shares = view.importances.shares if view.importances else {}
    ranked = sorted(view.dimensions, key=lambda d: -shares.get(d.name, 0.0))[:MOST]
    return [dimension for dimension in view.dimensions if dimension in ranked]


def coordinates(axes: Axes, view: StudyView) -> None:
    """Draw lines from grey to blue as trials get better, the best orange, failures dotted."""
    dimensions = shown_dimensions(view)
    scales = [_axis(view, dimension) for dimension in dimensions]
    values = [objective_axis(view, i) for i in range(len(view.objectives))]
    _lines(axes, view, dimensions, scales, values)
    for at, scale in enumerate([*scales, *values]):
        _draw_scale(axes, at, scale)
    below = {
        at: "not asked"
        for at, dimension in enumerate(dimensions)
        if any(dimension.name not in trial.params for trial in view.trials)
    }
    if any(trial.state == "failed" for trial in view.trials):
        below[len(scales)] = "failed"
    for at, text in below.items():
        _note(axes, at, ABSENT, text)
    names = [d.name for d in dimensions] + [o.name for o in view.objectives]
    left_out = len(view.dimensions) - len(dimensions)
    title = "parallel coordinates"
    dress(axes, title + (f", without {left_out} that matter less" if left_out else ""), "", "")
    _label(axes, names, ABSENT if below else 0.0)


def _label(axes: Axes, names: list[str], low: float) -> None:
    """Remove the frame; write names below, rotated if they are many or long."""
    crowded = sum(map(len, names)) > NAME_CHARACTERS
    labels = [shorten(name, TURNED if crowded else NAME_CHARACTERS) for name in names]
    style: dict[str, Any] = {"rotation": 20, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), labels, **(style if crowded else {}))
    axes.tick_params(axis="x", length=0, pad=6)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.35, len(names) - 0.75)
    axes.set_ylim(low - 0.06, 1.04)


def _axis(view: StudyView, dimension: Dimension) -> Axis:
    having = [t.params[dimension.name] for t in view.trials if dimension.name in t.params]
    return dimension_axis(dimension, having)


def _lines(
    axes: Axes, view: StudyView, dimensions: list[Dimension], scales: list[Axis], values: list[Axis]
) -> None:
    """Draw one line through all axes for each trial."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("better", ["#a8a8a8", TRAINING])
    sign = view.objectives[0].sign
    ranked = sorted(view.scored, key=lambda t: -sign * t.values[0])
    goodness = {t.number: i / max(1, len(ranked) - 1) for i, t in enumerate(ranked)}
    for trial in view.trials:
        heights = [
            scale.share(scale.number(trial.params[d.name])) if d.name in trial.params else ABSENT
            for d, scale in zip(dimensions, scales, strict=True)
        ]
        if trial.values:
            heights += [
                axis.share(axis.number(v)) for axis, v in zip(values, trial.values, strict=True)
            ]
        elif trial.state == "failed":
            heights.append(ABSENT)
        axes.plot(
            heights,
            rasterized=len(view.trials) > MANY_POINTS,
            **_line(trial, goodness.get(trial.number, 0.0), shades),
        )


def _line(trial: TrialView, goodness: float, shades: Any) -> dict[str, Any]:
    """Return the style of the line of a trial."""
    if trial.state == "failed":
        return {"color": FAILED, "linewidth": 1.2, "linestyle": ":", "zorder": 1.5}
    if trial.chosen:
        return {"color": VALIDATION, "linewidth": 2.2, "zorder": 4}
    return {
        "color": shades(goodness),
        "alpha": 0.25 + 0.5 * goodness,
        "linewidth": 1.0 if trial.state == "complete" else 0.7,
        "zorder": 2 + goodness,
    }


def _draw_scale(axes: Axes, at: int, axis: Axis) -> None:
    """Draw an axis with its ticks and labels, in front of the lines."""
    from matplotlib import rcParams

    ink: Any = rcParams["axes.edgecolor"]
    axes.plot([at, at], [0, 1], color=ink, linewidth=1, zorder=5)
    for value, label in axis.ticks:
        height = axis.share(value)
        axes.plot([at - 0.02, at], [height, height], color=ink, linewidth=1, zorder=5)
        _note(axes, at, height, label)


def _note(axes: Axes, at: int, height: float, text: str) -> None:
    from matplotlib import rcParams

    box = {"facecolor": rcParams["axes.facecolor"], "alpha": 0.7, "linewidth": 0, "pad": 0.6}
    axes.annotate(
        text,
        (at, height),
        (-5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize="small",
        zorder=6,
        bbox=box,
        color=QUIET if height == ABSENT else None,
    )
