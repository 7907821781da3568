"""Layers as PyTorch defines them, on rows with their channels first, by plain loops in float64.

Written from the formulas alone: nothing here is shared with the package. Series are images of one
line.
"""

import itertools

import numpy as np


def conv(x, weight, bias=None, *, pad=0, groups=1):
    """Correlate images (N, C, H, W) with weights (O, C / groups, KH, KW), with strides of 1."""
    outputs, depth, *cells = weight.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = (n - k + 1 for n, k in zip(x.shape[2:], cells, strict=True))
    y = np.zeros((len(x), outputs, height, width))
    for o, i, j in itertools.product(range(outputs), range(height), range(width)):
        first = o // (outputs // groups) * depth
        window = x[:, first : first + depth, i : i + cells[0], j : j + cells[1]]
        y[:, o, i, j] = (window * weight[o]).sum((1, 2, 3))
    return y if bias is None else y + bias[:, None, None]


def conv_transpose(x, weight, bias, *, stride=1):
    """Add weights (C, O, KH, KW), times the cells of (N, C, H, W), into the outputs."""
    (rows, channels, height, width), cells = x.shape, weight.shape[2:]
    y = np.zeros(
        (rows, weight.shape[1], (height - 1) * stride + cells[0], (width - 1) * stride + cells[1])
    )
    for c, i, j in itertools.product(range(channels), range(height), range(width)):
        window = np.s_[:, :, i * stride : i * stride + cells[0], j * stride : j * stride + cells[1]]
        y[window] += x[:, c, i, j][:, None, None, None] * weight[c]
    return y + bias[:, None, None]


def max_pool(x, size):
    """Return the maxima of windows side by side."""
    rows, channels, height, width = x.shape
    y = x.reshape(rows, channels, height // size, size, width // size, size)
    return y.max((3, 5))


def batch_norm(x, weight, bias, running_mean, running_var, *, epsilon):
    """Normalise the channels (N, C, …) by running statistics."""
    shape = (-1, *(1,) * (x.ndim - 2))
    mean, variance, gamma, beta = (
        a.reshape(shape) for a in (running_mean, running_var, weight, bias)
    )
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def layer_norm(x, weight, bias, *, epsilon):
    """Normalise the last axis."""
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * weight + bias


def linear(x, weight, bias):
    """Multiply with weights (outputs, inputs)."""
    return x @ weight.T + bias


def relu(x):
    """Return the positive part."""
    return np.maximum(x, 0)


def state_of(shapes, seed=0):
    """Return a state_dict of random arrays; variances are positive."""
    rng = np.random.default_rng(seed)
    state = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {
        name: np.abs(array) + 0.5 if name.endswith("running_var") else array
        for name, array in state.items()
    }


def module(state, name):
    """Return the arrays of one module by their names in it."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): a for k, a in state.items() if k.startswith(prefix)}
