"""PyTorch as it comes, with the fused Adam."""

from __future__ import annotations

import torch
from torch.nn import functional
from workloads import parts

from .torch_network import (
    adam_of,
    epochs,
    initialize,
    loss_of,
    model_of,
    probabilities,
    version,
)

__all__ = ["activation", "adam", "dropout", "gemm", "initialize", "predictor", "trainer", "version"]


def trainer(workload, shuffle=True):
    model, loss_function = model_of(workload), loss_of(workload)
    optimizer = adam_of(model.parameters(), workload.learning_rate)

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return epochs(workload, shuffle, step)


def predictor(workload):
    return probabilities(workload, model_of(workload).eval())


def gemm(m, k, n):
    x, w = map(torch.from_numpy, parts.matrices(m, k, n))
    y = torch.empty(m, n)
    return lambda: torch.mm(x, w, out=y)


def adam(size):
    p = torch.zeros(size, requires_grad=True)
    p.grad = torch.ones(size)
    optimizer = adam_of([p], parts.LEARNING_RATE)

    def step():
        optimizer.step()
        return p.detach()

    return step


def dropout(size):
    x = torch.ones(size)
    return lambda: functional.dropout(x, parts.RATE, training=True)


def activation(name, size):
    z, y = torch.from_numpy(parts.numbers(size)), torch.empty(size)
    function = getattr(torch, name)
    return lambda: function(z, out=y)
