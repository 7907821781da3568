"""Axes of plots: limits, scale, ticks and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...plotting.style import plain
from .study_view import Dimension

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Characters of a label; longer ones are cut.
LABEL = 14
#: Number of choices beyond which only some are labelled.
MANY = 12
#: Characters of all labels that fit below a panel; longer labels are rotated.
LEVEL_CHARACTERS = 28
#: Values further than `FENCE` interquartile ranges outside the quartiles are drawn at the edge, if
#: they would squeeze all others into less than the share `SQUEEZED` of the axis.
FENCE, SQUEEZED = 3.0, 0.4
#: Ratio of the limits beyond which a scale is logarithmic by default.
WIDE = 20
#: Margin at both ends, as a share of the axis.
MARGIN = 0.04


@dataclass(frozen=True)
class Axis:
    """An axis of a plot.

    Attributes
    ----------
    name : str
    low, high : float
        Limits without the margin; choices are numbered from 0.
    log : bool
    ticks : tuple of (float, str)
        Positions and labels.
    choices : tuple or None
    """

    name: str
    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]
    choices: tuple[Any, ...] | None = None

    def number(self, value: Any) -> float:
        """Return a value as a number within the limits."""
        if self.choices is not None:
            return float(_index(self.choices, value))
        return min(max(float(value), self.low), self.high)

    def is_outside(self, value: float) -> bool:
        """Return whether a number is beyond the limits, and so drawn at the edge."""
        return not self.low <= value <= self.high

    def share(self, number: float) -> float:
        """Return the position of a number between the limits, in [0, 1]."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, number))
        return (at - low) / (high - low) if high > low else 0.5

    def dress(self, panel: Axes, side: str) -> None:
        """Set scale, limits and ticks of a panel's "x" or "y"."""
        if self.log:
            getattr(panel, f"set_{side}scale")("log")
        panel.minorticks_off()
        labels = [label for _, label in self.ticks]
        turned = side == "x" and sum(map(len, labels)) > LEVEL_CHARACTERS
        style: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        at = [value for value, _ in self.ticks]
        getattr(panel, f"set_{side}ticks")(at, labels, **(style if turned else {}))
        getattr(panel, f"set_{side}lim")(*self._limits())

    def _limits(self) -> tuple[float, float]:
        if self.choices is not None:
            return self.low - 0.5, self.high + 0.5
        if self.log:
            room = (self.high / self.low) ** MARGIN
            return self.low / room, self.high * room
        room = MARGIN * (self.high - self.low)
        return self.low - room, self.high + room


def shorten(text: Any, length: int = LABEL) -> str:
    """Return text in one line for matplotlib, with an ellipsis in the middle if it is long."""
    line = " ".join(str(text).split()) or repr(text)
    if len(line) > length:
        end = (length - 1) // 2
        line = f"{line[: length - 1 - end]}…{line[-end:]}"
    return plain(line)


def dimension_axis(dimension: Dimension, values: Sequence[Any]) -> Axis:
    """Return the axis of a hyper-parameter with some of its values."""
    name = shorten(dimension.name, 2 * LABEL)
    if dimension.choices is not None:
        step = -(-len(dimension.choices) // MANY)
        ticks = [(float(i), shorten(c)) for i, c in enumerate(dimension.choices)][::step]
        return Axis(name, 0, len(dimension.choices) - 1, False, tuple(ticks), dimension.choices)
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        low, high = min(values), max(values)
        return _numeric(name, low, high, _is_wide(low, high), False)
    return _numeric(name, low, high, dimension.log, dimension.whole)


def value_axis(name: str, values: Sequence[float], minimize: bool) -> Axis:
    """Return the axis of an objective, limited to values not far worse than most."""
    seen = np.asarray(values, dtype=float)
    position = np.log(seen) if _is_wide(seen.min(), seen.max()) else seen
    first, third = np.percentile(position, [25, 75])
    room = FENCE * (third - first)
    inside = position <= third + room if minimize else position >= first - room
    if np.ptp(position[inside]) <= SQUEEZED * np.ptp(position):
        seen = seen[inside]
    low, high = float(seen.min()), float(seen.max())
    return _numeric(shorten(name, 2 * LABEL), low, high, _is_wide(low, high), False)


def _is_wide(low: float, high: float) -> bool:
    return low > 0 and high > WIDE * low


def _numeric(name: str, low: float, high: float, log: bool, whole: bool) -> Axis:
    from matplotlib.ticker import LogLocator, MaxNLocator

    if low == high:
        half = abs(low) / 2 or 0.5
        return Axis(name, low - half, high + half, False, ((low, f"{low:.4g}"),))
    if log:
        decades = math.log10(high / low)
        marks = (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 5.0)
        found = LogLocator(subs=marks, numticks=8).tick_values(low, high)
        labels = [f"{v:g}" for v in found]
    else:
        found = MaxNLocator(5, integer=whole).tick_values(low, high)
        labels = _alike(found)
    edge = 1e-9 * (low if log else high - low)
    ticks = [(float(v), t) for v, t in zip(found, labels, strict=True) if low - edge <= v]
    return Axis(name, low, high, log, tuple(tick for tick in ticks if tick[0] <= high + edge))


def _alike(values: Sequence[float]) -> list[str]:
    """Format evenly spaced numbers with the same number of decimals."""
    step = abs(values[1] - values[0])
    if not 1e-4 <= step < 1e6:
        return [f"{v:g}" for v in values]
    decimals = next(n for n in range(8) if abs(round(step, n) - step) < 1e-6 * step)
    return [f"{v:.{decimals}f}" for v in values]


def _index(choices: Sequence[Any], value: Any) -> int:
    """Return the index of a value; 1, 1.0 and True are different."""
    for i, choice in enumerate(choices):
        if choice is value or (type(choice) is type(value) and choice == value):
            return i
    return list(choices).index(value)
