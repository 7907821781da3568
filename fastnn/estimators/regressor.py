"""`MLPRegressor`."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..losses import HalfSquaredError, Huber, Loss, MeanAbsoluteError, Poisson, Quantile
from ..model import inference
from ..model.base import model_of
from ..network import Network
from ..utils import checks
from . import conversion
from .base import BaseMultilayerPerceptron, has_partial_fit
from .rollback import RollbackOnError
from .target_scaling import TargetScaling, check_loss
from .uncertainty import UncertaintyMixin, check_levels, quantile_levels

LOSSES: dict[str, Loss] = {
    "squared_error": HalfSquaredError(),
    "poisson": Poisson(reduction="sum"),
    "absolute_error": MeanAbsoluteError(),
    "huber": Huber(),
    "quantile": Quantile(),
}


class MLPRegressor(UncertaintyMixin, RegressorMixin, BaseMultilayerPerceptron):
    """Multi-layer perceptron regressor; scikit-learn's, trained by fastnn.

    For the same arguments and `random_state`, results equal those of
    `sklearn.neural_network.MLPRegressor` up to rounding.

    Parameters
    ----------
    loss : str or Loss, default='squared_error'
        'squared_error', half the mean squared error, and 'poisson', half the Poisson deviance with
        a log link, as in scikit-learn; 'absolute_error', 'huber', 'quantile'; or an object.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
    power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, \
    nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, \
    n_iter_no_change, max_fun, dropout, batch_norm, l1, weight_decay, clipvalue, clipnorm, \
    global_clipnorm, callbacks, max_time, categorical_features, embedding_dim, imputer, progress
        As in `MLPClassifier`; the score of early stopping is R².
    quantile : float or list of float, default=0.5
        Quantile that the loss 'quantile' fits; several, in ascending order and with 0.5 among them,
        are as many outputs for the one target: `predict` returns the median, `predict_interval` the
        outermost ones.
    scale_target : bool, default=False
        Whether the network learns targets scaled to mean 0 and standard deviation 1, those of the
        first y, weighted by `sample_weight`. Use it wherever targets are not of that size already:
        a network whose outputs begin near 0 takes many steps to reach prices of 200,000.
        Predictions are in the units of y, float64; losses, `coefs_` and the loss's own constants (δ
        of Huber's) in standard deviations. scikit-learn does not scale. Not for 'poisson', which
        predicts the exponential of the outputs.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, coefs_, \
    intercepts_, n_iter_, n_layers_, n_outputs_, out_activation_, is_categorical_, \
    n_features_in_, feature_names_in_, network_
        As in `MLPClassifier`; several quantiles are as many outputs.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from fastnn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = MLPRegressor(tol=1e-3, scale_target=True, random_state=0)
    >>> regressor.fit(10 * X[:300], y[:300]).score(10 * X[300:], y[300:]) > 0.4
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMultilayerPerceptron._parameter_constraints,
        "loss": [StrOptions(set(LOSSES)), Loss],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "scale_target": ["boolean"],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        weight_decay: float = 0.0,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        callbacks: Any = None,
        max_time: float | None = None,
        categorical_features: Any = None,
        embedding_dim: int | None = None,
        imputer: Any = None,
        progress: bool = False,
        quantile: Any = 0.5,
        scale_target: bool = False,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.weight_decay = weight_decay
        self.clipvalue = clipvalue
        self.clipnorm = clipnorm
        self.global_clipnorm = global_clipnorm
        self.callbacks = callbacks
        self.max_time = max_time
        self.categorical_features = categorical_features
        self.embedding_dim = embedding_dim
        self.imputer = imputer
        self.progress = progress
        self.quantile = quantile
        self.scale_target = scale_target

    # ---------------------------------------------------------------------------------------- fit

    def _encode_targets(self, y: np.ndarray, incremental: bool, reset: bool) -> np.ndarray:
        """Return numbers (n, outputs)."""
        target = y.reshape(len(y), -1)
        levels = quantile_levels(self._loss())
        if levels:
            check_levels(levels)
            if target.shape[1] != 1:
                raise ValueError(f"several quantiles are for one target, got {target.shape[1]}")
            target = np.repeat(target, len(levels), axis=1)
        self._loss().check_target(target, target.shape[1])
        if not reset and target.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {target.shape[1]} outputs, but the estimator was fitted with "
                f"{self.n_outputs_}"
            )
        self.n_outputs_ = target.shape[1]
        return target

    def _fit_scaling(self, target: np.ndarray, weight: np.ndarray | None) -> None:
        self._scaling = None
        if self.scale_target:
            check_loss(self._loss())
            self._scaling = TargetScaling(target, weight)

    def _loss(self) -> Loss:
        if isinstance(self.loss, Loss):
            if self.loss.task != "regression":
                raise ArgumentError(f"loss={self.loss!r} is for classes, not for numbers")
            return self.loss
        if self.loss != "quantile":
            return LOSSES[self.loss]
        is_single = isinstance(self.quantile, Real)
        return Quantile(self.quantile if is_single else tuple(self.quantile))

    def _weight_factors(self, y: Any) -> np.ndarray | None:
        return None

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        return None

    def _scorer(self, validation: DataSet) -> Callable[[], float]:
        """Return a function that computes R², the mean over the targets."""
        assert validation.target is not None
        target = validation.target
        if quantile_levels(self.network_.loss):
            target = target[:, :1]

        def score() -> float:
            predicted = self._values(inference.predict(model_of(self.network_), validation.x))
            if not np.isfinite(predicted).all():
                return np.nan
            with np.errstate(over="ignore"):  # where training is about to diverge
                return r2_score(target, predicted, sample_weight=validation.weight)

        return score

    @available_if(has_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch more; parameters as in `fit`.

        Parameters changed by `set_params` take effect, except for those of the optimizer; see
        `MLPClassifier.partial_fit`.
        """
        with RollbackOnError(self) as rollback:
            self._fit(X, y, sample_weight, incremental=True, rollback=rollback)
        return self

    # ------------------------------------------------------------------------------------- predict

    def predict(self, X: Any, return_std: bool = False, n_draws: int = 100) -> Any:
        """Return values for the rows of X; with `return_std` their spread under dropout.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to predict with dropout masks (Monte-Carlo dropout [1]_), and return mean and
            standard deviation over `n_draws` draws. That is the spread of the model, without the
            noise of the targets. Masks depend on `random_state`, the draw and the row's position in
            X.
        n_draws : int, default=100

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The median, of several quantiles.
        std : ndarray of the same shape
            If `return_std`.

        Raises
        ------
        ValueError
            X cannot be used, or `return_std` is True and the network has no dropout.

        References
        ----------
        .. [1] Gal, Ghahramani: Dropout as a Bayesian approximation: representing model uncertainty
           in deep learning. ICML 2016.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from fastnn import MLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> regressor = MLPRegressor(dropout=0.2, tol=0.01, scale_target=True, random_state=0)
        >>> values, std = regressor.fit(10 * X, y).predict(10 * X, return_std=True)
        >>> values.shape, bool((std > 0).all())
        ((442,), True)
        """
        if not return_std:
            return _squeeze(self._values(self._predict_outputs(X)))
        draws = checks.integer("n_draws", n_draws, low=1)
        return tuple(map(_squeeze, self._values_and_deviations(X, draws)))

    @classmethod
    def from_network(cls, network: Network) -> MLPRegressor:
        """Return a fitted regressor around a copy of a trained network; it predicts the same bits.

        As `MLPClassifier.from_network`, for a network with a loss for numbers.
        """
        conversion.check_network(network, cls.__name__, ("regression",))
        return conversion.from_network(cls, network)


def _squeeze(values: np.ndarray) -> np.ndarray:
    """Return values (n, outputs) as (n,) if there is one output."""
    return values.reshape(-1) if values.shape[1] == 1 else values
