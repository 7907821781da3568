"""Scores of each class, and statistics of residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..metrics import scoring


@dataclass(frozen=True)
class ClassScores:
    """Number of rows, precision, recall and F1 of each class, and the confusion matrix.

    For several yes/no outputs a row, a class is an output, and its rows are those where it is 1.

    Attributes
    ----------
    training_rows, validation_rows : ndarray of int, shape (classes,)
    precision, recall, f1 : ndarray, shape (classes,)
        On the validation rows; NaN where the denominator is 0.
    confusion : ndarray of int
        Counts of validation rows, true classes down, predicted across: (classes, classes), or for
        several outputs (outputs, 2, 2).
    """

    training_rows: np.ndarray
    validation_rows: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    confusion: np.ndarray

    @property
    def confusion_shares(self) -> np.ndarray:
        """Return the confusion matrix, or matrices, as shares of the true class."""
        return self.confusion / np.maximum(self.confusion.sum(axis=-1, keepdims=True), 1)

    @property
    def imbalance(self) -> float:
        """Return the count of the most frequent class over that of the rarest, in training rows."""
        present = self.training_rows[self.training_rows > 0]
        return float(present.max() / present.min()) if len(present) else 1.0

    @classmethod
    def of(
        cls, task: str, training: np.ndarray, validation: np.ndarray, prediction: np.ndarray
    ) -> ClassScores:
        """Compute scores from prepared targets and validation predictions, (n, outputs)."""
        from sklearn.metrics import (
            confusion_matrix,
            multilabel_confusion_matrix,
            precision_recall_fscore_support,
        )

        seen, true, predicted = (
            scoring.decisions(task, values) for values in (training, validation, prediction)
        )
        multilabel = true.ndim == 2
        labels = np.arange(prediction.shape[1] if multilabel else max(prediction.shape[1], 2))
        precision, recall, f1, support = precision_recall_fscore_support(
            true, predicted, labels=labels, average=None, zero_division=np.nan
        )
        if multilabel:
            counts, confusion = seen.sum(axis=0), multilabel_confusion_matrix(true, predicted)
        else:
            counts = np.bincount(seen, minlength=len(labels))
            confusion = confusion_matrix(true, predicted, labels=labels)
        return cls(counts, support, precision, recall, f1, confusion)


@dataclass(frozen=True)
class Residuals:
    """Statistics of the residuals, true − predicted, of each output.

    Attributes
    ----------
    mean, std : ndarray, shape (outputs,)
        A mean away from 0 is a bias of the predictions.
    quantiles : ndarray, shape (5, outputs)
        5, 25, 50, 75 and 95 %.
    mae, r2 : ndarray, shape (outputs,)
        Mean absolute error; explained share of the variance, NaN for fewer than two rows.
    spread : ndarray, shape (outputs,)
        Rank correlation (Spearman's) of |residual| with the prediction: away from 0, the error
        grows or falls with it, and a logarithm of y, or another loss, may serve better. NaN where
        either is constant.
    true, predicted : ndarray, shape (n, outputs)
    """

    mean: np.ndarray
    std: np.ndarray
    quantiles: np.ndarray
    mae: np.ndarray
    r2: np.ndarray
    spread: np.ndarray
    true: np.ndarray
    predicted: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray) -> Residuals:
        """Compute statistics of values of shape (n, outputs)."""
        from sklearn.metrics import mean_absolute_error, r2_score

        true, predicted = true.astype(np.float64), predicted.astype(np.float64)
        residual = true - predicted
        r2 = np.full(true.shape[1], np.nan)
        if len(true) > 1:
            r2 = r2_score(true, predicted, multioutput="raw_values")
        return cls(
            residual.mean(axis=0),
            residual.std(axis=0),
            np.quantile(residual, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0),
            mean_absolute_error(true, predicted, multioutput="raw_values"),
            r2,
            np.array(
                [_rank_correlation(abs(r), p) for r, p in zip(residual.T, predicted.T, strict=True)]
            ),
            true,
            predicted,
        )


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import rankdata

    a, b = rankdata(a), rankdata(b)
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else float("nan")
