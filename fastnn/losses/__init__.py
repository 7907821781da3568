"""Losses: the meaning of outputs and targets, and the kernel that computes value and gradient.

A loss is the weighted mean over rows, Σ w l / Σ w, of the mean over outputs (softmax cross-entropy:
of the row's one value), or of their sum with ``reduction="sum"``. Cross-entropy and Poisson losses
take logits — the last layer stays linear — and `Network.predict` applies the matching link:
probabilities, or rates.
"""

from __future__ import annotations

from ..utils.specification import resolve
from .base import Loss
from .cross_entropy import SigmoidCrossEntropy, SoftmaxCrossEntropy
from .regression import (
    HalfSquaredError,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    Quantile,
)

__all__ = [
    "LOSSES",
    "HalfSquaredError",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "Quantile",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "get",
]

#: Names that stand for a default object: those of the kernels.
LOSSES: dict[str, type[Loss]] = {
    loss.kernel: loss
    for loss in (
        SoftmaxCrossEntropy,
        SigmoidCrossEntropy,
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        Poisson,
        Quantile,
    )
}


def get(value: str | Loss) -> Loss:
    """Return the loss that `value`, a name or an object, stands for.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no loss of this name; it is neither a name nor a loss.

    Examples
    --------
    >>> from fastnn import losses
    >>> losses.get("huber")
    Huber(delta=1.0)
    """
    return resolve("loss", value, Loss, LOSSES)
