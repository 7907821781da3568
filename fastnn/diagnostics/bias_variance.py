"""Bias and variance: where the error of a network comes from.

After Ng, Machine Learning Yearning, chapters 20 to 27: human-level error stands for the error that
cannot be avoided; what training error lies above it is *avoidable bias*, what validation error lies
above training error is *variance*, and the larger part is worked on first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..metrics import scoring
from ..metrics.scoring import CLASSIFICATION

#: A part of the error that counts as high: two points of classification error, which in Ng's
#: examples calls for work while half a point does not …
POINTS = 0.02

#: … but never more than this share of the baseline, the error of the best constant answer: where
#: that is small (rare classes) or in units of its own (regression), points mean nothing.
SHARE_OF_BASELINE = 0.05

#: Standard errors by which a part must exceed 0 to be more than chance of the rows drawn.
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class ErrorRate:
    """The error on some rows, and how well these rows determine it.

    Attributes
    ----------
    value : float
        Share of wrong answers (of several labels a row: of all labels); for regression, the root
        mean squared error over rows and outputs, in units of y.
    standard_error : float
    baseline : float
        The error, on the same rows, of the constant answer that is best on them: the most frequent
        class, or the mean.
    """

    value: float
    standard_error: float
    baseline: float

    @classmethod
    def of(cls, task: str, target: np.ndarray, prediction: np.ndarray) -> ErrorRate:
        """Of predictions (n, outputs) against prepared targets, (n, outputs) or (n,) labels."""
        true, predicted = scoring.decisions(task, target), scoring.decisions(task, prediction)
        if task in CLASSIFICATION:
            wrong = _by_row(true != predicted)
            return cls(float(wrong.mean()), _standard_error(wrong), _minority(true))
        target = target.astype(np.float64)
        squares = _by_row((target - prediction) ** 2)
        value = math.sqrt(squares.mean())
        # d√m = dm / 2√m
        standard_error = _standard_error(squares) / (2 * value) if value else 0.0
        baseline = math.sqrt(_by_row((target - target.mean(axis=0)) ** 2).mean())
        return cls(value, standard_error, baseline)


def _by_row(values: np.ndarray) -> np.ndarray:
    """Mean over the outputs, float64, shape (n,)."""
    return values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)


def _standard_error(values: np.ndarray) -> float:
    return float(values.std()) / math.sqrt(len(values))


def _minority(true: np.ndarray) -> float:
    """Share of all but the most frequent class; of several labels, the mean over them."""
    columns = true.reshape(len(true), -1).T
    return float(np.mean([1 - np.unique(c, return_counts=True)[1].max() / len(c) for c in columns]))


@dataclass(frozen=True)
class BiasVariance:
    """Where the error comes from.

    Attributes
    ----------
    training, validation : ErrorRate
    human_error : float or None
        Error of people, or the best known, in the same unit; None was taken for 0.
    classification : bool
        Whether errors are shares, and not in units of y.
    """

    training: ErrorRate
    validation: ErrorRate
    human_error: float | None
    classification: bool

    @property
    def avoidable_bias(self) -> float:
        """Training error less human-level error."""
        return self.training.value - (self.human_error or 0.0)

    @property
    def variance(self) -> float:
        """Validation error less training error."""
        return self.validation.value - self.training.value

    @property
    def threshold(self) -> float:
        """From where on a part counts as high, unless chance explains it."""
        share = SHARE_OF_BASELINE * self.training.baseline
        return min(POINTS, share) if self.classification else share

    @property
    def high_bias(self) -> bool:
        """Whether avoidable bias is above the threshold, and more than chance."""
        noise = STANDARD_ERRORS * self.training.standard_error
        return self.avoidable_bias > max(self.threshold, noise)

    @property
    def high_variance(self) -> bool:
        """Whether variance is above the threshold, and more than chance."""
        errors = self.training.standard_error, self.validation.standard_error
        return self.variance > max(self.threshold, STANDARD_ERRORS * math.hypot(*errors))

    @property
    def verdict(self) -> str:
        """Such as "high variance"."""
        found = [
            name
            for name, high in (("bias", self.high_bias), ("variance", self.high_variance))
            if high
        ]
        return " and ".join(f"high {name}" for name in found) or "low bias, low variance"

    @property
    def dominant(self) -> str | None:
        """Which of the high parts is larger: "bias", "variance", or None if none is high."""
        if not (self.high_bias or self.high_variance):
            return None
        if not self.high_variance:
            return "bias"
        larger = self.avoidable_bias >= self.variance
        return "bias" if self.high_bias and larger else "variance"

    def format(self, error: float) -> str:
        """An error in its unit."""
        return f"{error:.1%}" if self.classification else f"{error:.4g}"
