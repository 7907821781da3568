"""Single plots of a search, drawn into given axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...plotting.style import ACCENT, QUIET, TRAINING, VALIDATION, dress
from ..objectives import MINIMIZE
from .axes import Axis, dimension_axis, shorten, value_axis
from .study_view import Dimension, Importances, StudyView, TrialView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A colour of the palette of Okabe and Ito.
FAILED = "#cc79a7"

#: Markers by state of the trial.
MARKS: dict[str, dict[str, Any]] = {
    "complete": {"marker": "o", "s": 22, "facecolors": TRAINING, "linewidths": 0, "alpha": 0.75},
    "pruned": {"marker": "o", "s": 16, "facecolors": "none", "edgecolors": QUIET, "alpha": 0.9},
    "failed": {"marker": "x", "s": 26, "color": FAILED, "linewidths": 1.4, "clip_on": False},
    "best": {
        "marker": "D", "s": 48, "facecolors": VALIDATION, "edgecolors": "white", "linewidths": 0.8
    },
    "worse": {"marker": "^", "s": 26, "facecolors": "none", "edgecolors": QUIET},
}  # fmt: skip

#: Number of trials beyond which points are rasterized.
MANY_POINTS = 1000
#: Number of trials on a front beyond which they have no numbers.
NUMBERED = 12
#: Maximum number of bars: the most important hyper-parameters.
BARS = 12


def objective_axis(view: StudyView, index: int) -> Axis:
    """Return the axis of an objective, for all trials with values."""
    objective = view.objectives[index]
    values = [trial.values[index] for trial in view.scored]
    return value_axis(objective.name, values, objective.direction == MINIMIZE)


def reach_beyond(view: StudyView) -> bool:
    """Return whether trials are so much worse than most that they are drawn at the edge."""
    axes = [objective_axis(view, i) for i in range(len(view.objectives))]
    return any(
        axis.is_outside(value)
        for trial in view.scored
        for axis, value in zip(axes, trial.values, strict=True)
    )


def _scatter(
    axes: Axes, view: StudyView, y: Axis, points: Sequence[tuple[float, TrialView, int]]
) -> None:
    """Draw points of (x, trial, objective); failed trials are at the lower edge."""
    low = axes.get_ylim()[0]
    groups: dict[str, list[tuple[float, float]]] = {}
    for x, trial, index in points:
        if not trial.values:
            if trial.state == "failed":
                groups.setdefault("failed", []).append((x, low))
            continue
        value = trial.values[index]
        kind: str = "best" if trial.chosen else "worse" if y.is_outside(value) else trial.state
        groups.setdefault(kind, []).append((x, y.number(value)))
    for order, kind in enumerate(("worse", "pruned", "complete", "failed", "best")):
        if kind in groups:
            below = kind == "worse" and groups[kind][0][1] == y.low
            axes.scatter(
                *zip(*groups[kind], strict=True),
                zorder=3 + order,
                rasterized=len(view.trials) > MANY_POINTS,
                **MARKS[kind] | ({"marker": "v"} if below else {}),
            )


def history(axes: Axes, view: StudyView) -> None:
    """Draw the objective of every trial, and the best so far."""
    y = objective_axis(view, 0)
    y.dress(axes, "y")
    _scatter(axes, view, y, [(trial.number, trial, 0) for trial in view.trials])
    numbers, best = best_so_far(view)
    axes.step(
        numbers, [y.number(b) for b in best], where="post", color=ACCENT, linewidth=1.6, zorder=2
    )
    axes.locator_params(axis="x", integer=True)
    axes.margins(x=0.03)
    dress(axes, "best so far", "trial", y.name)


def best_so_far(view: StudyView) -> tuple[list[int], list[float]]:
    """Return trial numbers and the best value up to each, of complete trials if there are any."""
    sign = view.objectives[0].sign
    counted = [t for t in view.scored if t.state == "complete"] or view.scored
    numbers: list[int] = []
    best: list[float] = []
    for trial in counted:
        numbers.append(trial.number)
        best.append(min([*best[-1:], trial.values[0]], key=lambda value: sign * value))
    return [*numbers, view.trials[-1].number], [*best, best[-1]]


def pareto(axes: Axes, view: StudyView, one: int, other: int) -> None:
    """Draw one objective against another; the front is that of all objectives."""
    x, y = objective_axis(view, one), objective_axis(view, other)
    x.dress(axes, "x")
    y.dress(axes, "y")
    _scatter(axes, view, y, [(x.number(t.values[one]), t, other) for t in view.scored])
    front = sorted(
        (x.number(t.values[one]), y.number(t.values[other]), t.number) for t in view.chosen
    )
    if len(view.objectives) == 2:
        axes.step(
            [point[0] for point in front],
            [point[1] for point in front],
            where="post" if view.objectives[one].sign > 0 else "pre",
            color=VALIDATION,
            linewidth=1,
            alpha=0.6,
            zorder=2,
        )
    if len(front) <= NUMBERED:
        for at_x, at_y, number in front:
            axes.annotate(
                str(number), (at_x, at_y), (5, 4), textcoords="offset points", fontsize="x-small"
            )
    labels = [
        f"{axis.name} ({'less' if view.objectives[i].sign > 0 else 'more'} is better)"
        for axis, i in ((x, one), (y, other))
    ]
    dress(axes, "trade-off", *labels)


def importances(axes: Axes, found: Importances) -> None:
    """Draw the importance of each hyper-parameter as bars."""
    shown = list(found.shares.items())[:BARS][::-1]
    bars = axes.barh(range(len(shown)), [share for _, share in shown], color=TRAINING, height=0.7)
    axes.set_yticks(range(len(shown)), [shorten(name, 24) for name, _ in shown])
    axes.bar_label(bars, [f"{share:.0%}" for _, share in shown], padding=3, fontsize="small")
    axes.set_xlim(0, 1.15 * max(share for _, share in shown))
    axes.set_xticks([])
    when = "" if found.epoch is None else f" for what epoch {found.epoch} shows"
    left_out = len(found.shares) - len(shown)
    dress(axes, f"importance{when}", f"and {left_out} less important" if left_out else "", "")
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def slice_of(axes: Axes, view: StudyView, dimension: Dimension, index: int) -> None:
    """Draw an objective over one hyper-parameter, of the trials that have it."""
    having = [trial for trial in view.trials if dimension.name in trial.params]
    x = dimension_axis(dimension, [trial.params[dimension.name] for trial in having])
    y = objective_axis(view, index)
    x.dress(axes, "x")
    y.dress(axes, "y")
    points = [
        (x.number(trial.params[dimension.name]) + _shift(x, trial.number), trial, index)
        for trial in having
    ]
    _scatter(axes, view, y, points)
    missing = len(view.trials) - len(having)
    title = f"{x.name}, in {len(having)} of {len(view.trials)} trials" if missing else x.name
    dress(axes, title, "", y.name)


def _shift(x: Axis, number: int) -> float:
    """Return a shift from a choice, so that trials of one choice do not hide each other."""
    golden = 0.6180339887498949
    return 0.0 if x.choices is None else 0.5 * (number * golden % 1 - 0.5)
