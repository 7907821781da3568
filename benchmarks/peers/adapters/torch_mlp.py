"""PyTorch with the fused Adam, as it comes or with torch.compile, which needs a C++ compiler."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from workloads import Convolutional, Workload, parts

from .torch_convolutions import convolutional_model


def initialize(threads: int) -> None:
    torch.set_num_threads(threads)


def version() -> str:
    return torch.__version__


def trainer(workload: Workload, shuffle: bool = True) -> Callable[[], list[float]]:
    return _trainer(workload, shuffle, lambda forward: forward)


def channels_last_trainer(workload: Convolutional, shuffle: bool = True):
    """Train on images whose channels are neighbours in memory."""
    return _trainer(workload, shuffle, lambda forward: forward, torch.channels_last)


def compiled_trainer(workload: Workload, shuffle: bool = True) -> Callable[[], list[float]]:
    return _trainer(workload, shuffle, torch.compile(fullgraph=True, dynamic=False))


def predictor(workload: Workload) -> Callable[[], object]:
    model, row = _model(workload).eval(), workload.data[0][:1]

    def predict():
        with torch.inference_mode():
            return torch.softmax(model(torch.from_numpy(row)), 1).numpy()

    return predict


def gemm(m, k, n, form=parts.FORMS[0], dtype="float32"):
    a, b = map(torch.from_numpy, parts.operands(m, k, n, form, dtype))
    y = torch.empty(m, n, dtype=a.dtype)
    return lambda: torch.mm(a, b, out=y)


def adam(size):
    p = torch.zeros(size, requires_grad=True)
    p.grad = torch.ones(size)
    optimizer = _adam([p], parts.LEARNING_RATE)

    def step():
        optimizer.step()
        return p.detach()

    return step


def dropout(size):
    x = torch.ones(size)
    return lambda: nn.functional.dropout(x, parts.RATE, training=True)


def activation(name, size):
    z, y = torch.from_numpy(parts.numbers(size)), torch.empty(size)
    function = getattr(torch, name)
    return lambda: function(z, out=y)


def _model(workload: Workload | Convolutional) -> nn.Sequential:
    if isinstance(workload, Convolutional):
        return convolutional_model(workload)
    layers: list[nn.Module] = []
    for i, o in zip(workload.sizes, workload.sizes[1:], strict=False):
        layers += [nn.Linear(i, o), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for p, w in zip(model.parameters(), workload.weights, strict=True):
            p.copy_(torch.from_numpy(w).T if w.ndim == 2 else torch.from_numpy(w))
    return model


def _loss_of(workload: Workload):
    """Return the mean loss as a function of outputs (B,O) and targets (B,)."""
    if workload.regression:
        return lambda z, y: nn.functional.mse_loss(z.squeeze(1), y)
    return nn.functional.cross_entropy


def _adam(parameters, learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=learning_rate, fused=True)


def _trainer(
    workload: Workload | Convolutional,
    shuffle: bool,
    compiled: Callable,
    layout: torch.memory_format = torch.contiguous_format,
) -> Callable[[], list[float]]:
    """Train by compiled(forward), where forward(x, y) is the mean loss.

    All rows are put in order once an epoch, and batches are views of them.
    """
    model, loss_of = _model(workload).to(memory_format=layout), _loss_of(workload)
    optimizer = _adam(model.parameters(), workload.learning_rate)
    forward = compiled(lambda x, y: loss_of(model(x), y))
    x, y = map(torch.from_numpy, workload.data)
    if x.ndim > 2:  # channels behind the rows
        x = x.movedim(-1, 1)

    def epoch() -> float:
        total = torch.zeros(())
        order = torch.randperm(len(x)) if shuffle else torch.arange(len(x))
        rows = x[order].contiguous(memory_format=layout)
        batches = zip(rows.split(workload.batch), y[order].split(workload.batch), strict=True)
        for x_batch, y_batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss = forward(x_batch, y_batch)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total.item() / workload.steps

    return lambda: [epoch() for _ in range(workload.epochs)]
