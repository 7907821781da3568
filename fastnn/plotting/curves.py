"""Curves over the epochs of a fit, drawn into given axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .style import TRAINING, VALIDATION, dress, lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def history(
    axes: Axes, epochs: Sequence[int], values: Mapping[str, Sequence[float]], name: str
) -> None:
    """Draw one quantity over the epochs, of training and validation."""
    series = [
        (label, values[key], colour)
        for label, key, colour in (
            ("training", name, TRAINING),
            ("validation", f"val_{name}", VALIDATION),
        )
        if key in values
    ]
    lines(axes, epochs, series)
    axes.locator_params(axis="x", integer=True)
    dress(axes, name.replace("_", " "), "epoch", name)
