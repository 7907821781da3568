"""What plots look like: one set of colours and axes for all of them; needs matplotlib."""

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


def figure(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    """A figure that no window or notebook knows of, and its axes, shape (rows, columns)."""
    require_matplotlib()
    from matplotlib.figure import Figure

    width, height = PANEL
    made = Figure(figsize=(columns * width, rows * height), layout="constrained")
    return made, made.subplots(rows, columns, squeeze=False)


def panels(ax: Any, count: int) -> list[Axes]:
    """The user's axes, of which there must be `count`, or a row of new ones of pyplot's."""
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
        raise ArgumentError(f"ax holds {len(given)} axes, but there are {count} panels to draw")
    return given


def grid(count: int) -> tuple[int, int]:
    """Rows and columns for so many panels, three in a row."""
    columns = min(count, 3)
    return -(-count // columns), columns


def fill(axes: np.ndarray, draw: Sequence[Callable[[Axes], None]]) -> None:
    """Draw into the axes one by one; those left over are hidden."""
    for panel, function in zip(axes.flat, draw, strict=False):
        function(panel)
    for panel in axes.flat[len(draw) :]:
        panel.set_visible(False)


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Title, labels and a quiet grid."""
    axes.set_title(title, fontsize="medium", loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def plain(name: str) -> str:
    """A name of the user's, in which matplotlib is to see no formula."""
    return name.replace("$", r"\$")


def lines(
    axes: Axes, x: Sequence[float], series: Sequence[tuple[str, Sequence[float], str]]
) -> None:
    """Lines of (label, values, colour) over x; short ones show their points."""
    marker = "o" if len(x) <= 10 else None
    for label, values, colour in series:
        axes.plot(x, values, color=colour, label=label, marker=marker, markersize=4)
    axes.legend(frameon=False)


#: Stand for the colours of a page's text and of its ground, which matplotlib cannot say.
_INK, _PAPER = "#010203", "#fdfcfb"


def svg(draw: Callable[[Axes], None], size: tuple[float, float] = PANEL) -> str:
    """One panel, of that many inches, as an SVG element in the colours of the page around."""
    require_matplotlib()
    from matplotlib import rc_context

    inked: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    )
    inked |= {"axes.facecolor": _PAPER, "svg.fonttype": "none", "svg.hashsalt": "fastnn"}
    with rc_context(inked):
        made, axes = figure(1, 1)
        made.set_size_inches(size)
        axes[0, 0].set_facecolor("none")
        draw(axes[0, 0])
        text = io.StringIO()
        made.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :].replace(_INK, "currentColor").replace(_PAPER, "Canvas")


def save(made: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as a PNG, whole or not at all."""
    from ..utils import atomic_write

    picture = io.BytesIO()
    made.savefig(picture, dpi=150, format="png")
    atomic_write.write(path, [picture.getbuffer()])
