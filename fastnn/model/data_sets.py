"""Users' arrays as data sets, checked against the sizes, the loss and the dtype of a model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiler.architecture import Architecture
from ..data import arrays
from ..data.data_set import DataSet, check_targets
from ..data.weights import checked_weights, class_factors as factors_of, class_numbers
from ..errors import ArgumentError
from ..utils.counting import count
from .base import Model


def inputs_for(net: Architecture, X: Any) -> np.ndarray:
    """Return X, as `arrays.inputs` does, for these sizes."""
    x = arrays.inputs(X, net.shapes[0], net.dtype)
    net.check_inputs(x)
    return x


def inputs_and_sizes(model: Model, X: Any) -> tuple[np.ndarray, Architecture]:
    """Return X, looked at once, and the sizes that the model has or would have if built for it."""
    x = arrays.inputs(X, model.input_shape if model.built else None, model.dtype)
    net = model.architecture_for(x.shape[1:])
    net.check_inputs(x)
    return x, net


def data_set(net: Architecture, X: Any, y: Any, sample_weight: Any = None) -> DataSet:
    """Check and convert inputs, targets and weights together."""
    data = with_targets(net, inputs_for(net, X), y)
    assert data.target is not None
    return data.weighted(row_weights(net, data.target, sample_weight))


def data_set_for(model: Model, X: Any, y: Any) -> DataSet:
    """Return inputs and targets for a model that need not be built."""
    x, net = inputs_and_sizes(model, X)
    return with_targets(net, x, y)


def with_targets(net: Architecture, x: np.ndarray, y: Any, *, training: bool = False) -> DataSet:
    """Return checked inputs with targets, checked and converted.

    Targets to train on must be told apart by the network's dtype.
    """
    y = arrays.numbers("y", y)
    if len(y) != len(x):
        raise ArgumentError(f"X has {count(len(x), 'row')}, but y has {len(y)}")
    arrays.require_in_range("y", y, net.dtype)
    target = net.loss.prepare_target(y, net.shapes[-1][0], net.dtype)
    if training:
        check_targets(y, target)
    return DataSet(x, target)


def row_weights(
    net: Architecture, target: np.ndarray, sample_weight: Any, factors: np.ndarray | None = None
) -> np.ndarray | None:
    """Return the weights of rows with these checked targets, in the dtype; None if all are equal.

    `factors`, from `class_factors`, are those of the classes. Only ratios of weights matter, so
    they are scaled to a largest one in [1, 2), by a power of two, which rounds nothing; but not
    where penalties are measured against their sum.
    """
    weight = None if sample_weight is None else checked_weights(sample_weight, len(target))
    if factors is not None:
        own = factors[class_numbers(target, net.loss.task)]
        weight = own if weight is None else weight * own
    if weight is None:
        return None
    if net.penalty_scale == "mean" and weight.any():
        weight = np.ldexp(weight, 1 - math.frexp(float(weight.max()))[1])
    return arrays.converted("sample_weight", weight, net.dtype)


def class_factors(net: Architecture, target: np.ndarray, class_weight: Any) -> np.ndarray | None:
    """Return the weight of each class of checked targets; None without class weights.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The targets are no classes; or as from `data.weights.class_factors`.
    """
    if class_weight is None:
        return None
    labels = class_numbers(target, net.loss.task)
    return factors_of(labels, max(net.shapes[-1][0], 2), class_weight)
