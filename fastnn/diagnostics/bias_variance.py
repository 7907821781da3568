"""Bias and variance: the parts of a network's error.

After Ng, Machine Learning Yearning, chapters 20 to 27: human-level error stands for the error that
cannot be avoided. *Avoidable bias* is training error minus human-level error, *variance* is
validation error minus training error; the larger part is worked on first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..metrics import scoring
from ..metrics.scoring import CLASSIFICATION

#: Parts of the error above this count as high: two points of classification error, which in Ng's
#: examples calls for work while half a point does not.
POINTS = 0.02

#: Upper bound of that threshold, as a share of the error of the best constant answer, which may be
#: small (rare classes) or have units (regression).
SHARE_OF_BASELINE = 0.05

#: A part must exceed this many standard errors to be more than chance.
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class ErrorRate:
    """An error with its standard error, and that of a constant answer.

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
        """Compute the error of predictions (n, outputs), given targets (n, outputs) or (n,)."""
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
    """Return the mean over the outputs, float64, shape (n,)."""
    return values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)


def _standard_error(values: np.ndarray) -> float:
    return float(values.std()) / math.sqrt(len(values))


def _minority(true: np.ndarray) -> float:
    """Return the share of all but the most frequent class, averaged over several labels."""
    columns = true.reshape(len(true), -1).T
    return float(np.mean([1 - np.unique(c, return_counts=True)[1].max() / len(c) for c in columns]))


@dataclass(frozen=True)
class BiasVariance:
    """Errors, and their parts: avoidable bias and variance.

    Attributes
    ----------
    training, validation : ErrorRate
    human_error : float or None
        Error of people, or the best known, in the same unit; None counts as 0.
    classification : bool
        Whether errors are shares rather than in units of y.
    """

    training: ErrorRate
    validation: ErrorRate
    human_error: float | None
    classification: bool

    @property
    def avoidable_bias(self) -> float:
        """Return training error minus human-level error."""
        return self.training.value - (self.human_error or 0.0)

    @property
    def variance(self) -> float:
        """Return validation error minus training error."""
        return self.validation.value - self.training.value

    @property
    def threshold(self) -> float:
        """Return the value above which a part is high, unless chance explains it."""
        share = SHARE_OF_BASELINE * self.training.baseline
        return min(POINTS, share) if self.classification else share

    @property
    def high_bias(self) -> bool:
        """Return whether avoidable bias is above the threshold, and more than chance."""
        noise = STANDARD_ERRORS * self.training.standard_error
        return self.avoidable_bias > max(self.threshold, noise)

    @property
    def high_variance(self) -> bool:
        """Return whether variance is above the threshold, and more than chance."""
        errors = self.training.standard_error, self.validation.standard_error
        return self.variance > max(self.threshold, STANDARD_ERRORS * math.hypot(*errors))

    @property
    def verdict(self) -> str:
        """Return the high parts, such as "high variance"."""
        found = [
            name
            for name, high in (("bias", self.high_bias), ("variance", self.high_variance))
            if high
        ]
        return " and ".join(f"high {name}" for name in found) or "low bias, low variance"

    @property
    def dominant(self) -> str | None:
        """Return the larger of the high parts, "bias" or "variance"; None if none is high."""
        if not (self.high_bias or self.high_variance):
            return None
        if not self.high_variance:
            return "bias"
        larger = self.avoidable_bias >= self.variance
        return "bias" if self.high_bias and larger else "variance"

    def format(self, error: float) -> str:
        """Return an error as text, in its unit."""
        return f"{error:.1%}" if self.classification else f"{error:.4g}"
