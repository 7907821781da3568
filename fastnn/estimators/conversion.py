"""Conversion from and to scikit-learn's estimators of the same names, and from networks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.neural_network
from sklearn.preprocessing import LabelBinarizer

from ..errors import ArgumentError
from ..layers import Dense
from ..losses import Loss
from ..network import Network
from . import build_network

#: Fitted attributes that are not simply copied.
_WEIGHTS = ("coefs_", "intercepts_", "network_", "out_activation_")


def from_sklearn(cls: type, fitted: Any) -> Any:
    """Return an estimator of class `cls` with the predictions of scikit-learn's `fitted`."""
    theirs = getattr(sklearn.neural_network, cls.__name__)
    if not isinstance(fitted, theirs) or not hasattr(fitted, "coefs_"):
        raise ValueError(f"expected a fitted sklearn.neural_network.{cls.__name__}, got {fitted!r}")
    ours = cls(**fitted.get_params())
    ours._reset_fitted()
    _copy_attributes(fitted, ours)
    if hasattr(fitted, "classes_"):
        ours._set_task(fitted._label_binarizer.y_type_)
    dtype = fitted.coefs_[0].dtype
    units = build_network.hidden_units(ours)
    ours._described = build_network.network_config(ours, units, ours._loss(), (), fitted.n_outputs_)
    network = build_network.network_from_params(ours, ours._described, dtype, seed=0)
    network.build(fitted.n_features_in_)
    pairs = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    network.set_weights([array for pair in pairs for array in pair])
    ours.network_ = network
    return ours


def to_sklearn(ours: Any) -> Any:
    """Return an estimator of scikit-learn's class with the predictions of `ours`."""
    theirs = getattr(sklearn.neural_network, type(ours).__name__)()
    names, parameters = theirs.get_params(), ours.get_params()
    defaults = type(ours)().get_params()
    for name, value in parameters.items():
        if name not in names and value != defaults[name] and name in _CHANGE_PREDICTIONS:
            raise ValueError(f"scikit-learn has nothing like {name}={value!r}")
    if not ours._columns.plain:
        raise ValueError("scikit-learn has no embeddings and no imputation within its estimator")
    theirs.set_params(**{name: parameters[name] for name in names})
    theirs._validate_params()
    _copy_attributes(ours, theirs)
    theirs.out_activation_ = ours.out_activation_
    network = ours.to_network()  # in the units of y
    theirs.coefs_, theirs.intercepts_ = network.get_weights()[::2], network.get_weights()[1::2]
    if hasattr(ours, "classes_"):
        known = np.eye(ours.n_outputs_, dtype=int) if ours._task == "multilabel" else ours.classes_
        theirs._label_binarizer = LabelBinarizer().fit(known)
    return theirs


#: Parameters that scikit-learn lacks and that change the predictions from given weights.
_CHANGE_PREDICTIONS = ("batch_norm", "loss")


def _copy_attributes(source: Any, target: Any) -> None:
    """Copy the fitted attributes, including the counters that a warm start continues."""
    for name, value in vars(source).items():
        learned = name.endswith("_") and not name.startswith("_") and name not in _WEIGHTS
        if learned or name == "_no_improvement_count":
            setattr(target, name, copy.copy(value))


def out_activation(loss: Loss) -> str:
    """Return scikit-learn's name of the link of a loss."""
    return {None: "identity", "sigmoid": "logistic"}.get(loss.link) or str(loss.link)


def check_network(network: Any, name: str, tasks: Sequence[str]) -> None:
    """Raise `ArgumentError` for a network that the estimator of that name cannot hold."""
    if not isinstance(network, Network) or not network.built:
        raise ArgumentError(f"network must be a Network that was built or trained, got {network!r}")
    if network.loss.task not in tasks:
        raise ArgumentError(
            f"network has loss {network.loss.title!r}, for {network.loss.task}, but {name} needs "
            f"one for {' or '.join(tasks)}"
        )
    if len(network.input_shape) != 1 or not isinstance(network.layers[-1], Dense):
        raise ArgumentError(
            "network must take rows of numbers and end with a Dense layer, got rows of shape "
            f"{network.input_shape} and {network.layers[-1]!r}"
        )


def from_network(cls: type, network: Network) -> Any:
    """Return an estimator of class `cls` around a copy of a network that was checked."""
    ours = cls(
        hidden_layer_sizes=list(network.layers[:-1]),
        solver=network.optimizer,
        alpha=network.l2,
        l1=network.l1,
        loss=network.loss,
    )
    ours._reset_fitted()
    ours.network_ = copy.deepcopy(network)
    (ours.n_features_in_,), (ours.n_outputs_,) = network.input_shape, network.output_shape
    ours.n_layers_ = len(network.layers) + 1
    losses = network.history.get("loss", [])
    ours.n_iter_ = len(losses)
    if losses:
        ours.loss_, ours.loss_curve_, ours.best_loss_ = losses[-1], list(losses), min(losses)
    ours.validation_loss_curve_ = list(network.history.get("val_loss", []))
    return ours


def labels_for(network: Network, classes: Any) -> np.ndarray:
    """Return `classes` as an array: one for each output, or two for one output.

    Raises
    ------
    ArgumentError
        They are not as many, or do not ascend.
    """
    (n_outputs,) = network.output_shape
    count = max(n_outputs, 2)
    labels = np.arange(count) if classes is None else np.asarray(classes)
    if labels.shape != (count,) or (labels[1:] <= labels[:-1]).any():
        raise ArgumentError(
            f"classes must be {count} labels in ascending order, for a network with {n_outputs} "
            f"output(s); got {classes!r}"
        )
    return labels
