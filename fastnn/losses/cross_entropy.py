"""Cross-entropy losses: one class of several, or yes and no for each output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..utils import checks
from .base import REDUCTIONS, Loss, first_row, reduction_factors

__all__ = ["SigmoidCrossEntropy", "SoftmaxCrossEntropy"]

#: Tolerance of the sum of a row's class probabilities, which may come from float16.
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class _CrossEntropy(Loss):
    """Base of both cross-entropies: targets are smoothed towards equal probabilities."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        smoothing = checks.number("label_smoothing", self.label_smoothing, low=0, high=1)
        self._set_fields(label_smoothing=smoothing)

    @property
    def settings(self) -> tuple[float, ...]:
        return (self.label_smoothing,)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(_CrossEntropy):
    """Cross-entropy of one class out of several, in nats; `predict` gives probabilities.

    Targets are class numbers 0 … C − 1, shape (n,), or rows of class probabilities (one-hot or
    soft), shape (n, C).

    Parameters
    ----------
    label_smoothing : float
        Share s in [0, 1] of each target that is spread over all classes: (1 − s) t + s / C
        (Szegedy et al., CVPR 2016).

    Examples
    --------
    >>> import fastnn
    >>> loss = fastnn.SoftmaxCrossEntropy(label_smoothing=0.1)
    >>> net = fastnn.Network([fastnn.Dense(3)], loss=loss)
    """

    kernel = "softmax_cross_entropy"
    task = "multiclass"
    link = "softmax"
    fewest_outputs = 2

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = (y < 0).any(axis=1) | (abs(y.sum(axis=1) - 1) > SUM_TOLERANCE)
        if wrong.any():
            raise ArgumentError(
                "y must hold class numbers, or rows of class probabilities that sum to 1; "
                f"row {first_row(wrong)} does not"
            )

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = y.reshape(-1)
        if y.ndim != 1:
            return super().prepare_target(y, outputs, dtype)
        labels = y.astype(np.int64)
        wrong = (labels != y) | (labels < 0) | (labels >= outputs)
        if wrong.any():
            row = first_row(wrong)
            raise ArgumentError(
                f"y[{row}] is {y[row]}, but class numbers must be integers in [0, {outputs - 1}] "
                f"for a network with {outputs} outputs"
            )
        return labels


@dataclass(frozen=True)
class SigmoidCrossEntropy(_CrossEntropy):
    """Binary cross-entropy of each output, in nats; `predict` gives probabilities.

    Targets are 0, 1 or probabilities, shape (n, outputs), or (n,) for a single output.

    Parameters
    ----------
    label_smoothing : float
        Share s in [0, 1] by which each target is drawn to ½: (1 − s) t + s / 2, as in Keras.
    reduction : {"mean", "sum"}
        Over the outputs.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="sigmoid_cross_entropy")
    """

    reduction: str = "mean"

    kernel = "sigmoid_cross_entropy"
    task = "binary"
    link = "sigmoid"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("reduction", self.reduction, dict.fromkeys(REDUCTIONS))

    def factors(self, outputs: int) -> tuple[float, float]:
        return reduction_factors(self.reduction, outputs)

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = ((y < 0) | (y > 1)).any(axis=1)
        if wrong.any():
            row = first_row(wrong)
            raise ArgumentError(f"y[{row}] is {y[row]}, but targets must be in [0, 1]")
