"""Uncertainty of a regressor's predictions: quantiles, and Monte-Carlo dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..layers import Dropout
from ..losses import Loss, Quantile
from ..model import inference
from ..model.base import model_of
from ..network import Network
from .target_scaling import TargetScaling

MEDIAN = 0.5


def quantile_levels(loss: Loss) -> tuple[float, ...]:
    """Return the levels of a loss for several quantiles; of any other loss, none."""
    return loss.q if isinstance(loss, Quantile) and isinstance(loss.q, tuple) else ()


def check_levels(levels: tuple[float, ...]) -> None:
    """Raise `ValueError` unless levels ascend and contain the median."""
    if list(levels) != sorted(set(levels)) or MEDIAN not in levels:
        raise ValueError(
            "several quantiles must ascend and have 0.5, which predict returns, among them; got "
            f"{list(levels)}"
        )


def _has_quantiles(regressor: Any) -> bool:
    """Return True if the loss is for several quantiles; raise `AttributeError` otherwise."""
    loss = regressor.network_.loss if hasattr(regressor, "network_") else regressor._loss()
    if not quantile_levels(loss):
        raise AttributeError("quantiles need loss='quantile' and a list of levels as `quantile`")
    return True


class UncertaintyMixin:
    """Predict quantiles, and standard deviations over dropout masks."""

    network_: Network
    _predict_outputs: Callable[[Any], np.ndarray]
    _check_X: Callable[[Any], Any]
    _scaling: TargetScaling | None

    def _values(self, outputs: np.ndarray) -> np.ndarray:
        """Return the median of several predicted quantiles; otherwise all outputs."""
        levels = quantile_levels(self.network_.loss)
        return np.sort(outputs, axis=1)[:, [levels.index(MEDIAN)]] if levels else outputs

    def _values_and_deviations(self, X: Any, n_draws: int) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation over draws of dropout masks, each (n, outputs)."""
        check_is_fitted(self)
        network = self.network_
        if not any(isinstance(layer, Dropout) and layer.rate for layer in network.layers):
            raise ValueError("return_std=True needs a network with dropout, whose masks it varies")
        if quantile_levels(network.loss):
            raise ValueError("return_std=True is for a value, not for several quantiles")
        mean, deviation = inference.mc_dropout_mean_std(
            model_of(network), self._check_X(X), n_draws
        )
        if self._scaling is None:
            return mean, deviation
        return self._scaling.from_units(mean), deviation * self._scaling.scale

    @available_if(_has_quantiles)
    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return all quantiles of the rows of X, for ``loss="quantile"`` and several levels.

        Quantiles that are fitted together may cross where there are few rows; those of a row are
        sorted, which does not increase their distance from the true ones [1]_.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles)
            In the order of `quantile`; not decreasing along a row.

        References
        ----------
        .. [1] Chernozhukov, Fernández-Val, Galichon: Quantile and probability curves without
           crossing. Econometrica 78, 2010.

        Examples
        --------
        See `predict_interval`.
        """
        return np.sort(self._predict_outputs(X), axis=1)

    @available_if(_has_quantiles)
    def predict_interval(self, X: Any) -> np.ndarray:
        """Return the lowest and the highest quantile of each row of X.

        If the quantiles fit well, the share of rows whose true value lies between them is the
        difference of the levels; on new rows it is somewhat less.

        Returns
        -------
        ndarray of shape (n_samples, 2)

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from fastnn import MLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> levels = [0.05, 0.5, 0.95]
        >>> options = {"quantile": levels, "tol": 0.01, "scale_target": True, "random_state": 0}
        >>> regressor = MLPRegressor("quantile", **options).fit(10 * X, y)
        >>> lower, upper = regressor.predict_interval(10 * X).T
        >>> bool((lower <= upper).all())
        True
        """
        return self.predict_quantiles(X)[:, [0, -1]]
