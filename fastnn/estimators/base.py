"""What the two estimators share: parameters, the fit, and predictions."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.impute import SimpleImputer
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ..activations.custom import CustomActivation
from ..activations.named import ACTIVATIONS
from ..callbacks import base as callbacks
from ..data import frames
from ..data.data_set import DataSet, check_targets
from ..data.sparse_rows import SparseRows
from ..errors import ArgumentError
from ..losses import Loss
from ..model import inference
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from . import build_network, conversion, fit_loop, sklearn_random, state
from .columns import IMPUTATIONS
from .inputs import ChecksInputs, in_dtype, rows_of
from .predictor import Predictor
from .rollback import Refusal
from .sklearn_callbacks import CallbackSupportMixin, epoch_tasks
from .target_scaling import TargetScaling
from .weights import WeightList


class BaseMultilayerPerceptron(ChecksInputs, CallbackSupportMixin, BaseEstimator, ABC):
    """Base of `MLPClassifier` and `MLPRegressor`; not to be used directly."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [
            StrOptions(set(ACTIVATIONS) | set(build_network.ACTIVATIONS)),
            CustomActivation,
            "array-like",
        ],
        "solver": [StrOptions(set(OPTIMIZERS)), Optimizer],
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
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "l1": [Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "clipvalue": [Interval(Real, 0, None, closed="neither"), None],
        "clipnorm": [Interval(Real, 0, None, closed="neither"), None],
        "global_clipnorm": [Interval(Real, 0, None, closed="neither"), None],
        "callbacks": [list, tuple, None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "embedding_dim": [Interval(Integral, 1, None, closed="left"), None],
        "imputer": [StrOptions(set(IMPUTATIONS)), SimpleImputer, None],
        "progress": ["boolean"],
    }

    network_: Network
    n_outputs_: int
    _described: build_network.Description | None = None
    _scaling: TargetScaling | None = None

    # ------------------------------------------------------------------------ of the two estimators

    @abstractmethod
    def _targets(self, y: np.ndarray, incremental: bool, reset: bool) -> np.ndarray:
        """Targets as the network takes them; settles what follows from them."""

    @abstractmethod
    def _row_weights(self, y: np.ndarray) -> np.ndarray | None:
        """Factors on the sample weights, (n,)."""

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss, once the targets are known."""

    @abstractmethod
    def _scorer(self, validation: DataSet) -> Any:
        """A function of no arguments that gives the score of the validation rows."""

    @abstractmethod
    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        """What the split for early stopping is stratified by."""

    def _settle_scaling(self, target: np.ndarray, weight: np.ndarray | None) -> None:
        """Learn how targets (n, outputs) are scaled, if they are."""

    # ---------------------------------------------------------------------------- fitted attributes

    @property
    def coefs_(self) -> WeightList:
        """Weights of each dense layer, (inputs, units): the network's own memory."""
        return self._parameters("coefs_", "weights")

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        check_is_fitted(self)
        self.coefs_.replace(values)

    @property
    def intercepts_(self) -> WeightList:
        """Biases of each dense layer, (units,): the network's own memory."""
        return self._parameters("intercepts_", "bias")

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        check_is_fitted(self)
        self.intercepts_.replace(values)

    def _parameters(self, attribute: str, kind: str) -> WeightList:
        arena = self.network_.arena  # an AttributeError before fit
        own = [segment for segment in arena.segments if segment.parameter.name == kind]
        return WeightList(attribute, [arena.view(arena.parameters, segment) for segment in own])

    @property
    def out_activation_(self) -> str:
        """Name of the link that makes predictions of the last layer's outputs."""
        return conversion.out_activation(self.network_.loss)

    @property
    def _optimizer(self) -> Network:
        """What knows the current `learning_rate`."""
        return self.network_

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
            What to validate on after each epoch: `validation_loss_curve_` tells the losses, and
            early stopping looks at the score there instead of holding out rows of X.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            An argument cannot be used, and the estimator is as it was; or the weights did not stay
            finite.
        """
        with Refusal(self) as refusal:
            self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), refusal=refusal)
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any] = (None, None, None),
        *,
        incremental: bool = False,
        refusal: Refusal,
    ) -> None:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        build_network.hidden_units(self)
        callbacks.checked(self.callbacks or ())
        first = not hasattr(self, "network_") or not (self.warm_start or incremental)
        checked = self._checked(X, y, sample_weight, incremental, first)
        validation_rows = self._checked_validation(*validation)
        random = sklearn_random.random_state(self.random_state)
        if first:
            self._begin()
        network = self._prepared_network(checked.x, random, first, incremental)
        data = in_dtype(checked, network.dtype)
        if not incremental:
            assert checked.target is not None
            assert data.target is not None
            check_targets(checked.target, data.target)
        held_out = None if validation_rows is None else in_dtype(validation_rows, network.dtype)
        with epoch_tasks(self, X, y, sample_weight) as tasks:
            listeners = [refusal, *tasks]
            if network.optimizer.full_batch:
                fit_loop.fit_full_batch(self, network, data, held_out, listeners)
            else:
                fit_loop.fit_steps(self, network, data, held_out, random, incremental, listeners)

    def _checked_validation(self, X: Any, y: Any, sample_weight: Any) -> DataSet | None:
        """Validation data, if there are any, as the network takes them."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
            given = "sample_weight_val" if X is None and y is None else given
            raise ArgumentError(f"{given} was given without {missing}")
        try:
            return self._checked(X, y, sample_weight, incremental=True, first=False)
        except ValueError as error:
            raise ArgumentError(
                f"X_val, y_val or sample_weight_val cannot be used: {error}"
            ) from error

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, incremental: bool, first: bool
    ) -> DataSet:
        """Data as the network takes them, but for the dtype of targets and weights."""
        X, y = self._validate_input(X, y, reset=first)
        target = self._targets(y, incremental, reset=first)
        if sample_weight is not None:
            sample_weight = frames.arrayable("sample_weight", sample_weight)
            with frames.naming_text("sample_weight", sample_weight, "weights are numbers"):
                sample_weight = _check_sample_weight(
                    sample_weight, X, dtype=X.dtype, ensure_non_negative=True
                )
        factors = self._row_weights(y)
        if factors is not None:
            sample_weight = factors if sample_weight is None else factors * sample_weight
        if sample_weight is not None and not sample_weight.any():
            raise ArgumentError("sample_weight, times class_weight, is 0 for every row")
        if first:
            self._settle_scaling(target, sample_weight)
        if self._scaling is not None:
            target = self._scaling.to_units(target)
        return DataSet(rows_of(X), target, sample_weight)

    def _begin(self) -> None:
        """Counters and curves of an estimator that knows nothing yet."""
        self.n_iter_ = 0
        self.t_ = 0
        self.validation_loss_curve_: list[float] = []
        if not build_network.takes_all_rows(self):
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self._begin_judging()

    def _begin_judging(self) -> None:
        """What epochs are judged by, the loss or the score of rows held out, has no best yet."""
        self.best_loss_ = None if self.early_stopping else np.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _go_on(self) -> None:
        """Make ready for steps, whatever solver and judge the fit before had."""
        self.loss_curve_ = getattr(self, "loss_curve_", [])
        self._no_improvement_count = getattr(self, "_no_improvement_count", 0)
        judged_by_score = getattr(self, "validation_scores_", None) is not None
        if judged_by_score != self.early_stopping or not hasattr(self, "best_loss_"):
            self._begin_judging()

    def _prepared_network(
        self,
        X: np.ndarray | SparseRows,
        random: np.random.RandomState,
        first: bool,
        incremental: bool,
    ) -> Network:
        """The network to train, with the weights to start from.

        A warm start keeps the weights alone; `partial_fit` the optimizer and its state too.
        """
        known = None if first else self.network_
        sizes, previous = self._columns.sizes, self._described
        self._described = build_network.describe(self, self._loss(), sizes, self.n_outputs_)
        if known is not None and incremental and not known.optimizer.full_batch:
            if previous not in (None, self._described):
                known.redescribe(*self._described)
            return known
        dtype, seed = (
            X.dtype if known is None else known.dtype,
            sklearn_random.seed(self, sizes, random),
        )
        network = build_network.network_for(self, self._described, dtype, seed).build(X.shape[1])
        if known is None:
            sklearn_random.draw_weights(network, random, self)
        else:
            network.set_weights(known.get_weights())
            for name, values in known.buffers.items():
                network.buffers[name][...] = values
        self.n_layers_ = len(build_network.hidden_units(self)) + 2
        self.network_ = network
        return network

    # ------------------------------------------------------------------------------------- predict

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the network predicts, (n_samples, n_outputs); checks X."""
        check_is_fitted(self)
        outputs = inference.predict(self.network_, self._rows(X))
        return outputs if self._scaling is None else self._scaling.from_units(outputs)

    def _scores(self, X: Any) -> np.ndarray:
        """Return the outputs of the last layer (n_samples, n_outputs), without a link; checks X."""
        check_is_fitted(self)
        return inference.predict(self.network_, self._rows(X), link=False)

    def predictor(self) -> Predictor:
        """Return a function that predicts one row, without checks, in a few microseconds.

        Returns
        -------
        Predictor
            Takes the `n_features_in_` values of a row, numbers and categories as X has them, in the
            order of its columns; gives probabilities of the classes or what the network predicts,
            (n,). It sees later changes of the weights, and is for one thread at a time. An imputer
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
            columns=self._columns,
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
        return state.packed(super().__getstate__())

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        super().__setstate__(state.unpacked(type(self).__name__, attributes))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


def takes_steps(estimator: BaseMultilayerPerceptron) -> bool:
    """Whether the solver can train for one epoch; `AttributeError` says why not."""
    if build_network.takes_all_rows(estimator):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True
