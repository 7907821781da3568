"""Scores of predicted probabilities: areas under curves, and the log-loss.

The functions take true class numbers (n,) or yes/no columns (n, outputs), predicted probabilities
(n, classes), (n, outputs) or, of one yes/no output, (n,), sample weights (n,) or None, and the
number of classes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Score = Callable[..., Any]


def by_output(score: Score) -> Score:
    """Decorate a score of two classes so that it averages over several outputs."""

    def mean(true, predicted, weight, classes):
        if true.ndim == 1:
            return score(true, predicted, weight, classes)
        columns = zip(true.T, predicted.T, strict=True)
        return float(np.mean([score(t, p, weight, 2) for t, p in columns]))

    return mean


def _one_against_rest(function: str) -> Score:
    """Return a score averaged over the classes, or outputs, for which it is defined, or NaN.

    A class needs rows of its own and others. With all of them it is scikit-learn's macro average,
    of several classes ``multi_class="ovr"``.
    """

    def score(true, predicted, weight, classes):
        import sklearn.metrics

        one = getattr(sklearn.metrics, function)
        if true.ndim == predicted.ndim == 1:
            pairs = [(true, predicted)]
        elif true.ndim == 1:
            pairs = [(true == k, predicted[:, k]) for k in range(predicted.shape[1])]
        else:
            pairs = list(zip(true.T, predicted.T, strict=True))
        counted = slice(None) if weight is None else weight > 0
        defined = [(t, p) for t, p in pairs if 0 < np.mean(t[counted]) < 1]
        found = [one(t, p, sample_weight=weight) for t, p in defined]
        return float(np.mean(found)) if found else math.nan

    return score


#: Area under the ROC curve.
roc_auc = _one_against_rest("roc_auc_score")
#: Area under the curve of precision and recall.
average_precision = _one_against_rest("average_precision_score")


def _log_loss(true, predicted, weight, classes):
    from sklearn.metrics import log_loss

    with warnings.catch_warnings():
        # Sums of float32 probabilities are 1 up to their own rounding.
        warnings.filterwarnings("ignore", message="The y_prob values do not sum to one")
        return log_loss(true, predicted, sample_weight=weight, labels=np.arange(classes))


#: −log of the probability of the true class; a mean over outputs where there are several.
log_loss = by_output(_log_loss)
