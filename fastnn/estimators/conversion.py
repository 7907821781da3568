"""Between our estimators and scikit-learn's of the same names."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import sklearn.neural_network
from sklearn.preprocessing import LabelBinarizer

from . import translation

#: Fitted attributes that are not simply copied.
_WEIGHTS = ("coefs_", "intercepts_", "network_")


def from_sklearn(cls: type, fitted: Any) -> Any:
    """An estimator of our class `cls` that predicts as scikit-learn's does."""
    theirs = getattr(sklearn.neural_network, cls.__name__)
    if not isinstance(fitted, theirs) or not hasattr(fitted, "coefs_"):
        raise ValueError(f"expected a fitted sklearn.neural_network.{cls.__name__}, got {fitted!r}")
    ours = cls(**fitted.get_params())
    ours._begin()
    _copy_attributes(fitted, ours)
    if hasattr(fitted, "classes_"):
        ours._settle_task(fitted._label_binarizer.y_type_)
    dtype = fitted.coefs_[0].dtype
    ours._described = translation.describe(ours, ours._loss(), (), fitted.n_outputs_)
    network = translation.network_for(ours, ours._described, dtype, seed=0)
    network.build(fitted.n_features_in_)
    pairs = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    network.set_weights([array for pair in pairs for array in pair])
    ours.network_ = network
    return ours


def to_sklearn(ours: Any) -> Any:
    """An estimator of scikit-learn's class that predicts as ours does."""
    theirs = getattr(sklearn.neural_network, type(ours).__name__)()
    names, parameters = theirs.get_params(), ours.get_params()
    defaults = type(ours)().get_params()
    for name, value in parameters.items():
        if name not in names and value != defaults[name] and name in _SHAPING:
            raise ValueError(f"scikit-learn has nothing like {name}={value!r}")
    if not ours._columns.plain:
        raise ValueError("scikit-learn has no embeddings and no imputation within its estimator")
    theirs.set_params(**{name: parameters[name] for name in names})
    theirs._validate_params()
    _copy_attributes(ours, theirs)
    theirs.coefs_ = [array.copy() for array in ours.coefs_]
    theirs.intercepts_ = [array.copy() for array in ours.intercepts_]
    if hasattr(ours, "classes_"):
        known = np.eye(ours.n_outputs_, dtype=int) if ours._task == "multilabel" else ours.classes_
        theirs._label_binarizer = LabelBinarizer().fit(known)
    return theirs


#: Those of our own parameters that change what is predicted from given weights.
_SHAPING = ("batch_norm",)


def _copy_attributes(source: Any, target: Any) -> None:
    """What was learned and, for fits that go on, counted."""
    for name, value in vars(source).items():
        learned = name.endswith("_") and not name.startswith("_") and name not in _WEIGHTS
        if learned or name == "_no_improvement_count":
            setattr(target, name, copy.copy(value))
