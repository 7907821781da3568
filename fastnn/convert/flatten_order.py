"""The order of vectors that a channels-first library makes of images, beside that of fastnn.

`Flatten` lists an image (height, width, channels) in this order, PyTorch the same image as
(channels, height, width). Behind it, the rows of a `Dense` layer's weights have to be moved, and
what a normalisation keeps for each element. Where a vector becomes an image again, as `Reshape`
makes it, the columns of the `Dense` layer in front of it have to be moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .. import layers
from ..compiler.architecture import Architecture
from ..errors import ArgumentError
from ..layers import Layer
from ..layers.convolution import WindowedLayer
from ..layers.sequence import Branch, branches_of

#: For each element of a vector of fastnn, its place in the other library's; None for the same.
Order = np.ndarray | None
Shape = tuple[int, ...]

#: Layers before which PyTorch has channels first.
CHANNELS_FIRST = (
    WindowedLayer,
    layers.BatchNorm,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.UpSampling1D,
    layers.UpSampling2D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
)
#: Layers behind which PyTorch has the features of a series last.
FEATURES_LAST = (layers.Dense, layers.Embedding, layers.LayerNorm)


@dataclass(frozen=True)
class Orders:
    """Orders of the vectors that a layer takes and gives."""

    before: Order = None
    after: Order = None


SAME_ORDER = Orders()


@dataclass(frozen=True)
class Step:
    """A layer with its path and the shapes of its input and output."""

    layer: Layer
    path: str
    input: Shape
    output: Shape


@dataclass(frozen=True)
class Activations:
    """The order of a vector, or whether the other library has an array's channels first."""

    order: Order = None
    channels_first: bool = False


def reordered(array: np.ndarray, order: Order) -> np.ndarray:
    """Return an array with its first axis in the order of fastnn."""
    return array if order is None else array[order]


def channels_first_orders(net: Architecture) -> dict[str, Orders]:
    """Return, by the paths of layers, the orders of vectors where they may differ.

    Raises
    ------
    ArgumentError
        Vectors of different orders are added or become an image.
    """
    steps = list(map(Step, net.layers, net.names, net.views, net.shapes[1:]))
    walk = _Walk()
    walk.along(steps, Activations(None, len(net.views[0]) == 3), None)
    return walk.orders


def image_order(shape: Shape) -> np.ndarray:
    """Return the order of the flattened image (…, channels), in the other (channels, …).

    Examples
    --------
    >>> from fastnn.convert.flatten_order import image_order
    >>> image_order((2, 2, 3)).reshape(2, 2, 3)[0, 1]  # its three channels are four apart
    array([1, 5, 9])
    """
    places = np.arange(np.prod(shape)).reshape(shape[-1], *shape[:-1])
    return np.moveaxis(places, 0, -1).ravel()


class _Walk:
    """A walk along the layers of a network that collects orders."""

    def __init__(self) -> None:
        self.orders: dict[str, Orders] = {}

    def along(self, steps: Sequence[Step], x: Activations, wanted: Order) -> Activations:
        """Return what layers in a row make of `x`, if what follows them wants an order."""
        for index, step in enumerate(steps):
            following = steps[index + 1 :]
            if branches_of(step.layer):
                x = self._merged(step, x, _wanted(following, wanted))
            elif len(step.input) == len(step.output) == 1:
                x = self._vector(step, x, _wanted(following, wanted))
            elif len(step.output) == 1:
                x = Activations(_flattened(step, x))
            elif len(step.input) == 1:
                x = _image(step, x, following)
            else:
                x = Activations(None, _channels_first(step, x.channels_first))
        return x

    def _vector(self, step: Step, x: Activations, wanted: Order) -> Activations:
        after = wanted if isinstance(step.layer, layers.Dense) else x.order
        self.orders[step.path] = Orders(x.order, after)
        return Activations(after)

    def _merged(self, step: Step, x: Activations, wanted: Order) -> Activations:
        outputs, lengths = [], []
        if _concatenates(step.layer):
            wanted = None
        elif wanted is None and step.input == step.output:
            wanted = x.order  # that of the shortcut
        for branch in branches_of(step.layer):
            inner = list(_steps(step, branch))
            outputs.append(self.along(inner, x, wanted))
            lengths.append((inner[-1].output if inner else step.input)[-1])
        channels_first = any(y.channels_first for y in outputs)
        orders = [y.order for y in outputs]
        if len(step.output) > 1 or all(order is None for order in orders):
            return Activations(None, channels_first)
        if _concatenates(step.layer):
            return Activations(_concatenated(orders, lengths))
        full = [np.arange(step.output[0]) if order is None else order for order in orders]
        if not all(np.array_equal(full[0], order) for order in full):
            raise ArgumentError(
                f"layer {step.path!r} merges vectors of which one is a flattened image and "
                "another is not: channels first, their elements do not correspond; see the "
                "argument flattened"
            )
        return Activations(orders[0])


def _steps(step: Step, branch: Branch) -> Iterator[Step]:
    shapes = branch.shapes(step.input)
    paths = [f"{step.path}/{name}" for name in branch.names]
    return map(Step, branch.layers, paths, shapes, shapes[1:])


def _concatenates(layer: Layer) -> bool:
    return isinstance(layer, layers.Parallel) and layer.merge == "concat"


def _concatenated(orders: Sequence[Order], lengths: Sequence[int]) -> np.ndarray:
    parts, start = [], 0
    for order, length in zip(orders, lengths, strict=True):
        parts.append(start + (np.arange(length) if order is None else order))
        start += length
    return np.concatenate(parts)


def _wanted(following: Sequence[Step], at_end: Order) -> Order:
    """Return the order that the layers behind a vector want of it."""
    for index, step in enumerate(following):
        if isinstance(step.layer, layers.Dense) or _concatenates(step.layer):
            return None
        if len(step.output) > 1:
            first = _becomes_channels_first(step, following[index + 1 :])
            return image_order(step.output) if first else None
    return at_end


def _flattened(step: Step, x: Activations) -> Order:
    """Return the order of the vector that a layer makes of an image."""
    keeps_elements = isinstance(step.layer, layers.Flatten | layers.Reshape)
    return image_order(step.input) if keeps_elements and x.channels_first else None


def _image(step: Step, x: Activations, following: Sequence[Step]) -> Activations:
    """Return the image that a layer makes of a vector."""
    channels_first = _becomes_channels_first(step, following)
    if x.order is not None:
        wanted = image_order(step.output) if channels_first else np.arange(len(x.order))
        if not np.array_equal(x.order, wanted):
            raise ArgumentError(
                f"layer {step.path!r} makes {step.output} of a flattened image of another shape: "
                "channels first, its elements do not correspond; see the argument flattened"
            )
    return Activations(None, channels_first)


def _becomes_channels_first(step: Step, following: Sequence[Step]) -> bool:
    """Return whether the other library has channels first in the image made of a vector."""
    if not isinstance(step.layer, layers.Reshape):
        return False
    if len(step.output) == 3:
        return True
    decisive = (s.layer for s in following if isinstance(s.layer, CHANNELS_FIRST + FEATURES_LAST))
    return isinstance(next(decisive, None), CHANNELS_FIRST)


def _channels_first(step: Step, before: bool) -> bool:
    """Return whether the output of a layer on images or series has its channels first."""
    if isinstance(step.layer, CHANNELS_FIRST):
        return True
    if isinstance(step.layer, layers.Permute):
        return False  # into the order in which the other library has its axes
    if isinstance(step.layer, FEATURES_LAST) and len(step.input) == 2:
        return False
    return before
