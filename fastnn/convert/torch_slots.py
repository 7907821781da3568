"""The arrays of a network as PyTorch holds them: output channels first, then input channels."""

from __future__ import annotations

from functools import partial

import numpy as np

from .. import layers
from ..compiler.architecture import Architecture
from ..layers import Layer
from .flatten_order import SAME_ORDER, Order, Orders, reordered
from .slots import Entry, Leaf, Shape, Slot, leaves, no_counterpart

CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv1DTranspose,
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
NORMALIZING = (layers.BatchNorm, layers.LayerNorm)
ARRAY_NAMES = {
    "weights": "weight",
    "depthwise_weights": "weight",
    "pointwise_weights": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "embeddings": "weight",
}


def torch_slots(architecture: Architecture, orders: dict[str, Orders]) -> list[Slot]:
    """Return the layers with arrays of a network, as PyTorch holds them.

    `orders` has the orders of the vectors that layers take and give; see `channels_first_orders`.

    Raises
    ------
    ArgumentError
        A layer has no counterpart in PyTorch.
    """
    slots: list[Slot] = []
    for leaf in leaves(architecture):
        if not isinstance(leaf.layer, layers.Normalization):
            slots.extend(_slots(leaf, orders.get(leaf.path, SAME_ORDER)))
    return slots


def _slots(leaf: Leaf, orders: Orders) -> list[Slot]:
    """Return the slot of a layer; a separable convolution has one for each of its two steps."""
    layer, path = leaf.layer, leaf.path
    if isinstance(layer, SEPARABLE):
        first, *second = leaf.shapes
        return [
            Slot(f"{path}.depthwise", path, "", (_weights(leaf, first),)),
            Slot(f"{path}.pointwise", path, "", tuple(_step(leaf, name) for name in second)),
        ]
    if isinstance(layer, layers.Dense):
        entries = [_dense(leaf, name, orders) for name in leaf.shapes]
    elif isinstance(layer, CONVOLUTIONS):
        entries = [_step(leaf, name) for name in leaf.shapes]
    elif isinstance(layer, NORMALIZING):
        entries = [_vector(leaf, name, orders.before) for name in leaf.shapes]
    elif isinstance(layer, layers.Embedding):
        entries = [_vector(leaf, name, None) for name in leaf.shapes]
    else:
        raise no_counterpart(leaf, "PyTorch")
    kind = "batchnorm" if isinstance(layer, layers.BatchNorm) else ""
    return [Slot(path, path, kind, tuple(entries))]


def _step(leaf: Leaf, name: str) -> Entry:
    return _vector(leaf, name, None) if name == "bias" else _weights(leaf, name)


def _weights(leaf: Leaf, name: str) -> Entry:
    """Return the entry of weights (…, inputs, outputs) that PyTorch has as (outputs, inputs, …).

    Those of transposed convolutions are (…, outputs, inputs) and (inputs, outputs, …).
    """
    shape = leaf.shapes[name]
    cells = shape[:-2]
    if name == "pointwise_weights":
        cells = (1,) * _rank(leaf.layer)
    torch_shape = (shape[-1], shape[-2], *cells)
    return Entry(name, ARRAY_NAMES[name], torch_shape, partial(_channels_last, shape=shape))


def _rank(layer: Layer) -> int:
    assert isinstance(layer, SEPARABLE)
    return layer.rank


def _channels_last(weights: np.ndarray, shape: Shape) -> np.ndarray:
    return np.moveaxis(weights, (1, 0), (-2, -1)).reshape(shape)


def _dense(leaf: Leaf, name: str, orders: Orders) -> Entry:
    shape = leaf.shapes[name]
    if name == "bias":
        return _vector(leaf, name, orders.after)

    def convert(weights: np.ndarray) -> np.ndarray:
        rows = reordered(weights.T, orders.before)
        return reordered(rows.T, orders.after).T

    return Entry(name, ARRAY_NAMES[name], shape[::-1], convert)


def _vector(leaf: Leaf, name: str, order: Order) -> Entry:
    """Return the entry of an array that keeps its axes, of which the first is reordered."""
    convert = partial(reordered, order=order)
    return Entry(name, ARRAY_NAMES.get(name, name), leaf.shapes[name], convert)
