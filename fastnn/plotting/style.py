"""The style of plots: one set of colours and axes for all of them; needs matplotlib."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..utils import optional

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: From the palette of Okabe and Ito, told apart by colour-blind readers too and legible on white
#: and on black.
TRAINING, VALIDATION, ACCENT, QUIET = "#0072b2", "#d55e00", "#009e73", "#888888"

#: Inches of one panel.
PANEL = (4.8, 3.4)


def require_matplotlib() -> None:
    """Raise `MissingDependencyError` where matplotlib is not installed."""
    optional.module("matplotlib", extra="plot", need="a plot")


def figure(n_rows: int, n_columns: int) -> tuple[Figure, np.ndarray]:
    """Return a figure that is not shown, and its axes, shape (n_rows, n_columns)."""
    require_matplotlib()
    from matplotlib.figure import Figure

    width, height = PANEL
    made = Figure(figsize=(n_columns * width, n_rows * height), layout="constrained")
    return made, made.subplots(n_rows, n_columns, squeeze=False)


def panels(ax: Any, count: int) -> list[Axes]:
    """Return the user's axes, which must be `count`, or a row of new ones from pyplot."""
    require_matplotlib()
    if ax is None:
        from matplotlib import pyplot

        width, height = PANEL
        _, made = pyplot.subplots(
            1, count, figsize=(count * width, height), layout="constrained", squeeze=False
        )
        return list(made[0])
    given = list(np.ravel(ax))
    if len(given) != count:
        raise ArgumentError(f"ax holds {len(given)} axes, expected one for each panel: {count}")
    return given


def panel_grid(ax: Any, count: int) -> list[Axes]:
    """Return the user's axes, as `panels` does, or new ones from pyplot in rows of three."""
    if ax is not None:
        return panels(ax, count)
    require_matplotlib()
    from matplotlib import pyplot

    n_rows, n_columns = grid(count)
    width, height = PANEL
    size = n_columns * width, n_rows * height
    made = pyplot.figure(figsize=size, layout="constrained")
    return [made.add_subplot(n_rows, n_columns, number + 1) for number in range(count)]


def grid(count: int) -> tuple[int, int]:
    """Return the numbers of rows and columns for so many panels, three in a row."""
    n_columns = min(count, 3)
    return -(-count // n_columns), n_columns


def fill(axes: np.ndarray, draw: Sequence[Callable[[Axes], None]]) -> None:
    """Draw into the axes one by one, and hide those left over."""
    for panel, function in zip(axes.flat, draw, strict=False):
        function(panel)
    for panel in axes.flat[len(draw) :]:
        panel.set_visible(False)


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Set title, labels and a light grid."""
    axes.set_title(title, fontsize="medium", loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def plain(name: str) -> str:
    """Escape a name in which matplotlib would see a formula."""
    return name.replace("$", r"\$")


def lines(
    axes: Axes, x: Sequence[float], series: Sequence[tuple[str, Sequence[float], str]]
) -> None:
    """Draw lines of (label, values, colour) over x; short ones show their points."""
    marker = "o" if len(x) <= 10 else None
    for label, values, colour in series:
        axes.plot(x, values, color=colour, label=label, marker=marker, markersize=4)
    axes.legend(frameon=False)


#: Placeholders of a page's colours of text and background, which matplotlib cannot express.
_INK, _PAPER = "#010203", "#fdfcfb"


def svg(draw: Callable[[Axes], None], size: tuple[float, float] = PANEL) -> str:
    """Draw one panel of that size in inches as an SVG element in the colours of its page."""
    require_matplotlib()
    from matplotlib import rc_context

    colours: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    )
    colours |= {"axes.facecolor": _PAPER, "svg.fonttype": "none", "svg.hashsalt": "fastnn"}
    with rc_context(colours):
        made, axes = figure(1, 1)
        made.set_size_inches(size)
        axes[0, 0].set_facecolor("none")
        draw(axes[0, 0])
        text = io.StringIO()
        made.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :].replace(_INK, "currentColor").replace(_PAPER, "Canvas")


def save(made: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as a PNG, atomically."""
    from ..utils import atomic_write

    picture = io.BytesIO()
    made.savefig(picture, dpi=150, format="png")
    atomic_write.write(path, [picture.getbuffer()])
