"""PyTorch with torch.compile, which needs a C++ compiler."""

from __future__ import annotations

import torch

from .torch_network import adam_of, epochs, initialize, loss_of, model_of, version

__all__ = ["initialize", "trainer", "version"]


def trainer(workload, shuffle=True):
    model, loss_function = model_of(workload), loss_of(workload)
    optimizer = adam_of(model.parameters(), workload.learning_rate)

    @torch.compile(fullgraph=True, dynamic=False)
    def forward(x, y):
        return loss_function(model(x), y)

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return epochs(workload, shuffle, step)
