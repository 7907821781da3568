"""What eager and compiled PyTorch share: model, data, epochs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from workloads import Workload

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def initialize(threads: int) -> None:
    torch.set_num_threads(threads)


def version() -> str:
    return torch.__version__


def model_of(workload: Workload) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, o in zip(workload.sizes, workload.sizes[1:], strict=False):
        layers += [nn.Linear(i, o), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for p, w in zip(model.parameters(), workload.weights, strict=True):
            p.copy_(torch.from_numpy(w).T if w.ndim == 2 else torch.from_numpy(w))
    return model


def loss_of(workload: Workload) -> Step:
    """The loss as a function of (output, target)."""
    if workload.regression:
        return lambda z, y: nn.functional.mse_loss(z.squeeze(1), y)
    return nn.functional.cross_entropy


def adam_of(parameters, learning_rate: float = 1e-3) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=learning_rate, fused=True)


def epochs(workload: Workload, shuffle: bool, step: Step) -> Callable[[], list[float]]:
    """Training by step(x, y) → loss.

    All rows are put in order once an epoch, and batches are views of them.
    """
    x, y = map(torch.from_numpy, workload.data)

    def epoch() -> float:
        total = torch.zeros(())
        order = torch.randperm(len(x)) if shuffle else torch.arange(len(x))
        batches = zip(x[order].split(workload.batch), y[order].split(workload.batch), strict=True)
        for x_batch, y_batch in batches:
            total += step(x_batch, y_batch)
        return total.item() / workload.steps

    return lambda: [epoch() for _ in range(workload.epochs)]


def probabilities(workload: Workload, model: Callable) -> Callable[[], object]:
    """Prediction of one row."""
    row = workload.data[0][:1]

    def predict():
        with torch.inference_mode():
            return torch.softmax(model(torch.from_numpy(row)), 1).numpy()

    return predict
