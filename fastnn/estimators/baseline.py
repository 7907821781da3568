"""The loss of a prediction that does not look at X: what a fit must not end above."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.data_set import DataSet
from ..losses import HalfSquaredError, Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy

#: A fit ends above the baseline if its loss exceeds it by more than this share.
MARGIN = 0.05


def loss_of_a_constant(loss: Loss, data: DataSet) -> float | None:
    """Return the smallest loss that one prediction for all rows has; None where it is not known.

    Parameters
    ----------
    loss : Loss
    data : DataSet
        Targets (n, outputs), or class numbers (n,); rows count as their weights say.
    """
    assert data.target is not None
    target, weight = data.selected(data.target), data.weights
    weight = np.ones(len(target)) if weight is None else weight.astype(np.float64)
    if isinstance(loss, HalfSquaredError):
        return 0.5 * float(_variance(target, weight).mean())
    if isinstance(loss, SoftmaxCrossEntropy) and data.labels and not loss.label_smoothing:
        return _entropy(np.bincount(target, weight) / weight.sum())
    if isinstance(loss, SigmoidCrossEntropy) and not loss.label_smoothing:
        shares = np.average(target, axis=0, weights=weight)
        total = sum(_entropy(np.array([share, 1 - share])) for share in shares)
        return total if loss.reduction == "sum" else total / len(shares)
    return None


def _variance(target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the variance of each output."""
    values = target.astype(np.float64)
    mean = np.average(values, axis=0, weights=weight)
    return np.average((values - mean) ** 2, axis=0, weights=weight)


def _entropy(shares: np.ndarray) -> float:
    """Return −Σ p ln p."""
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def complaint(estimator: Any, loss: Loss, data: DataSet) -> str | None:
    """Return what to say of a fit that ends above the loss of a constant; None if it does not."""
    baseline = loss_of_a_constant(loss, data)
    if not baseline or not estimator.loss_ > (1 + MARGIN) * baseline:
        return None  # of one class, or one value, it is 0
    numbers = loss.task == "regression"
    targets = " and, by scale_target=True, y" if numbers and estimator._scaling is None else ""
    return (
        f"The training loss, {estimator.loss_:.4g}, is above {baseline:.4g}, that of always "
        f"predicting {'their mean' if numbers else 'the shares of the classes'}: scale the columns "
        f"of X{targets}, or try another learning_rate_init or a larger max_iter."
    )
