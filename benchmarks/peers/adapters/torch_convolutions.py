"""Convolutional networks of PyTorch, with the weights of a workload."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn
from workloads import convolutions as spec

Weights = Iterator[torch.Tensor]


class _SideBySide(nn.Module):
    def __init__(self, branches: list[nn.Module]):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def convolutional_model(workload: spec.Convolutional) -> nn.Sequential:
    """Return the model with the workload's first weights; images are (B, channels, …)."""
    weights = map(torch.from_numpy, workload.weights)
    with torch.no_grad():
        layers = [_made(layer, shape, weights) for layer, shape in workload.walk()]
    layers[-1] = layers[-1][:-1]  # without the ReLU
    return nn.Sequential(*layers)


def _made(layer: spec.Layer, shape: spec.Shape, weights: Weights) -> nn.Sequential:
    axes = len(shape) - 1
    if isinstance(layer, spec.Units):
        return nn.Sequential(nn.Flatten(), _dense(layer, shape, weights), nn.ReLU())
    if isinstance(layer, spec.GlobalAverage):
        return nn.Sequential((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)[axes - 1](1))
    if isinstance(layer, spec.MaxPool):
        return nn.Sequential((nn.MaxPool1d, nn.MaxPool2d)[axes - 1](layer.size))
    if isinstance(layer, spec.Separable):
        return _separable(layer, shape, weights)
    if isinstance(layer, spec.SideBySide):
        return nn.Sequential(_SideBySide([_made(o, shape, weights) for o in layer.convolutions]))
    return _convolution(layer, shape, weights)


def _dense(layer: spec.Units, shape: spec.Shape, weights: Weights) -> nn.Linear:
    made = nn.Linear(math.prod(shape), layer.units)
    by_pixel = next(weights).reshape(*shape, layer.units)  # PyTorch's rows begin with the channel
    made.weight.copy_(by_pixel.movedim(-2, 0).reshape(-1, layer.units).T)
    made.bias.copy_(next(weights))
    return made


def _separable(layer: spec.Separable, shape: spec.Shape, weights: Weights) -> nn.Sequential:
    kind, channels = (nn.Conv1d, nn.Conv2d)[len(shape) - 2], shape[-1]
    depthwise = kind(channels, channels, layer.size, padding="same", groups=channels, bias=False)
    depthwise.weight.copy_(_outputs_first(next(weights)))
    pointwise = kind(channels, layer.filters, 1)
    pointwise.weight.copy_(next(weights).T.reshape(pointwise.weight.shape))
    pointwise.bias.copy_(next(weights))
    return nn.Sequential(depthwise, pointwise, nn.ReLU())


def _convolution(layer: spec.Conv, shape: spec.Shape, weights: Weights) -> nn.Sequential:
    axes = len(shape) - 1
    causal = layer.padding == "causal"
    made = (nn.Conv1d, nn.Conv2d)[axes - 1](
        shape[-1],
        layer.filters,
        layer.size,
        layer.stride,
        "valid" if causal else layer.padding,
        layer.dilation,
        bias=not layer.norm,
    )
    made.weight.copy_(_outputs_first(next(weights)))
    before = [nn.ConstantPad1d((layer.dilation * (layer.size - 1), 0), 0.0)] if causal else []
    if not layer.norm:
        made.bias.copy_(next(weights))
        return nn.Sequential(*before, made, nn.ReLU())
    norm = (nn.BatchNorm1d, nn.BatchNorm2d)[axes - 1](layer.filters, spec.NORM_EPSILON)
    norm.weight.copy_(next(weights))
    norm.bias.copy_(next(weights))
    return nn.Sequential(*before, made, norm, nn.ReLU())


def _outputs_first(w: torch.Tensor) -> torch.Tensor:
    """Return weights (size, …, inputs, outputs) as PyTorch has them, (outputs, inputs, size, …)."""
    return w.movedim((-1, -2), (0, 1))
