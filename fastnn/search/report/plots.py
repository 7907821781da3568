"""Each plot of a search, drawn into given axes; parallel coordinates are in `parallel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...plotting.style import ACCENT, QUIET, TRAINING, VALIDATION, dress
from ..objectives import MINIMIZE
from .axes import Axis, dimension_axis, shorten, value_axis
from .study_view import Dimension, Importances, Observation, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Also of Okabe's and Ito's palette.
FAILED = "#cc79a7"

#: How a trial of each state is drawn.
MARKS: dict[str, dict[str, Any]] = {
    "complete": {"marker": "o", "s": 22, "facecolors": TRAINING, "linewidths": 0, "alpha": 0.75},
    "pruned": {"marker": "o", "s": 16, "facecolors": "none", "edgecolors": QUIET, "alpha": 0.9},
    "failed": {"marker": "x", "s": 26, "color": FAILED, "linewidths": 1.4, "clip_on": False},
    "best": {
        "marker": "D", "s": 48, "facecolors": VALIDATION, "edgecolors": "white", "linewidths": 0.8
    },
    "worse": {"marker": "^", "s": 26, "facecolors": "none", "edgecolors": QUIET},
}  # fmt: skip

#: Trials beyond which points of vector pictures become pixels.
MANY_POINTS = 1000
#: Trials of a front beyond which they are not numbered.
NUMBERED = 12
#: Bars beyond which the least important hyper-parameters are left out.
BARS = 12


def objective_axis(observed: Observed, index: int) -> Axis:
    """That of an objective, for all trials that are judged."""
    objective = observed.objectives[index]
    values = [trial.values[index] for trial in observed.judged]
    return value_axis(objective.name, values, objective.direction == MINIMIZE)


def reach_beyond(observed: Observed) -> bool:
    """Whether some trials are so much worse than most that they are drawn at the edge."""
    axes = [objective_axis(observed, i) for i in range(len(observed.objectives))]
    return any(
        axis.is_outside(value)
        for trial in observed.judged
        for axis, value in zip(axes, trial.values, strict=True)
    )


def _scatter(
    axes: Axes, observed: Observed, y: Axis, points: Sequence[tuple[float, Observation, int]]
) -> None:
    """Trials of (x, trial, objective); those that failed along the lower edge."""
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
                rasterized=len(observed.trials) > MANY_POINTS,
                **MARKS[kind] | ({"marker": "v"} if below else {}),
            )


def history(axes: Axes, observed: Observed) -> None:
    """The objective of every trial, and the best so far."""
    y = objective_axis(observed, 0)
    y.dress(axes, "y")
    _scatter(axes, observed, y, [(trial.number, trial, 0) for trial in observed.trials])
    numbers, best = best_so_far(observed)
    axes.step(
        numbers, [y.number(b) for b in best], where="post", color=ACCENT, linewidth=1.6, zorder=2
    )
    axes.locator_params(axis="x", integer=True)
    axes.margins(x=0.03)
    dress(axes, "best so far", "trial", y.name)


def best_so_far(observed: Observed) -> tuple[list[int], list[float]]:
    """Numbers of trials and the best value up to each, of those that count for the best."""
    sign = observed.objectives[0].sign
    counted = [t for t in observed.judged if t.state == "complete"] or observed.judged
    numbers: list[int] = []
    best: list[float] = []
    for trial in counted:
        numbers.append(trial.number)
        best.append(min([*best[-1:], trial.values[0]], key=lambda value: sign * value))
    return [*numbers, observed.trials[-1].number], [*best, best[-1]]


def pareto(axes: Axes, observed: Observed, one: int, other: int) -> None:
    """Two objectives, one against the other; the front is that of all."""
    x, y = objective_axis(observed, one), objective_axis(observed, other)
    x.dress(axes, "x")
    y.dress(axes, "y")
    judged = observed.judged
    _scatter(axes, observed, y, [(x.number(t.values[one]), t, other) for t in judged])
    front = sorted(
        (x.number(t.values[one]), y.number(t.values[other]), t.number) for t in observed.chosen
    )
    if len(observed.objectives) == 2:
        axes.step(
            [point[0] for point in front],
            [point[1] for point in front],
            where="post" if observed.objectives[one].sign > 0 else "pre",
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
        f"{axis.name} ({'less' if observed.objectives[i].sign > 0 else 'more'} is better)"
        for axis, i in ((x, one), (y, other))
    ]
    dress(axes, "trade-off", *labels)


def importances(axes: Axes, found: Importances) -> None:
    """How much each hyper-parameter decides, as bars."""
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


def slice_of(axes: Axes, observed: Observed, dimension: Dimension, index: int) -> None:
    """An objective over one hyper-parameter, of the trials that have it."""
    having = [trial for trial in observed.trials if dimension.name in trial.params]
    x = dimension_axis(dimension, [trial.params[dimension.name] for trial in having])
    y = objective_axis(observed, index)
    x.dress(axes, "x")
    y.dress(axes, "y")
    points = [
        (x.number(trial.params[dimension.name]) + _shift(x, trial.number), trial, index)
        for trial in having
    ]
    _scatter(axes, observed, y, points)
    missing = len(observed.trials) - len(having)
    title = f"{x.name}, in {len(having)} of {len(observed.trials)} trials" if missing else x.name
    dress(axes, title, "", y.name)


def _shift(x: Axis, number: int) -> float:
    """Beside its choice, so that trials of one choice do not hide each other."""
    golden = 0.6180339887498949
    return 0.0 if x.choices is None else 0.5 * (number * golden % 1 - 0.5)
