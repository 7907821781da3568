"""The architecture: a network's layers with their names and sizes, before any array exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import BufferSegment, Parameter, Regularization, Segment, lay_out
from ..ir.program import Ref, Region
from ..layers import Layer, user_layers
from ..losses import Loss
from ..optimizers import Optimizer
from ..optimizers.averaging import AVERAGE, WeightAverage

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Architecture:
    """Layers, loss and optimizer with all sizes known: what a plan is made from.

    `shapes` holds the shape of the input and of every layer's output, rows left out; `size` is the
    number of elements of one region of the arena, `buffer_size` that of its buffers.
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    segments: tuple[Segment, ...]
    size: int
    buffer_segments: tuple[BufferSegment, ...]
    buffer_size: int
    loss: Loss
    optimizer: Optimizer
    dtype: np.dtype
    weight_average: WeightAverage | None = None
    penalty_scale: str = "mean"

    @property
    def slots(self) -> tuple[str, ...]:
        """Return the names of the arrays, each as large as the parameters, that training needs."""
        average = () if self.weight_average is None else (AVERAGE,)
        return (*self.optimizer.slots, *average)

    def refs(self, layer: int) -> dict[str, Ref]:
        """Return the parameters and buffers of one layer, by their names in the layer."""
        parameters = {
            segment.parameter.name: self.ref(Region.PARAMETERS, segment.offset, segment.shape)
            for segment in self.segments
            if segment.layer == layer
        }
        buffers = {
            segment.buffer.name: self.ref(Region.BUFFERS, segment.offset, segment.shape)
            for segment in self.buffer_segments
            if segment.layer == layer
        }
        return parameters | buffers

    def check_inputs(self, x: np.ndarray) -> None:
        """Refuse X (n, …), checked otherwise, where a layer at the input cannot take it."""
        for index, layer in enumerate(self.layers):
            if layer.follows is not None:
                rows = x.reshape(len(x), *self.shapes[index])
                layer.check_input(self.names[index], rows, self.dtype)

    def ref(self, region: Region, offset: int, shape: tuple[int, ...]) -> Ref:
        """Return an array in one of the arena's regions, `offset` counted in elements."""
        return Ref(region, offset * self.dtype.itemsize, shape, self.dtype, per_row=0)


@dataclass(frozen=True)
class ModelConfig:
    """The parts of a model that its architecture follows from, beside the shape of the input.

    Attributes
    ----------
    layers : tuple of Layer
    loss : Loss
    optimizer : Optimizer
    dtype : dtype
    regularization : Regularization
        Penalties and limits of weights whose layers have none of their own.
    weight_average : WeightAverage or None
    penalty_scale : str
    updates_skipped : mapping of str to int
        Number of updates during which layers were frozen, by their names.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    dtype: np.dtype
    regularization: Regularization
    weight_average: WeightAverage | None
    penalty_scale: str
    updates_skipped: Mapping[str, int]


def infer_shapes(config: ModelConfig, input_shape: tuple[int, ...]) -> Architecture:
    """Infer all sizes from the shape of one row of input; allocate nothing.

    Raises
    ------
    ArgumentError
        A layer cannot take, or is not declared for, the input it gets; the output does not suit the
        loss; the optimizer cannot do what a layer needs.
    """
    layers, dtype = config.layers, config.dtype
    names = layer_names(layers)
    shapes: list[tuple[int, ...]] = [input_shape]
    parameters, buffers = [], []
    for layer, name in zip(layers, names, strict=True):
        declared = layer.declared_input
        if declared is not None and declared != shapes[-1]:
            raise ArgumentError(
                f"layer {name!r} is declared for inputs of shape {declared}, but gets {shapes[-1]}"
            )
        shapes.append(user_layers.output_shape(layer, name, shapes[-1]))  # which checks the input
        parameters.append((name, user_layers.parameters(layer, name, shapes[-2])))
        buffers.append((name, layer.buffers(shapes[-2])))
        for buffer in buffers[-1][1]:
            if np.max(np.abs(buffer.initial)) > np.finfo(dtype).max:
                raise ArgumentError(f"the {buffer.name} of layer {name!r} is beyond {dtype}")
            if buffer.name == "variance" and np.min(buffer.initial) < np.finfo(dtype).tiny:
                raise ArgumentError(f"the variance of layer {name!r} is too small for {dtype}")
    config.loss.check_outputs(shapes[-1])

    def place(name: str, index: int, offset: int, parameter: Parameter) -> Segment:
        layer = layers[index]
        options = parameter.options(
            config.regularization,
            trainable=layer.trainable,
            learning_rate_multiplier=layer.learning_rate_multiplier,
            skipped=config.updates_skipped.get(names[index], 0),
        )
        return Segment(name, index, offset, parameter, options)

    segments, size = lay_out(parameters, dtype, place)
    config.optimizer.check_segments(segments)
    return Architecture(
        layers,
        names,
        tuple(shapes),
        segments,
        size,
        *lay_out(buffers, dtype, BufferSegment),
        config.loss,
        config.optimizer,
        dtype,
        config.weight_average,
        config.penalty_scale,
    )


def check_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return `layers` as a tuple, if it holds layers."""
    if not isinstance(layers, Sequence) or isinstance(layers, str):
        raise ArgumentTypeError(f"layers must be a sequence of layers, got {layers!r}")
    if not layers:
        raise ArgumentError("layers must hold at least one layer, got none")
    for layer in layers:
        if not isinstance(layer, Layer):
            hint = f": write {layer.__name__}(…)" if isinstance(layer, type) else ""
            raise ArgumentTypeError(f"layers must hold layer objects, got {layer!r}{hint}")
        user_layers.check_methods(layer)
    for index, layer in enumerate(layers):
        if layer.follows is not None:
            _check_place(layer, layers[:index])
    return tuple(layers)


def _check_place(layer: Layer, before: Sequence[Layer]) -> None:
    """Refuse layers before one that works on the input itself."""
    allowed = layer.follows or ()
    kind = type(layer).__name__
    for other in before:
        if type(other).__name__ not in allowed:
            names = " or ".join(name for name in allowed if name != kind)
            only = f"only {names}" if names else "nothing"
            raise ArgumentError(
                f"{kind} works on the input, so {only} may stand before it, got {other!r}"
            )


def layer_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the given names, or the class with a number, such as dense_1."""
    given = Counter(layer.name for layer in layers if layer.name is not None)
    for name, times in given.items():
        if times > 1:
            raise ArgumentError(f"layer name {name!r} is given twice")
    free = {kind: _numbered(kind.__name__.lower(), given) for kind in map(type, layers)}
    return tuple(next(free[type(layer)]) if layer.name is None else layer.name for layer in layers)


def _numbered(stem: str, taken: Container[str]) -> Iterator[str]:
    return (name for name in (f"{stem}_{n}" for n in count(1)) if name not in taken)


def check_head(last: Layer, loss: Loss) -> None:
    """Refuse a last layer that would apply the loss's link a second time."""
    if loss.link is not None and getattr(last, "activation", None) == loss.link:
        raise ArgumentError(
            f"loss {loss.title!r} applies the {loss.link} itself: give the last layer "
            "activation='identity'"
        )


def check_dtype(dtype: Any) -> np.dtype:
    """Return float32 or float64 as a NumPy dtype."""
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    if resolved is None or resolved.name not in DTYPES or not resolved.isnative:
        raise ArgumentError(f"dtype must be float32 or float64, got {dtype!r}")
    return resolved
