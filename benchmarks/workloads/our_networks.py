"""The workloads as networks of fastnn."""

from __future__ import annotations

import fastnn

from . import convolutions as spec
from .networks import Workload

SEED = 0


def network(workload: Workload | spec.Convolutional, dtype: str = "float32") -> fastnn.Network:
    """Return the network of a workload, not built."""
    layers = _images if isinstance(workload, spec.Convolutional) else _perceptron
    return fastnn.Network(
        layers(workload),
        loss="mean_squared_error" if workload.regression else "softmax_cross_entropy",
        optimizer=fastnn.Adam(workload.learning_rate),
        seed=SEED,
        dtype=dtype,
    )


def built(workload: Workload | spec.Convolutional, dtype: str = "float32") -> fastnn.Network:
    """Return the network with the workload's first weights."""
    net = network(workload, dtype).build(workload.row_shape)
    net.set_weights(workload.weights)
    return net


def _perceptron(workload: Workload) -> list[fastnn.Layer]:
    *hidden, outputs = workload.sizes[1:]
    return [*(fastnn.Dense(units, "relu") for units in hidden), fastnn.Dense(outputs)]


def _images(workload: spec.Convolutional) -> list[fastnn.Layer]:
    axes, last = len(workload.row_shape) - 1, workload.layers[-1]
    layers = [made for layer, shape in workload.walk() for made in _made(layer, axes, len(shape))]
    return [*layers[:-1], fastnn.Dense(last.units)]


def _made(layer: spec.Layer, axes: int, dimensions: int) -> list[fastnn.Layer]:
    """Return the layers for rows of so many axes, where the input of this one has `dimensions`."""
    kind = f"{axes}D"
    if isinstance(layer, spec.Units):
        flat = [fastnn.Flatten()] if dimensions > 1 else []
        return [*flat, fastnn.Dense(layer.units, "relu")]
    if isinstance(layer, spec.GlobalAverage):
        return [getattr(fastnn, f"GlobalAveragePooling{kind}")()]
    if isinstance(layer, spec.MaxPool):
        return [getattr(fastnn, f"MaxPooling{kind}")(layer.size)]
    if isinstance(layer, spec.Separable):
        separable = getattr(fastnn, f"SeparableConv{kind}")
        return [separable(layer.filters, layer.size, "relu", padding="same")]
    if isinstance(layer, spec.SideBySide):
        return [fastnn.Parallel([_made(one, axes, dimensions) for one in layer.convolutions])]
    return _convolution(layer, getattr(fastnn, f"Conv{kind}"))


def _convolution(layer: spec.Conv, kind: type[fastnn.Layer]) -> list[fastnn.Layer]:
    settings = {"strides": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    if not layer.norm:
        return [kind(layer.filters, layer.size, "relu", **settings)]
    linear = kind(layer.filters, layer.size, use_bias=False, **settings)
    return [linear, fastnn.BatchNorm(epsilon=spec.NORM_EPSILON), fastnn.Activation("relu")]
