"""Predictions of single rows, as fast as they come."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model.base import model_of
from ..model.inference import RowPredictor
from ..network import Network
from .columns import Columns
from .target_scaling import TargetScaling


class Predictor:
    """What `MLPClassifier.predictor` and `MLPRegressor.predictor` return.

    As `RowPredictor`, with what an estimator does to rows and outputs. Nothing is checked.

    Parameters
    ----------
    network : Network
    both_classes : bool
        Whether the one output is the probability of the second of two classes.
    columns : Columns, optional
        What makes numbers of a row; None takes it for numbers.
    scaling : TargetScaling, optional
        What brings outputs into the units of the targets.
    """

    def __init__(
        self,
        network: Network,
        *,
        both_classes: bool = False,
        columns: Columns | None = None,
        scaling: TargetScaling | None = None,
    ):
        self._predict = RowPredictor(model_of(network))
        self._both_classes = both_classes
        self._scaling = scaling
        self._prepare = None if columns is None or columns.plain else columns.row

    def __call__(self, row: Any) -> np.ndarray:
        """Probabilities or values (n,), for the values of one row."""
        outputs = self._predict(row if self._prepare is None else self._prepare(row))
        if self._both_classes:
            return np.array([1 - outputs[0], outputs[0]])
        return outputs if self._scaling is None else self._scaling.from_units(outputs)
