"""Predictions of a classifier: classes, probabilities and scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from . import class_losses


class ClassPredictionsMixin:
    """Convert the outputs of a classifier's network to classes, probabilities and scores."""

    classes_: np.ndarray
    _task: str
    _predict_outputs: Callable[[Any], np.ndarray]
    _predict_scores: Callable[[Any], np.ndarray]

    def _decide(self, outputs: np.ndarray) -> np.ndarray:
        """Return class numbers (n,), or 0 and 1 (n, outputs), for predictions of the network."""
        if self._task == "multiclass":
            return outputs.argmax(axis=1)
        return (outputs > (0.5 if class_losses.predicts_probabilities(self) else 0.0)).astype(int)

    def predict(self, X: Any) -> np.ndarray:
        """Return the classes of the rows of X, (n_samples,), or 0 and 1 for each label."""
        decisions = self._decide(self._predict_outputs(X))
        if self._task == "multilabel":
            return decisions
        return self.classes_[np.minimum(decisions.reshape(-1), len(self.classes_) - 1)]

    @available_if(class_losses.has_predict_proba)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities (n_samples, n_classes), in the order of `classes_`."""
        probability = self._predict_outputs(X)
        if probability.shape[1] == 1:
            return np.hstack([1 - probability, probability])
        return probability

    def decision_function(self, X: Any) -> np.ndarray:
        """Return scores of the classes: logits, which the link of the loss maps to probabilities.

        Unlike probabilities near 0 and 1, they keep all digits, which calibration needs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            For two classes one number a row, positive for the second of `classes_`.

        Raises
        ------
        ValueError
            X cannot be used.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from fastnn import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = MLPClassifier(tol=0.1, random_state=0).fit(X, y)
        >>> odds = np.exp(classifier.decision_function(X))
        >>> bool(np.allclose(odds / odds.sum(axis=1, keepdims=True), classifier.predict_proba(X)))
        True
        """
        scores = self._predict_scores(X)
        if self._task == "binary":
            return scores.reshape(-1)
        if self._task == "multiclass" and len(self.classes_) <= 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    @available_if(class_losses.has_predict_proba)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of `predict_proba`."""
        probability = self.predict_proba(X)
        return np.log(probability, out=probability)
