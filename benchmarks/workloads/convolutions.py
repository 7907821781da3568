"""The convolutional networks that are trained beside peers: layers, data, weights, arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .networks import Training

#: Of batch normalisation, as Keras has it by default.
NORM_EPSILON = 1e-3

Shape = tuple[int, ...]


class Conv(NamedTuple):
    """A convolution of `size` cells along each axis, with ReLU; `norm` normalises before it."""

    filters: int
    size: int
    stride: int = 1
    padding: str = "same"
    dilation: int = 1
    norm: bool = False


class Separable(NamedTuple):
    """A depthwise convolution, then one of 1 × 1 with ReLU."""

    filters: int
    size: int


class SideBySide(NamedTuple):
    """Convolutions of the same input, whose outputs are concatenated."""

    convolutions: tuple[Conv, ...]


class MaxPool(NamedTuple):
    """The largest of each window of `size` cells along each axis."""

    size: int


class GlobalAverage(NamedTuple):
    """The mean of each channel."""


class Units(NamedTuple):
    """A dense layer, with ReLU unless it is the last."""

    units: int


Layer = Conv | Separable | SideBySide | MaxPool | GlobalAverage | Units


@dataclass(frozen=True)
class Convolutional(Training):
    """A network of images (height, width, channels) or series (time, channels) that classifies.

    Parameters
    ----------
    title : str
    row_shape : tuple of int
    layers : tuple of Layer
        The last has a unit for each class.
    """

    title: str
    row_shape: Shape
    layers: tuple[Layer, ...]
    regression = False

    @property
    def name(self) -> str:
        return f"{self.title} {'×'.join(map(str, self.row_shape))}, {self.batch}"

    @property
    def flops(self) -> int:
        """Return those of a step's sums of products: y, dw and dx, without the first dx."""
        first, *others = (_products(layer, shape) for layer, shape in self.walk())
        return self.batch * (4 * first + 6 * sum(others))

    def walk(self) -> Iterator[tuple[Layer, Shape]]:
        """Yield each layer with the shape of its input."""
        shape = self.row_shape
        for layer in self.layers:
            yield layer, shape
            shape = output_shape(layer, shape)

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X (rows, *row_shape) float32 and classes (rows,) int64 by a random linear map."""
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, *self.row_shape), np.float32)
        flat = x.reshape(self.rows, -1)
        classes = self.layers[-1].units
        return x, (flat @ random.standard_normal((flat.shape[1], classes))).argmax(axis=1)

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """Return weights in the order of the layers, float32: He's normal; zeros; scales of one.

        Kernels are (size, …, inputs, filters), depthwise ones (size, …, 1, channels).
        """
        random = np.random.default_rng(1)
        return [array for layer, shape in self.walk() for array in _draw(layer, shape, random)]

    def for_check(self) -> Convolutional:
        return replace(super().for_check(), batch=min(self.batch, 8))


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """Return the shape of a row behind a layer."""
    *axes, channels = shape
    if isinstance(layer, Units):
        return (layer.units,)
    if isinstance(layer, GlobalAverage):
        return (channels,)
    if isinstance(layer, MaxPool):
        return (*(n // layer.size for n in axes), channels)
    if isinstance(layer, SideBySide):
        outputs = [output_shape(one, shape) for one in layer.convolutions]
        return (*outputs[0][:-1], sum(output[-1] for output in outputs))
    if isinstance(layer, Conv) and layer.padding == "valid":
        return (*((n - layer.size) // layer.stride + 1 for n in axes), layer.filters)
    return (*axes, layer.filters)


def _products(layer: Layer, shape: Shape) -> int:
    """Return how many products a layer sums for a row."""
    *axes, channels = output_shape(layer, shape)
    pixels = math.prod(axes)
    if isinstance(layer, Units):
        return math.prod(shape) * layer.units
    if isinstance(layer, Conv):
        return pixels * layer.size ** len(axes) * shape[-1] * channels
    if isinstance(layer, Separable):
        return pixels * shape[-1] * (layer.size ** len(axes) + channels)
    if isinstance(layer, SideBySide):
        return sum(_products(one, shape) for one in layer.convolutions)
    return 0


def _draw(layer: Layer, shape: Shape, random: np.random.Generator) -> Iterator[np.ndarray]:
    inputs, axes = shape[-1], len(shape) - 1
    if isinstance(layer, SideBySide):
        for one in layer.convolutions:
            yield from _draw(one, shape, random)
    elif isinstance(layer, Units):
        yield from _normal_and_zeros(random, math.prod(shape), layer.units)
    elif isinstance(layer, Separable):
        yield _normal(random, *(layer.size,) * axes, 1, inputs)
        yield from _normal_and_zeros(random, inputs, layer.filters)
    elif isinstance(layer, Conv):
        yield _normal(random, *(layer.size,) * axes, inputs, layer.filters)
        if layer.norm:
            yield np.ones(layer.filters, np.float32)
        yield np.zeros(layer.filters, np.float32)


def _normal(random: np.random.Generator, *shape: int) -> np.ndarray:
    scale = np.float32(math.sqrt(2 / math.prod(shape[:-1])))
    return scale * random.standard_normal(shape, np.float32)


def _normal_and_zeros(random: np.random.Generator, inputs: int, units: int) -> Iterator[np.ndarray]:
    yield _normal(random, inputs, units)
    yield np.zeros(units, np.float32)


def _pooled(*filters: int) -> Iterator[Layer]:
    for count in filters:
        yield from (Conv(count, 3), MaxPool(2))


def _small_cnn(batch: int, steps: int) -> Convolutional:
    layers = *_pooled(16, 32), Units(64), Units(10)
    return Convolutional("cnn", (28, 28, 1), layers, batch=batch, steps=steps)


def _fully_convolutional() -> Iterator[Layer]:
    for filters, size in ((128, 8), (256, 5), (128, 3)):
        yield Conv(filters, size, norm=True)
    yield from (GlobalAverage(), Units(2))


CNN = _small_cnn(64, 20)
COLOUR = Convolutional(
    "cnn", (32, 32, 3), (*_pooled(32, 64, 128), Units(64), Units(10)), batch=64, steps=5
)
LENET = Convolutional(
    "lenet",
    (28, 28, 1),
    (
        *(Conv(6, 5), MaxPool(2), Conv(16, 5, padding="valid"), MaxPool(2)),
        *(Units(120), Units(84), Units(10)),
    ),
    batch=64,
    steps=20,
)
STRIDES = Convolutional(
    "strides of 2",
    (32, 32, 3),
    (*(Conv(filters, 3, 2, "valid") for filters in (32, 64, 128)), GlobalAverage(), Units(10)),
    batch=64,
    steps=10,
)
#: Of Wang, Yan, Oates: Time series classification from scratch. IJCNN 2017.
FCN = Convolutional("fcn", (150, 1), tuple(_fully_convolutional()), batch=16, steps=5)
#: The lengths of Fawaz et al.: InceptionTime. 2020.
_MODULE = SideBySide(tuple(Conv(32, size, norm=True) for size in (40, 20, 10)))
INCEPTION = Convolutional(
    "inception", (150, 1), (_MODULE, _MODULE, GlobalAverage(), Units(2)), batch=64, steps=2
)
CAUSAL = Convolutional(
    "causal",
    (128, 8),
    (*(Conv(32, 3, padding="causal", dilation=2**i) for i in range(6)), GlobalAverage(), Units(10)),
    batch=32,
    steps=20,
)
SEPARABLE = Convolutional(
    "separable",
    (28, 28, 1),
    (Conv(32, 3), Separable(64, 3), MaxPool(2), Separable(128, 3), GlobalAverage(), Units(10)),
    batch=64,
    steps=5,
)
LARGE_BATCH = _small_cnn(1024, 2)

CONVOLUTIONS = (
    *(CNN, COLOUR, LENET, STRIDES, FCN, INCEPTION, CAUSAL, SEPARABLE),
    *(_small_cnn(1, 200), LARGE_BATCH),
)
