"""Parallel coordinates: an upright axis for each hyper-parameter, a line for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...plotting.style import QUIET, TRAINING, VALIDATION, dress
from .axes import Axis, dimension_axis, shorten
from .plots import FAILED, MANY_POINTS, objective_axis
from .study_view import Dimension, Observation, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Hyper-parameters beyond which only the most important are shown.
MOST = 10
#: Where a line passes a hyper-parameter that the trial was not asked for, below the axis.
ABSENT = -0.14
#: Characters of all names that fit in one line below the axes; and of one, where they are turned.
NAME_CHARACTERS, TURNED = 90, 18


def shown_dimensions(observed: Observed) -> list[Dimension]:
    """Those that have an axis, as they were asked for."""
    if len(observed.dimensions) <= MOST:
        return list(observed.dimensions)
    shares = observed.importances.shares if observed.importances else {}
    ranked = sorted(observed.dimensions, key=lambda d: -shares.get(d.name, 0.0))[:MOST]
    return [dimension for dimension in observed.dimensions if dimension in ranked]


def coordinates(axes: Axes, observed: Observed) -> None:
    """Lines from grey to blue as trials get better, the best in orange, failures dotted."""
    dimensions = shown_dimensions(observed)
    uprights = [_axis(observed, dimension) for dimension in dimensions]
    values = [objective_axis(observed, i) for i in range(len(observed.objectives))]
    _lines(axes, observed, dimensions, uprights, values)
    for at, upright in enumerate([*uprights, *values]):
        _upright(axes, at, upright)
    below = {
        at: "not asked"
        for at, dimension in enumerate(dimensions)
        if any(dimension.name not in trial.params for trial in observed.trials)
    }
    if any(trial.state == "failed" for trial in observed.trials):
        below[len(uprights)] = "failed"
    for at, text in below.items():
        _note(axes, at, ABSENT, text)
    names = [d.name for d in dimensions] + [o.name for o in observed.objectives]
    left_out = len(observed.dimensions) - len(dimensions)
    title = "parallel coordinates"
    dress(axes, title + (f", without {left_out} that matter less" if left_out else ""), "", "")
    _dress(axes, names, ABSENT if below else 0.0)


def _dress(axes: Axes, names: list[str], low: float) -> None:
    """No frame; names below, turned where they are many or long."""
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


def _axis(observed: Observed, dimension: Dimension) -> Axis:
    having = [t.params[dimension.name] for t in observed.trials if dimension.name in t.params]
    return dimension_axis(dimension, having)


def _lines(
    axes: Axes,
    observed: Observed,
    dimensions: list[Dimension],
    uprights: list[Axis],
    values: list[Axis],
) -> None:
    """One through all axes for each trial."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("better", ["#a8a8a8", TRAINING])
    sign = observed.objectives[0].sign
    ranked = sorted(observed.judged, key=lambda t: -sign * t.values[0])
    goodness = {t.number: i / max(1, len(ranked) - 1) for i, t in enumerate(ranked)}
    for trial in observed.trials:
        heights = [
            upright.share(upright.number(trial.params[d.name]))
            if d.name in trial.params
            else ABSENT
            for d, upright in zip(dimensions, uprights, strict=True)
        ]
        if trial.values:
            heights += [
                axis.share(axis.number(v)) for axis, v in zip(values, trial.values, strict=True)
            ]
        elif trial.state == "failed":
            heights.append(ABSENT)
        axes.plot(
            heights,
            rasterized=len(observed.trials) > MANY_POINTS,
            **_line(trial, goodness.get(trial.number, 0.0), shades),
        )


def _line(trial: Observation, goodness: float, shades: Any) -> dict[str, Any]:
    """What the line of a trial looks like."""
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


def _upright(axes: Axes, at: int, axis: Axis) -> None:
    """An axis with its ticks; what is written beside them stands in front of the lines."""
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
