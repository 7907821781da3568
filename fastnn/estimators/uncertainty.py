"""How sure a regressor is: quantiles beside the median, and what dropout does to predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..layers import Dropout
from ..losses import Loss, Quantile
from ..model import inference
from ..network import Network
from .target_scaling import TargetScaling

MEDIAN = 0.5


def levels(loss: Loss) -> tuple[float, ...]:
    """Those of several quantiles; none of any other loss."""
    return loss.q if isinstance(loss, Quantile) and isinstance(loss.q, tuple) else ()


def check_levels(several: tuple[float, ...]) -> None:
    """Raise `ValueError` unless levels ascend and have the median among them."""
    if list(several) != sorted(set(several)) or MEDIAN not in several:
        raise ValueError(
            "several quantiles must ascend and have 0.5, which predict returns, among them; got "
            f"{list(several)}"
        )


def _fits_several(regressor: Any) -> bool:
    """Whether there are several quantiles; `AttributeError` says that there are not."""
    loss = regressor.network_.loss if hasattr(regressor, "network_") else regressor._loss()
    if not levels(loss):
        raise AttributeError("quantiles need loss='quantile' and a list of levels as `quantile`")
    return True


class PredictsUncertainty:
    """Mixin: what a regressor predicts beside a value for each row and target."""

    network_: Network
    _outputs: Callable[[Any], np.ndarray]
    _rows: Callable[[Any], Any]
    _scaling: TargetScaling | None

    def _values(self, outputs: np.ndarray) -> np.ndarray:
        """Return the median of several predicted quantiles; else all that is predicted."""
        several = levels(self.network_.loss)
        return np.sort(outputs, axis=1)[:, [several.index(MEDIAN)]] if several else outputs

    def _values_and_deviations(self, X: Any, n_draws: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation over draws of dropout masks, each (n, outputs)."""
        check_is_fitted(self)
        network = self.network_
        if not any(isinstance(layer, Dropout) and layer.rate for layer in network.layers):
            raise ValueError("return_std=True needs a network with dropout, whose masks it varies")
        if levels(network.loss):
            raise ValueError("return_std=True is for a value, not for several quantiles")
        mean, deviation = inference.mc_dropout_mean_std(network, self._rows(X), n_draws)
        if self._scaling is None:
            return mean, deviation
        return self._scaling.from_units(mean), deviation * self._scaling.scale

    @available_if(_fits_several)
    def predict_quantiles(self, X: Any) -> np.ndarray:
        """All quantiles of the rows of X, for ``loss="quantile"`` and several levels.

        Quantiles that are fitted side by side may cross where there are few rows; then those of a
        row are put in order, which brings them no farther from the true ones [1]_.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles)
            In the order of `quantile`; never falling along a row.

        References
        ----------
        .. [1] Chernozhukov, Fernández-Val, Galichon: Quantile and probability curves without
           crossing. Econometrica 78, 2010.

        Examples
        --------
        See `predict_interval`.
        """
        return np.sort(self._outputs(X), axis=1)

    @available_if(_fits_several)
    def predict_interval(self, X: Any) -> np.ndarray:
        """The lowest and the highest quantile of each row of X.

        The true value lies between them for a share of the rows that is the difference of the
        levels, as far as the quantiles are fitted well: on new rows it is somewhat less.

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
