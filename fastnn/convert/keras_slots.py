"""The arrays of a network as Keras holds them: almost the same, since layouts are Keras's."""

from __future__ import annotations

from functools import partial

import numpy as np

from .. import layers
from ..compiler.architecture import Architecture
from ..layers import Layer
from .slots import Convert, Entry, Leaf, Shape, Slot, leaves, no_counterpart

#: Classes whose name in Keras is another.
RENAMED: dict[type[Layer], str] = {
    layers.BatchNorm: "batchnormalization",
    layers.LayerNorm: "layernormalization",
}
DEPTHWISE = (
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
SAME_NAME = (
    layers.Conv1D,
    layers.Conv1DTranspose,
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.Dense,
    layers.Embedding,
    layers.Normalization,
    *DEPTHWISE,
)
ARRAY_NAMES = {
    "weights": "kernel",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
}


def keras_slots(architecture: Architecture) -> list[Slot]:
    """Return the layers with arrays of a network, as Keras holds them.

    Raises
    ------
    ArgumentError
        A layer has no counterpart in Keras.
    """
    slots = []
    for leaf in leaves(architecture):
        kind = type(leaf.layer)
        if kind not in SAME_NAME and kind not in RENAMED:
            raise no_counterpart(leaf, "Keras")
        if kind is not layers.Normalization or leaf.layer.adapts:
            name = RENAMED.get(kind, kind.__name__.lower())
            entries = tuple(_entry(leaf, target) for target in leaf.shapes)
            slots.append(Slot(leaf.path, leaf.path, name, entries))
    return slots


def _entry(leaf: Leaf, target: str) -> Entry:
    shape = leaf.shapes[target]
    convert: Convert = partial(np.reshape, shape=shape)
    if isinstance(leaf.layer, layers.Normalization):
        convert = STATISTICS[target]
    name = ARRAY_NAMES.get(target, target)
    return Entry(target, name, _keras_shape(leaf.layer, target, shape), convert)


def _keras_shape(layer: Layer, target: str, shape: Shape) -> Shape:
    """Return the shape in Keras of an array that has the given one in fastnn."""
    if target == "count":
        return ()
    if not isinstance(layer, DEPTHWISE) or target == "bias":
        return shape
    if target == "pointwise_weights":
        return (*(1,) * layer.rank, *shape)
    filters, multiplier = shape[-1], layer.depth_multiplier
    return (*shape[:-2], filters // multiplier, multiplier)


def _positive(variance: np.ndarray) -> np.ndarray:
    """Return variances, 1 for those of constant columns."""
    return np.where(variance > 0, variance, 1)


#: Conversions of the buffers of `Normalization`. A positive count tells that the others are known;
#: Keras's is not one of rows.
STATISTICS: dict[str, Convert] = {
    "mean": np.asarray,
    "variance": _positive,
    "count": lambda count: np.ones(1),
}
