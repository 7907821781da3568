"""Sheets: many small pictures side by side in one image, drawn into given axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .style import dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colour maps of numbers on both sides of 0, and of those on a scale of their own.
SIGNED, SCALE = "RdBu_r", "viridis"


def sheet(tiles: np.ndarray, n_columns: int | None = None) -> np.ndarray:
    """Return tiles (n, height, width, …) in rows, as one image with lines of NaN between them.

    Parameters
    ----------
    tiles : ndarray, shape (n, height, width) or (n, height, width, 3)
    n_columns : int, optional
        Tiles in a row; by default the image is about as wide as high.
    """
    n, height, width = tiles.shape[:3]
    if n_columns is None:
        n_columns = max(1, min(n, round(math.sqrt(n * (height + 1) / (width + 1)))))
    n_rows = -(-n // n_columns)
    shape = n_rows * (height + 1) - 1, n_columns * (width + 1) - 1, *tiles.shape[3:]
    image = np.full(shape, np.nan)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, n_columns)
        top, left = row * (height + 1), column * (width + 1)
        image[top : top + height, left : left + width] = tile
    return image


def weights(axes: Axes, image: np.ndarray, title: str) -> None:
    """Draw a sheet of numbers around 0, of colours if it has three, 0 in the middle."""
    largest = float(np.nanmax(np.abs(image))) or 1.0
    if image.ndim == 3:
        _frame(axes, np.nan_to_num(0.5 + image / (2 * largest), nan=1.0), title)
    else:
        _frame(axes, image, title, cmap=SIGNED, vmin=-largest, vmax=largest)


def values(axes: Axes, image: np.ndarray, title: str) -> None:
    """Draw a sheet of numbers from the smallest, dark, to the largest; of colours if three."""
    if image.ndim == 3:
        low, high = float(np.nanmin(image)), float(np.nanmax(image))
        image = np.nan_to_num((image - low) / ((high - low) or 1.0), nan=1.0)
    _frame(axes, image, title, cmap=SCALE)


def series(axes: Axes, channels: np.ndarray, title: str) -> None:
    """Draw series (channels, time): one of them as a line, several as an image."""
    if len(channels) == 1:
        axes.plot(channels[0])
        dress(axes, title, "time", "")
        return
    axes.imshow(channels, aspect="auto", interpolation="nearest", cmap=SCALE)
    axes.locator_params(axis="y", integer=True)
    dress(axes, title, "time", "channel")
    axes.grid(visible=False)


def _frame(axes: Axes, image: np.ndarray, title: str, **options: object) -> None:
    """Show an image with every cell as it is, without ticks."""
    axes.imshow(image, interpolation="nearest", **options)  # type: ignore[arg-type]
    dress(axes, title, "", "")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
