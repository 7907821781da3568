"""Values that the parameters of both estimators may take, in the form of scikit-learn's checks."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from ..activations.custom import CustomActivation
from ..activations.named import ACTIVATIONS
from ..optimizers import OPTIMIZERS, Optimizer
from .build_network import SKLEARN_ACTIVATIONS
from .columns import IMPUTATIONS

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [
        StrOptions(set(ACTIVATIONS) | set(SKLEARN_ACTIVATIONS)),
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
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
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


def validate(estimator: BaseEstimator) -> None:
    """Check the parameters of an estimator, but for defaults, which are most and valid.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        A parameter has a value that it may not take.
    """
    kind: Any = type(estimator)
    defaults, given = _valid_defaults(kind), estimator.get_params(deep=False)
    changed = {n: v for n, v in given.items() if n not in defaults or v is not defaults[n]}
    _check(kind, changed)


@cache
def _valid_defaults(kind: type[BaseEstimator]) -> dict[str, Any]:
    """Return the defaults of a class, but for those of a user's subclass that are not valid."""
    valid = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        with suppress(InvalidParameterError):
            _check(kind, {name: parameter.default})
            valid[name] = parameter.default
    return valid


def _check(kind: type[BaseEstimator], values: dict[str, Any]) -> None:
    validate_parameter_constraints(kind._parameter_constraints, values, caller_name=kind.__name__)
