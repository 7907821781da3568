"""Fast predictions of single rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..model.base import model_of
from ..model.inference import RowPredictor
from ..network import Network
from .target_scaling import TargetScaling


class Predictor:
    """Predict single rows; returned by `MLPClassifier.predictor` and `MLPRegressor.predictor`.

    A `RowPredictor` that also encodes rows and scales outputs as its estimator does. Nothing is
    checked.

    Parameters
    ----------
    network : Network
    both_classes : bool
        Whether the one output is the probability of the second of two classes.
    encode : callable, optional
        Converts a row to what the network takes; None if it is that already.
    scaling : TargetScaling, optional
        Converts outputs to the units of the targets.
    """

    def __init__(
        self,
        network: Network,
        *,
        both_classes: bool = False,
        encode: Callable[[Any], np.ndarray] | None = None,
        scaling: TargetScaling | None = None,
    ):
        self._predict = RowPredictor(model_of(network))
        self._both_classes = both_classes
        self._scaling = scaling
        self._encode = encode

    def __call__(self, row: Any) -> np.ndarray:
        """Return probabilities or values (n,) for the values of one row."""
        outputs = self._predict(row if self._encode is None else self._encode(row))
        if self._both_classes:
            return np.array([1 - outputs[0], outputs[0]])
        return outputs if self._scaling is None else self._scaling.from_units(outputs)
