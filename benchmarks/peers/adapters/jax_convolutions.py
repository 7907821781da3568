"""Convolutional networks of JAX, channels last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
from jax import lax
from workloads import convolutions as spec

Forward = Callable[[list[jax.Array], jax.Array], jax.Array]


def convolutional_forward(workload: spec.Convolutional) -> Forward:
    """Return the function of parameters and rows that computes the outputs of the last layer."""
    layers = workload.layers[:-1]

    def forward(parameters: list[jax.Array], x: jax.Array) -> jax.Array:
        left = iter(parameters)
        for layer in layers:
            x = _apply(layer, x, left)
        return _dense(x, left)

    return forward


def _apply(layer: spec.Layer, x: jax.Array, parameters: Iterator[jax.Array]) -> jax.Array:
    if isinstance(layer, spec.Units):
        return jax.nn.relu(_dense(x, parameters))
    if isinstance(layer, spec.GlobalAverage):
        return x.mean(axis=tuple(range(1, x.ndim - 1)))
    if isinstance(layer, spec.MaxPool):
        window = (1, *(layer.size,) * (x.ndim - 2), 1)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
    if isinstance(layer, spec.SideBySide):
        return jnp.concatenate([_apply(one, x, parameters) for one in layer.convolutions], -1)
    if isinstance(layer, spec.Separable):
        depthwise = _convolve(x, next(parameters), padding="SAME", feature_group_count=x.shape[-1])
        return jax.nn.relu(depthwise @ next(parameters) + next(parameters))
    return _convolution(layer, x, parameters)


def _dense(x: jax.Array, parameters: Iterator[jax.Array]) -> jax.Array:
    return x.reshape(len(x), -1) @ next(parameters) + next(parameters)


def _convolution(layer: spec.Conv, x: jax.Array, parameters: Iterator[jax.Array]) -> jax.Array:
    axes = x.ndim - 2
    before = layer.dilation * (layer.size - 1)
    padding = [(before, 0)] * axes if layer.padding == "causal" else layer.padding.upper()
    strides, dilation = (layer.stride,) * axes, (layer.dilation,) * axes
    z = _convolve(x, next(parameters), strides, padding, rhs_dilation=dilation)
    if not layer.norm:
        return jax.nn.relu(z + next(parameters))
    others = tuple(range(x.ndim - 1))
    mean, variance = z.mean(axis=others), z.var(axis=others)
    scale = next(parameters) * lax.rsqrt(variance + spec.NORM_EPSILON)
    return jax.nn.relu((z - mean) * scale + next(parameters))


def _convolve(x: jax.Array, w: jax.Array, strides=None, padding="SAME", **settings) -> jax.Array:
    axes = "HW"[: x.ndim - 2]
    layout = f"N{axes}C", f"{axes}IO", f"N{axes}C"
    strides = strides or (1,) * len(axes)
    return lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=layout, **settings)
