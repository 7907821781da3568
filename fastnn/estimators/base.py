"""Base class of the two estimators: fit, predictions, conversions."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ..augmentation.pipeline import Pipeline
from ..callbacks import base as callbacks
from ..data import frames
from ..data.data_set import DataSet, check_targets
from ..data.sparse_rows import SparseRows
from ..errors import ArgumentError
from ..layers import Layer
from ..losses import Loss
from ..model import inference
from ..model.base import model_of
from ..network import Network
from . import build_network, conversion, fit_loop, parameters, sklearn_random, state
from .inputs import InputValidationMixin, in_dtype, to_matrix
from .predictor import Predictor
from .rollback import RollbackOnError
from .sklearn_callbacks import CallbackSupportMixin, epoch_tasks
from .target_scaling import TargetScaling
from .weights import WeightList


class BaseMultilayerPerceptron(InputValidationMixin, CallbackSupportMixin, BaseEstimator, ABC):
    """Base class of `MLPClassifier` and `MLPRegressor`; not to be used directly."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = parameters.CONSTRAINTS

    network_: Network
    n_outputs_: int

    #: Whether layers keep the values of their own initialisers, instead of those of scikit-learn.
    _draws_own_weights: ClassVar[bool] = False
    _described: build_network.NetworkConfig | None = None
    _scaling: TargetScaling | None = None

    # ------------------------------------------------------------------ defined by the estimators

    @abstractmethod
    def _encode_targets(self, y: np.ndarray, incremental: bool, reset: bool) -> np.ndarray:
        """Return targets as the network takes them; set `n_outputs_` and the task."""

    @abstractmethod
    def _weight_factors(self, y: np.ndarray) -> np.ndarray | None:
        """Return factors on the sample weights, (n,)."""

    @abstractmethod
    def _loss(self) -> Loss:
        """Return the loss; needs the task."""

    @abstractmethod
    def _scorer(self, validation: DataSet) -> Callable[[], float]:
        """Return a function that computes the score on the validation rows."""

    @abstractmethod
    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        """Return the stratum of each row for the split of early stopping, bool (n,)."""

    def _front_layers(self) -> list[Layer]:
        """Return layers in front of the hidden ones, behind those of categories."""
        return []

    def _pipeline(self, network: Network, data: DataSet) -> Pipeline | None:
        """Return the augmentation of a fit; none here."""
        return None

    def _fit_scaling(self, target: np.ndarray, weight: np.ndarray | None) -> None:
        """Compute the scaling of targets (n, outputs), if they are scaled."""

    # ---------------------------------------------------------------------------- fitted attributes

    @property
    def coefs_(self) -> WeightList:
        """Return views of the weights of each dense layer, (inputs, units)."""
        return self._parameters("coefs_", "weights")

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        check_is_fitted(self)
        self.coefs_.replace(values)

    @property
    def intercepts_(self) -> WeightList:
        """Return views of the biases of each dense layer, (units,)."""
        return self._parameters("intercepts_", "bias")

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        check_is_fitted(self)
        self.intercepts_.replace(values)

    def _parameters(self, attribute: str, kind: str) -> WeightList:
        arena = model_of(self.network_).arena  # an AttributeError before fit
        own = [segment for segment in arena.segments if segment.parameter.name == kind]
        return WeightList(attribute, [arena.view(arena.parameters, segment) for segment in own])

    @property
    def out_activation_(self) -> str:
        """Return the name of the link function, which maps outputs to predictions."""
        return conversion.out_activation(self.network_.loss)

    @property
    def _optimizer(self) -> Network:
        """Return the object whose `learning_rate` scikit-learn's tests read."""
        return self.network_

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return what scikit-learn would otherwise read off the signature in each call."""
        return super()._get_param_names()

    def _keep_parameters(self, given: Mapping[str, Any]) -> None:
        """Keep the parameters among the local names of a constructor, each as it was given."""
        for name in self._get_param_names():
            setattr(self, name, given[name])

    def _validate_params(self) -> None:
        """Check the parameters that are no defaults."""
        parameters.validate(self)

    # ---------------------------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> BaseMultilayerPerceptron:
        """Train on X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative.
        X_val, y_val, sample_weight_val : as above, default=None
            Validation data, evaluated after each epoch: `validation_loss_curve_` holds the losses,
            and early stopping uses the score on them instead of holding out rows of X.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            An argument cannot be used, and the estimator is as it was; or the weights did not stay
            finite.
        """
        with RollbackOnError(self) as rollback:
            self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), rollback=rollback)
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any] = (None, None, None),
        *,
        incremental: bool = False,
        rollback: RollbackOnError,
    ) -> None:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        units = build_network.hidden_units(self)
        callbacks.checked(self.callbacks or ())
        first = not hasattr(self, "network_") or not (self.warm_start or incremental)
        checked = self._check_data(X, y, sample_weight, incremental, first)
        checked_validation = self._check_validation_data(*validation)
        random = sklearn_random.random_state(self.random_state)
        if first:
            self._reset_fitted()
        network = self._prepare_network(checked.x, units, random, first, incremental)
        data = in_dtype(checked, network.dtype)
        if not incremental:
            assert checked.target is not None
            assert data.target is not None
            check_targets(checked.target, data.target)
        held_out = None
        if checked_validation is not None:
            held_out = in_dtype(checked_validation, network.dtype)
        with epoch_tasks(self, X, y, sample_weight) as tasks:
            listeners = [rollback, *tasks]
            if network.optimizer.full_batch:
                fit_loop.fit_full_batch(self, network, data, held_out, listeners)
            else:
                fit_loop.fit_steps(self, network, data, held_out, random, incremental, listeners)

    def _check_validation_data(self, X: Any, y: Any, sample_weight: Any) -> DataSet | None:
        """Return validation data as the network takes them; None if there are none."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
            given = "sample_weight_val" if X is None and y is None else given
            raise ArgumentError(f"{given} was given without {missing}")
        try:
            return self._check_data(X, y, sample_weight, incremental=True, first=False)
        except ValueError as error:
            raise ArgumentError(
                f"X_val, y_val or sample_weight_val cannot be used: {error}"
            ) from error

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, incremental: bool, first: bool
    ) -> DataSet:
        """Return data as the network takes them, except for the dtype of targets and weights."""
        X, y = self._validate_input(X, y, reset=first)
        target = self._encode_targets(y, incremental, reset=first)
        if sample_weight is not None:
            sample_weight = frames.arrayable("sample_weight", sample_weight)
            with frames.naming_text("sample_weight", sample_weight, "weights are numbers"):
                sample_weight = _check_sample_weight(
                    sample_weight, X, dtype=X.dtype, ensure_non_negative=True
                )
        factors = self._weight_factors(y)
        if factors is not None:
            sample_weight = factors if sample_weight is None else factors * sample_weight
        if sample_weight is not None and not sample_weight.any():
            raise ArgumentError("sample_weight, times class_weight, is 0 for every row")
        if first:
            self._fit_scaling(target, sample_weight)
        if self._scaling is not None:
            target = self._scaling.to_units(target)
        return DataSet(to_matrix(X), target, sample_weight)

    def _reset_fitted(self) -> None:
        """Set counters and curves to their values before training."""
        self.n_iter_ = 0
        self.t_ = 0
        self.validation_loss_curve_: list[float] = []
        if not build_network.is_full_batch(self):
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self._reset_best()

    def _reset_best(self) -> None:
        """Forget the best loss, or with early stopping the best validation score."""
        self.best_loss_ = None if self.early_stopping else np.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _prepare_steps(self) -> None:
        """Add the attributes of gradient descent that a fit by another solver did not set."""
        self.loss_curve_ = getattr(self, "loss_curve_", [])
        self._no_improvement_count = getattr(self, "_no_improvement_count", 0)
        had_scores = getattr(self, "validation_scores_", None) is not None
        if had_scores != self.early_stopping or not hasattr(self, "best_loss_"):
            self._reset_best()

    def _prepare_network(
        self,
        X: np.ndarray | SparseRows,
        units: list[int | Layer],
        random: np.random.RandomState,
        first: bool,
        incremental: bool,
    ) -> Network:
        """Return the network to train, with its initial weights.

        A warm start keeps the weights alone; `partial_fit` the optimizer and its state too.
        """
        known = None if first else self.network_
        sizes, previous = self._columns.sizes, self._described
        describe = build_network.network_config
        self._described = describe(self, units, self._loss(), sizes, self.n_outputs_)
        if known is not None and incremental and not known.optimizer.full_batch:
            if previous not in (None, self._described):
                model_of(known).replace_config(*self._described)
            return known
        dtype = X.dtype if known is None else known.dtype
        seed = sklearn_random.seed(self, sizes, random)
        network = build_network.network_from_params(self, self._described, dtype, seed)
        network.build(X.shape[1:])
        if known is None:
            if not self._draws_own_weights:
                sklearn_random.draw_weights(network, random, self)
        else:
            network.set_weights(known.get_weights())
            for name, values in known.buffers.items():
                network.buffers[name][...] = values
        self.n_layers_ = len(units) + 2
        self.network_ = network
        return network

    # ------------------------------------------------------------------------------------- predict

    def _predict_outputs(self, X: Any) -> np.ndarray:
        """Return the predictions of the network, (n_samples, n_outputs); checks X."""
        check_is_fitted(self)
        outputs = inference.predict(model_of(self.network_), self._check_X(X))
        return outputs if self._scaling is None else self._scaling.from_units(outputs)

    def _predict_scores(self, X: Any) -> np.ndarray:
        """Return the outputs of the last layer (n_samples, n_outputs), without a link; checks X."""
        check_is_fitted(self)
        return inference.predict(model_of(self.network_), self._check_X(X), link=False)

    def predictor(self) -> Predictor:
        """Return a function that predicts one row, without checks, in a few microseconds.

        Returns
        -------
        Predictor
            Takes the `n_features_in_` values of a row, numbers and categories as X has them, in the
            order of its columns; returns probabilities of the classes or the predictions of the
            network, (n,). It uses the current weights, and is for one thread at a time. An imputer
            takes most of the time where there is one.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from fastnn import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> probabilities = MLPClassifier(tol=0.1, random_state=0).fit(X, y).predictor()
        >>> probabilities(X[0]).shape
        (3,)
        """
        check_is_fitted(self)
        one_probability = self.out_activation_ == "logistic" and self.n_outputs_ == 1
        return Predictor(
            self.network_,
            both_classes=one_probability,
            encode=None if self._columns.plain else self._columns.encode_row,
            scaling=self._scaling,
        )

    # ------------------------------------------------------------------------------ to and from

    def to_network(self) -> Network:
        """Return a copy of the trained network, to go on with as a `Network`.

        With ``scale_target=True``, its last layer holds the scaling: it predicts in the units of y.
        """
        check_is_fitted(self)
        if self._scaling is not None:
            return self._scaling.in_last_layer(self.network_)
        return copy.deepcopy(self.network_)

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Self:
        """Return the model of scikit-learn's estimator of that name, which must be fitted.

        Raises
        ------
        ValueError
            It is not an estimator of scikit-learn's class of the same name.
        """
        return conversion.from_sklearn(cls, fitted)

    def to_sklearn(self) -> Any:
        """Return the model as an estimator of scikit-learn's own class.

        Raises
        ------
        ValueError
            It has layers or losses that scikit-learn lacks.
        """
        check_is_fitted(self)
        return conversion.to_sklearn(self)

    def __getstate__(self) -> dict[str, Any]:
        return state.pack(super().__getstate__())

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        super().__setstate__(state.unpack(type(self).__name__, attributes))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


def has_partial_fit(estimator: BaseMultilayerPerceptron) -> bool:
    """Return True if the solver can train for one epoch; raise `AttributeError` otherwise."""
    if build_network.is_full_batch(estimator):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True
