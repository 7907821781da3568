"""Plots of a search side by side: which there are, and how they are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any

from ...errors import ArgumentError
from ...plotting import style
from ...utils import checks
from . import parallel_coordinates, plots
from .study_view import BEST, ENOUGH, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What can be drawn, in the order in which it is.
KINDS = ("history", "pareto", "importances", "parallel", "slices")

#: Columns of the layout, so that two and three panels can share a row.
COLUMNS = 6


@dataclass(frozen=True)
class Panel:
    """One plot; those of a group share rows, and a wide one has a row of its own."""

    kind: str
    group: str
    draw: Callable[[Axes], None]
    wide: bool = False


def panels(observed: Observed, kinds: str | Sequence[str] | None = None) -> list[Panel]:
    """The plots of some kinds, by default of all that the search allows.

    Raises
    ------
    ArgumentError
        A kind is unknown, or the search does not allow it.
    """
    makers = {
        "history": _history,
        "pareto": _pareto,
        "importances": _importances,
        "parallel": _parallel,
        "slices": _slices,
    }
    if kinds is None:
        return [panel for make in makers.values() for panel in _if_possible(make, observed)]
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    if not wanted:
        raise ArgumentError(f"kinds is empty: choose among {', '.join(KINDS)}")
    return [panel for kind in wanted for panel in checks.one_of("kinds", kind, makers)(observed)]


def _if_possible(make: Callable[[Observed], list[Panel]], observed: Observed) -> list[Panel]:
    try:
        return make(observed)
    except ArgumentError:
        return []


def _history(observed: Observed) -> list[Panel]:
    if len(observed.objectives) > 1:
        raise ArgumentError("a search with several objectives has no 'history': see 'pareto'")
    return [Panel("history", "overview", partial(plots.history, observed=observed))]


def _pareto(observed: Observed) -> list[Panel]:
    if len(observed.objectives) == 1:
        raise ArgumentError("a search with one objective has no 'pareto' front: see 'history'")
    pairs = combinations(range(len(observed.objectives)), 2)
    return [
        Panel("pareto", "overview", partial(plots.pareto, observed=observed, one=i, other=j))
        for i, j in pairs
    ]


def _importances(observed: Observed) -> list[Panel]:
    if observed.importances is None:
        raise ArgumentError(
            f"'importances' tell the best {BEST} trials from the others: they need {ENOUGH} that "
            "are complete, or have reported at one epoch, and not all alike"
        )
    draw = partial(plots.importances, found=observed.importances)
    return [Panel("importances", "overview", draw)]


def _parallel(observed: Observed) -> list[Panel]:
    draw = partial(parallel_coordinates.coordinates, observed=observed)
    return [Panel("parallel", "parallel", draw, wide=True)]


def _slices(observed: Observed) -> list[Panel]:
    return [
        Panel(
            "slices",
            objective.name,
            partial(plots.slice_of, observed=observed, dimension=dimension, index=index),
        )
        for index, objective in enumerate(observed.objectives)
        for dimension in observed.dimensions
    ]


def figure(observed: Observed, kinds: str | Sequence[str] | None) -> Figure:
    """A new figure of pyplot's with all that is wanted, and a legend.

    Raises
    ------
    ArgumentError
        A kind is unknown, or the search does not allow it.
    MissingDependencyError
        matplotlib is not installed.
    """
    style.require_matplotlib()
    from matplotlib import pyplot

    rows = list(_rows(panels(observed, kinds)))
    width, height = style.PANEL
    across = max(2 if row[0].wide else len(row) for row in rows)
    size = (across * width, len(rows) * height + 0.4)
    made = pyplot.figure(figsize=size, layout="constrained")
    places = made.add_gridspec(len(rows), COLUMNS)
    for i, row in enumerate(rows):
        span = COLUMNS // max(len(row), _neighbours(rows, i))
        for j, panel in enumerate(row):
            panel.draw(made.add_subplot(places[i, j * span : (j + 1) * span]))
    handles = legend(observed, [panel.kind for row in rows for panel in row])
    if handles:
        made.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return made


def _rows(wanted: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Wide panels alone; of others two or three in a row, as they fill it."""
    for _, group in groupby(wanted, key=lambda panel: panel.group):
        together = list(group)
        count = 1 if together[0].wide else 2 if len(together) in (2, 4) else 3
        yield from (together[i : i + count] for i in range(0, len(together), count))


def _neighbours(rows: Sequence[list[Panel]], i: int) -> int:
    """Panels of the row above if it is of the same group: the last row has the same columns."""
    if not i or rows[i - 1][0].group != rows[i][0].group:
        return 1
    return len(rows[i - 1])


def legend(observed: Observed, kinds: Sequence[str]) -> list[Any]:
    """What the marks stand for, of those that the panels hold."""
    from matplotlib.lines import Line2D

    if not {"history", "pareto", "slices", "parallel"} & set(kinds):
        return []
    found = []
    for state, name in names(observed).items():
        mark = plots.MARKS[state]
        edge = mark.get("edgecolors", mark.get("color", mark.get("facecolors")))
        found.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker=mark["marker"],
                markerfacecolor=mark.get("facecolors", "none"),
                markeredgecolor=edge,
                markersize=mark["s"] ** 0.5,
                label=name,
            )
        )
    return found


def names(observed: Observed) -> dict[str, str]:
    """What marks there are, and what they stand for."""
    found = {state: f"{state} ({count})" for state, count in observed.counts().items()}
    several = len(observed.objectives) > 1
    found["best"] = "on the front" if several else f"best: trial {observed.chosen[0].number}"
    if plots.reach_beyond(observed):
        found["worse"] = "worse still"
    return found
