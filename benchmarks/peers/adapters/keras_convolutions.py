"""Convolutional networks of Keras, with the weights of a workload."""

from __future__ import annotations

import keras
from keras import layers
from workloads import convolutions as spec


def convolutional_model(workload: spec.Convolutional) -> keras.Model:
    """Return the model with the workload's first weights."""
    made: list[layers.Layer] = []

    def kept(layer: layers.Layer) -> layers.Layer:
        made.append(layer)
        return layer

    *front, last = workload.layers
    x = inputs = keras.Input(workload.row_shape)
    for layer in front:
        x = _apply(layer, x, kept)
    model = keras.Model(inputs, kept(layers.Dense(last.units))(x))
    variables = [variable for layer in made for variable in layer.trainable_variables]
    for variable, value in zip(variables, workload.weights, strict=True):
        variable.assign(value.reshape(variable.shape))
    return model


def _apply(layer: spec.Layer, x, kept):
    """Return the output of a layer; `kept` notes what has weights, in their order."""
    kind = f"{len(x.shape) - 2}D"
    if isinstance(layer, spec.Units):
        flat = layers.Flatten()(x) if len(x.shape) > 2 else x
        return kept(layers.Dense(layer.units, "relu"))(flat)
    if isinstance(layer, spec.GlobalAverage):
        return getattr(layers, f"GlobalAveragePooling{kind}")()(x)
    if isinstance(layer, spec.MaxPool):
        return getattr(layers, f"MaxPooling{kind}")(layer.size)(x)
    if isinstance(layer, spec.Separable):
        separable = getattr(layers, f"SeparableConv{kind}")
        made = separable(layer.filters, layer.size, padding="same", activation="relu")
        return kept(made)(x)
    if isinstance(layer, spec.SideBySide):
        return layers.Concatenate()([_apply(one, x, kept) for one in layer.convolutions])
    return _convolution(layer, x, kept, getattr(layers, f"Conv{kind}"))


def _convolution(layer: spec.Conv, x, kept, kind):
    linear = kind(
        layer.filters,
        layer.size,
        layer.stride,
        layer.padding,
        dilation_rate=layer.dilation,
        use_bias=not layer.norm,
    )
    x = kept(linear)(x)
    if layer.norm:
        x = kept(layers.BatchNormalization(epsilon=spec.NORM_EPSILON))(x)
    return layers.ReLU()(x)
