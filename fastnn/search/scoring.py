"""Networks as scikit-learn's scorers take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ..metrics.scoring import THRESHOLD
from ..network import Network


def as_estimator(model: Any) -> Any:
    """A network as a fitted estimator; an estimator as it is."""
    if not isinstance(model, Network):
        return model
    return _Regressor(model) if model.loss.task == "regression" else _Classifier(model)


class _Fitted(BaseEstimator):
    """What both have: the `network`, and that it needs no fit."""

    def __init__(self, network: Network):
        self.network = network

    def fit(self, X: Any, y: Any) -> Any:
        raise NotImplementedError("the network is trained already")

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _Regressor(RegressorMixin, _Fitted):
    def predict(self, X: Any) -> np.ndarray:
        """Values, (n,) or (n, outputs)."""
        values = self.network.predict(X)
        return values[:, 0] if values.shape[1] == 1 else values


class _Classifier(ClassifierMixin, _Fitted):
    @property
    def classes_(self) -> np.ndarray:
        return np.arange(max(2, self.network.output_shape[0]))

    def predict(self, X: Any) -> np.ndarray:
        """Class numbers, (n,), or 0 and 1 for each label, (n, outputs)."""
        outputs = self.network.predict(X)
        if self.network.loss.task == "multiclass":
            return outputs.argmax(axis=1)
        decided = (outputs >= THRESHOLD).astype(np.int64)
        return decided[:, 0] if decided.shape[1] == 1 else decided

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, (n, classes), or of each label, (n, outputs)."""
        outputs = self.network.predict(X)
        if outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs
