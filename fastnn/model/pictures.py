"""Pictures of what convolutions have learned, and of what they make of an image or a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..layers.convolution import WindowedLayer
from ..layers.geometry import times
from ..layers.transposed import Conv1DTranspose, Conv2DTranspose
from ..plotting import sheets, style
from ..utils import checks
from .layer_outputs import layer_outputs, single_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..compiler.architecture import Architecture
    from .base import Model

#: Names of the weights that slide over images and series.
SLIDING = ("weights", "depthwise_weights")

#: Channels that an image shows as colours.
COLOURS = 3


def plot_filters(model: Model, layer: str | None, n: int, ax: Any) -> Axes:
    """Draw the filters of a convolution; see `Network.plot_filters`."""
    net = model.architecture
    known = _convolutions(net, "plot_filters")
    n = checks.integer("n", n, low=1)
    name = next(iter(known)) if layer is None else layer
    chosen = checks.one_of("layer", name, known)
    [segment] = [s for s in net.segments_of(name) if s.own_name in SLIDING]
    filters = _filters(chosen, model.arena.view(model.arena.parameters, segment))
    shown = filters[:n, :n]
    [axes] = style.panels(ax, 1)
    sheets.weights(axes, _filter_sheet(chosen, shown), _filter_title(name, filters, shown))
    return axes


def plot_activations(
    model: Model, x: Any, layers: str | Sequence[str] | None, n: int, ax: Any
) -> list[Axes]:
    """Draw a row of X and the outputs of layers for it; see `Network.plot_activations`."""
    net = model.architecture
    known = _convolutions(net, "plot_activations")
    names = _chosen(net, known, layers)
    n = checks.integer("n", n, low=1)
    row = single_row(net, x)
    outputs = layer_outputs(model, row, names)
    axes = style.panel_grid(ax, 1 + len(names))
    view = next((v for v, s in zip(net.views, net.shapes, strict=False) if v != s), net.shapes[0])
    _draw_channels(axes[0], row.reshape(view), "x", n, colours=True)
    for panel, (name, output) in zip(axes[1:], outputs.items(), strict=True):
        _draw_channels(panel, output, name, n)
    return axes


def _convolutions(net: Architecture, function: str) -> dict[str, WindowedLayer]:
    """Return the convolutions by name; raise `ArgumentError` if there is none."""
    found = {name: layer for layer, name, _ in net.all_layers() if isinstance(layer, WindowedLayer)}
    if not found:
        layers = (f"{name} ({type(layer).__name__})" for layer, name, _ in net.all_layers())
        raise ArgumentError(
            f"{function} needs a network with convolutions; this one has {', '.join(layers)}"
        )
    return found


def _chosen(net: Architecture, convolutions: dict[str, WindowedLayer], layers: Any) -> list[str]:
    """Return the layers to draw, whose outputs are images or series; convolutions by default."""
    if layers is None:
        return list(convolutions)
    names = [layers] if isinstance(layers, str) else layers
    if not isinstance(names, Sequence) or not names:
        raise ArgumentTypeError(f"layers must be names of layers, at least one, got {layers!r}")
    known = {
        name: name
        for layer, name, shape in net.all_layers()
        if len(layer.output_shape(shape)) in (2, 3)
    }
    return [checks.one_of("layers", name, known) for name in names]


def _filters(layer: WindowedLayer, weights: np.ndarray) -> np.ndarray:
    """Return weights as (filters, channels, height, width), a series' as of height 1."""
    kernels = weights.reshape((1, *weights.shape) if layer.rank == 1 else weights.shape)
    by_channel = kernels.transpose(3, 2, 0, 1)  # of (height, width, channels, filters)
    is_transposed = isinstance(layer, (Conv1DTranspose, Conv2DTranspose))
    return by_channel.swapaxes(0, 1) if is_transposed else by_channel


def _filter_sheet(layer: WindowedLayer, filters: np.ndarray) -> np.ndarray:
    """Return the sheet of filters (filters, channels, height, width).

    In colours where there are as many channels; as channels × time, of series; else with a row
    for each filter, where it has several channels.
    """
    n_channels = filters.shape[1]
    if layer.rank == 1:
        return sheets.sheet(filters[:, :, 0])
    if n_channels == COLOURS:
        return sheets.sheet(filters.transpose(0, 2, 3, 1))
    tiles = filters.reshape(-1, *filters.shape[2:])
    return sheets.sheet(tiles, n_channels if n_channels > 1 else None)


def _filter_title(name: str, filters: np.ndarray, shown: np.ndarray) -> str:
    """Return the name of the layer, and how many of its filters and channels are shown."""
    counts = [
        f"{b} of {a} {noun}" if b < a else f"{a} {noun if a > 1 else noun[:-1]}"
        for a, b, noun in zip(filters.shape, shown.shape, ("filters", "channels"), strict=False)
    ]
    return style.plain(f"{name}: {' × '.join(counts)}")


def _draw_channels(
    axes: Axes, array: np.ndarray, name: str, n: int, *, colours: bool = False
) -> None:
    """Draw up to n channels of a series (time, channels) or an image (height, width, channels)."""
    title = style.plain(f"{name}: {times(array.shape)}")
    if array.ndim < 3:
        sheets.series(axes, array.reshape(len(array), -1).T[:n], title)
    elif colours and array.shape[-1] == COLOURS:
        sheets.values(axes, array, title)
    else:
        sheets.values(axes, sheets.sheet(np.moveaxis(array, -1, 0)[:n]), title)
