"""What the two estimators share: parameters, the fit, and predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..data import DataSet
from ..losses import Loss
from ..network import Network
from . import draws, fitting, translation


class BaseMultilayerPerceptron(BaseEstimator, ABC):
    """Base of `MLPClassifier` and `MLPRegressor`; not to be used directly."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"identity", "logistic", "tanh", "relu"})],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state", np.random.Generator],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    }

    network_: Network
    n_outputs_: int

    # ------------------------------------------------------------------------ of the two estimators

    @abstractmethod
    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        """Check the data; return X and the targets as the network takes them."""

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss, once the targets are known."""

    @abstractmethod
    def _scorer(self, validation: DataSet) -> Any:
        """A function of no arguments that gives the score of the validation rows."""

    @abstractmethod
    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        """What the split for early stopping is stratified by."""

    # ---------------------------------------------------------------------------- fitted attributes

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each dense layer, (inputs, units): the network's own memory."""
        return self._parameters("weights")

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each dense layer, (units,): the network's own memory."""
        return self._parameters("bias")

    def _parameters(self, name: str) -> list[np.ndarray]:
        arena = self.network_.arena  # an AttributeError before fit
        return [
            arena.view(arena.parameters, segment)
            for segment in arena.segments
            if segment.parameter.name == name
        ]

    @property
    def _optimizer(self) -> Network:
        """What knows the current `learning_rate`."""
        return self.network_

    # ---------------------------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaseMultilayerPerceptron:
        """Train on X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            An argument cannot be used, or the weights did not stay finite.
        """
        return self._fit(X, y, sample_weight)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, incremental: bool = False
    ) -> BaseMultilayerPerceptron:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        translation.hidden_units(self)
        first = not hasattr(self, "network_") or not (self.warm_start or incremental)
        X, target = self._validate_input(X, y, incremental, reset=first)
        X = np.ascontiguousarray(X.toarray() if hasattr(X, "toarray") else X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=X.dtype, ensure_non_negative=True
            )
        random = draws.random_state(self.random_state)
        if first:
            self._begin()
        network = self._prepared_network(X, random, first, incremental)
        data = DataSet(X, _target(target, network.dtype), _weight(sample_weight, network.dtype))
        if network.optimizer.full_batch:
            fitting.fit_full_batch(self, network, data)
        else:
            fitting.fit_steps(self, network, data, random, incremental)
        return self

    def _begin(self) -> None:
        """Counters and curves of an estimator that knows nothing yet."""
        self.n_iter_ = 0
        self.t_ = 0
        if self.solver == "lbfgs":
            return
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.best_loss_ = None if self.early_stopping else np.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _prepared_network(
        self, X: np.ndarray, random: np.random.RandomState, first: bool, incremental: bool
    ) -> Network:
        """The network to train, with the weights to start from.

        A warm start keeps the weights alone; `partial_fit` the state of the optimizer too.
        """
        known = None if first else self.network_
        if known is not None and incremental and not known.optimizer.full_batch:
            return known
        dtype = X.dtype if known is None else known.dtype
        network = translation.network_for(
            self, self._loss(), X.shape[1], self.n_outputs_, dtype, seed=0
        )
        if known is None:
            draws.draw_weights(network, random, self.activation)
        else:
            network.set_weights(known.get_weights())
        self.n_layers_ = len(translation.hidden_units(self)) + 2
        self.network_ = network
        return network

    # ------------------------------------------------------------------------------------- predict

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network predicts, (n_samples, n_outputs); checks X."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        if hasattr(X, "toarray"):
            X = X.toarray()
        return self.network_.predict(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _target(target: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Class numbers as they are, values in the network's dtype."""
    return target if target.ndim == 1 else np.ascontiguousarray(target, dtype)


def _weight(weight: np.ndarray | None, dtype: np.dtype) -> np.ndarray | None:
    return None if weight is None else np.ascontiguousarray(weight, dtype)


def takes_steps(estimator: BaseMultilayerPerceptron) -> bool:
    """Whether the solver can train for one epoch; `AttributeError` says why not."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True
