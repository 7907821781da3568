"""The architecture: a network's layers with their names and sizes, before any array exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ArgumentError
from ..ir.parameter import BufferSegment, Parameter, Segment, lay_out
from ..ir.program import Ref, Region
from ..layers import Layer, user_layers
from ..layers.sequence import branches_of, nested, with_inputs
from ..losses import Loss
from ..optimizers import Optimizer
from ..optimizers.averaging import AVERAGE, WeightAverage
from .model_config import ModelConfig, layer_names


@dataclass(frozen=True)
class Architecture:
    """Layers, loss and optimizer with all sizes known: what a plan is made from.

    `shapes` holds the shapes of the input and of every layer's output, rows left out, `views` those
    as which layers take their inputs; `size` is the number of elements of one region of the arena,
    `buffer_size` that of its buffers.
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    views: tuple[tuple[int, ...], ...]
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

    def all_layers(self) -> Iterator[tuple[Layer, str, tuple[int, ...]]]:
        """Yield every layer, and after it those within it: layer, name, shape of the input.

        Names of layers within others are as in residual_1/conv2d_1.
        """
        return with_inputs(self.layers, self.names, self.views)

    def segments_of(self, name: str) -> list[Segment]:
        """Return the parameters of a layer, which may be within others, but holds none.

        The weights of residual_1/conv2d_1 are called residual_1/conv2d_1.weights, and those of
        residual_1/parallel_1/conv2d_1 residual_1/parallel_1.conv2d_1.weights.
        """
        own = name.replace("/", ".")
        return [s for s in self.segments if s.name.replace("/", ".").rpartition(".")[0] == own]

    def check_inputs(self, x: np.ndarray) -> None:
        """Refuse X (n, …), checked otherwise, where a layer at the input cannot take it."""
        for index, layer in enumerate(self.layers):
            if layer.follows is not None:
                rows = x.reshape(len(x), *self.shapes[index])
                layer.check_input(self.names[index], rows, self.dtype)

    def ref(self, region: Region, offset: int, shape: tuple[int, ...]) -> Ref:
        """Return an array in one of the arena's regions, `offset` counted in elements."""
        return Ref(region, offset * self.dtype.itemsize, shape, self.dtype, per_row=0)


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
    views = _views(layers, input_shape)
    shapes: list[tuple[int, ...]] = [input_shape]
    seen: list[tuple[int, ...]] = []
    parameters, buffers = [], []
    for index, (layer, name) in enumerate(zip(layers, names, strict=True)):
        view = views.get(index, shapes[-1])
        declared = layer.declared_input
        if declared is not None and declared != view:
            raise ArgumentError(
                f"layer {name!r} is declared for inputs of shape {declared}, but gets {view}"
            )
        seen.append(view)
        shapes.append(user_layers.output_shape(layer, name, view))  # which checks the input
        parameters.append((name, user_layers.parameters(layer, name, view)))
        buffers.append((name, layer.buffers(view)))
        for buffer in buffers[-1][1]:
            if np.max(np.abs(buffer.initial)) > np.finfo(dtype).max:
                raise ArgumentError(f"the {buffer.name} of layer {name!r} is beyond {dtype}")
            if buffer.name == "variance" and np.min(buffer.initial) < np.finfo(dtype).tiny:
                raise ArgumentError(f"the variance of layer {name!r} is too small for {dtype}")
    config.loss.check_outputs(shapes[-1])
    regularization = config.regularization

    def place(name: str, index: int, offset: int, parameter: Parameter) -> Segment:
        layer = layers[index]
        options = parameter.options(
            regularization,
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
        tuple(seen),
        segments,
        size,
        *lay_out(buffers, dtype, BufferSegment),
        config.loss,
        config.optimizer,
        dtype,
        config.weight_average,
        config.penalty_scale,
    )


def takes_images(net: Architecture) -> bool:
    """Return whether the first layer that minds axes takes images (height, width, channels)."""
    first = next((layer for layer in nested(net.layers) if not _passes_axes(layer)), None)
    return getattr(first, "rank", None) == 2


def _passes_axes(layer: Layer) -> bool:
    """Return whether a layer leaves the axes to others: those behind it, or those within it."""
    return layer.keeps_axes or bool(branches_of(layer))


def _views(layers: Sequence[Layer], input_shape: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Return the shape as which the first layer that does not leave axes alone takes the input."""
    for index, layer in enumerate(layers):
        if not layer.keeps_axes:
            return {index: layer.input_view(input_shape)}
    return {}
