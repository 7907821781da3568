"""The baseline of a fit: the loss of the best constant prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.data_set import DataSet
from ..losses import HalfSquaredError, Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy

#: A fit is poor if its loss exceeds the baseline by more than this share.
MARGIN = 0.05


def constant_loss(loss: Loss, data: DataSet) -> float | None:
    """Return the smallest loss of one prediction for all rows; None where it is not known.

    Parameters
    ----------
    loss : Loss
    data : DataSet
        Targets (n, outputs), or class numbers (n,), and the weights of the rows.
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


def poor_fit(estimator: Any, loss: Loss, data: DataSet) -> list[str]:
    """Return a warning if the training loss is above that of a constant prediction; else none."""
    baseline = constant_loss(loss, data)
    if not baseline or not estimator.loss_ > (1 + MARGIN) * baseline:
        return []  # for one class, or one value, the baseline is 0
    numbers = loss.task == "regression"
    targets = " and, by scale_target=True, y" if numbers and estimator._scaling is None else ""
    return [
        f"The training loss, {estimator.loss_:.4g}, is above {baseline:.4g}, that of always "
        f"predicting {'their mean' if numbers else 'the shares of the classes'}: scale the columns "
        f"of X{targets}, or try another learning_rate_init or a larger max_iter."
    ]
