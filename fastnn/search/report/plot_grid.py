"""Several plots of a search in one figure."""

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
from .study_view import BEST, ENOUGH, StudyView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Kinds of plots, in the order in which they are drawn.
KINDS = ("history", "pareto", "importances", "parallel", "slices")

#: Columns of the grid, so that two or three panels can share a row.
COLUMNS = 6


@dataclass(frozen=True)
class Panel:
    """One plot; those of a group share rows, and a wide one has a row of its own."""

    kind: str
    group: str
    draw: Callable[[Axes], None]
    wide: bool = False


def panels(view: StudyView, kinds: str | Sequence[str] | None = None) -> list[Panel]:
    """Return the plots of some kinds, by default of all that the search allows.

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
        return [panel for make in makers.values() for panel in _if_possible(make, view)]
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    if not wanted:
        raise ArgumentError(f"kinds is empty: choose among {', '.join(KINDS)}")
    return [panel for kind in wanted for panel in checks.one_of("kinds", kind, makers)(view)]


def _if_possible(make: Callable[[StudyView], list[Panel]], view: StudyView) -> list[Panel]:
    try:
        return make(view)
    except ArgumentError:
        return []


def _history(view: StudyView) -> list[Panel]:
    if len(view.objectives) > 1:
        raise ArgumentError("a search with several objectives has no 'history': see 'pareto'")
    return [Panel("history", "overview", partial(plots.history, view=view))]


def _pareto(view: StudyView) -> list[Panel]:
    if len(view.objectives) == 1:
        raise ArgumentError("a search with one objective has no 'pareto' front: see 'history'")
    pairs = combinations(range(len(view.objectives)), 2)
    return [
        Panel("pareto", "overview", partial(plots.pareto, view=view, one=i, other=j))
        for i, j in pairs
    ]


def _importances(view: StudyView) -> list[Panel]:
    if view.importances is None:
        raise ArgumentError(
            f"'importances' tell the best {BEST} trials from the others: they need {ENOUGH} that "
            "are complete, or have reported at one epoch, and not all alike"
        )
    draw = partial(plots.importances, found=view.importances)
    return [Panel("importances", "overview", draw)]


def _parallel(view: StudyView) -> list[Panel]:
    draw = partial(parallel_coordinates.coordinates, view=view)
    return [Panel("parallel", "parallel", draw, wide=True)]


def _slices(view: StudyView) -> list[Panel]:
    return [
        Panel(
            "slices",
            objective.name,
            partial(plots.slice_of, view=view, dimension=dimension, index=index),
        )
        for index, objective in enumerate(view.objectives)
        for dimension in view.dimensions
    ]


def figure(view: StudyView, kinds: str | Sequence[str] | None) -> Figure:
    """Draw the plots of some kinds into a new figure of pyplot, with a legend.

    Raises
    ------
    ArgumentError
        A kind is unknown, or the search does not allow it.
    MissingDependencyError
        matplotlib is not installed.
    """
    style.require_matplotlib()
    from matplotlib import pyplot

    rows = list(_rows(panels(view, kinds)))
    width, height = style.PANEL
    across = max(2 if row[0].wide else len(row) for row in rows)
    size = (across * width, len(rows) * height + 0.4)
    made = pyplot.figure(figsize=size, layout="constrained")
    places = made.add_gridspec(len(rows), COLUMNS)
    for i, row in enumerate(rows):
        span = COLUMNS // max(len(row), _neighbours(rows, i))
        for j, panel in enumerate(row):
            panel.draw(made.add_subplot(places[i, j * span : (j + 1) * span]))
    handles = legend(view, [panel.kind for row in rows for panel in row])
    if handles:
        made.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return made


def _rows(wanted: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield rows of panels: wide ones alone, others two or three in a row."""
    for _, group in groupby(wanted, key=lambda panel: panel.group):
        together = list(group)
        count = 1 if together[0].wide else 2 if len(together) in (2, 4) else 3
        yield from (together[i : i + count] for i in range(0, len(together), count))


def _neighbours(rows: Sequence[list[Panel]], i: int) -> int:
    """Return the number of panels of the row above in the same group, whose columns a row keeps."""
    if not i or rows[i - 1][0].group != rows[i][0].group:
        return 1
    return len(rows[i - 1])


def legend(view: StudyView, kinds: Sequence[str]) -> list[Any]:
    """Return the legend of the markers that the panels contain."""
    from matplotlib.lines import Line2D

    if not {"history", "pareto", "slices", "parallel"} & set(kinds):
        return []
    found = []
    for state, name in names(view).items():
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


def names(view: StudyView) -> dict[str, str]:
    """Return the markers and their meaning."""
    found = {state: f"{state} ({count})" for state, count in view.counts().items()}
    several = len(view.objectives) > 1
    found["best"] = "on the front" if several else f"best: trial {view.chosen[0].number}"
    if plots.reach_beyond(view):
        found["worse"] = "worse still"
    return found
