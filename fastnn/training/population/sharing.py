"""Arrays that all networks of a population look at, checked once and never copied per network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...compiler.architecture import Architecture
from ...data import arrays
from ...data.data_set import DataSet
from ...errors import ArgumentError, ArgumentTypeError
from ...model import data_sets
from ...model.base import Model
from ...utils.counting import count

#: Rows to train on, and those to validate on.
Fold = tuple[np.ndarray, "np.ndarray | None"]


class SharedArrays:
    """X, y and sample weights, as networks of all kinds take them.

    Networks that want the same of them get the same arrays. With `training`, some rows are there to
    train on, so targets must be told apart by the networks' dtypes.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = False):
        self._x = arrays.inputs(X, None, np.dtype(np.float64))
        self._y = arrays.numbers("y", y)
        self._sample_weight = None
        if sample_weight is not None:
            self._sample_weight = arrays.numbers("sample_weight", sample_weight)
        self._training = training
        self._known: dict[Any, DataSet] = {}

    def __len__(self) -> int:
        return len(self._x)

    def architecture_for(self, model: Model) -> Architecture:
        """Return the sizes that a model has, or would have if built for X."""
        return model.architecture_for(self._x.shape[1:])

    def data_set(self, net: Architecture) -> DataSet:
        """Return all rows, for one network; raise what `fit` does."""
        key = _kind(net)
        if key in self._known:
            net.check_inputs(self._known[key].x)
            return self._known[key]
        x = arrays.converted_inputs(self._x, net.shapes[0], net.dtype)
        net.check_inputs(x)
        data = data_sets.with_targets(net, x, self._y, training=self._training)
        weight = data_sets.row_weights(net, data.targets, self._sample_weight)
        self._known[key] = data.weighted(weight)
        return self._known[key]

    def class_factors(
        self, net: Architecture, rows: np.ndarray | None, class_weight: Any
    ) -> np.ndarray | None:
        """Return the weights of the classes for a network that trains on `rows` (None: all)."""
        if class_weight is None:
            return None
        learned = replace(self.data_set(net), rows=rows)
        return data_sets.class_factors(net, learned.targets, class_weight)

    def part(
        self, net: Architecture, rows: np.ndarray | None, factors: np.ndarray | None = None
    ) -> DataSet:
        """Return some rows (None: all), weighted as if there were no others."""
        everything = self.data_set(net)
        if factors is None and (rows is None or self._sample_weight is None):
            return everything if rows is None else replace(everything, rows=rows)
        key = _kind(net), id(rows), None if factors is None else factors.tobytes()
        if key not in self._known:
            self._known[key] = self._select(net, everything, rows, factors)
        return self._known[key]

    def _select(
        self,
        net: Architecture,
        everything: DataSet,
        rows: np.ndarray | None,
        factors: np.ndarray | None,
    ) -> DataSet:
        part = replace(everything, rows=rows)
        weight = self._sample_weight
        own = None if weight is None else part.selected(weight)
        weights = np.ones(len(self), net.dtype)
        chosen = slice(None) if rows is None else rows
        weights[chosen] = data_sets.row_weights(net, part.targets, own, factors)
        return part.weighted(weights)


def _kind(net: Architecture) -> Any:
    """Return what the arrays of a network depend on."""
    return net.shapes[0], net.shapes[-1], net.dtype, net.loss, net.penalty_scale


def check_folds(folds: Any, networks: int, n_rows: int) -> list[Fold] | None:
    """Return one pair of row numbers for each network, checked, as int64 arrays."""
    if folds is None:
        return None
    if not isinstance(folds, Sequence):
        raise ArgumentTypeError(
            f"folds must be a list of (training rows, validation rows), got {folds!r}"
        )
    if len(folds) != networks:
        raise ArgumentError(
            f"folds holds {count(len(folds), 'pair')} for {count(networks, 'network')}"
        )
    checked: dict[int, Fold] = {}  # a pair that serves several networks is looked at once
    for index, fold in enumerate(folds):
        if id(fold) not in checked:
            checked[id(fold)] = _check_fold(f"folds[{index}]", fold, n_rows)
    return [checked[id(fold)] for fold in folds]


def _check_fold(name: str, fold: Any, n_rows: int) -> Fold:
    if not isinstance(fold, (tuple, list)) or len(fold) != 2:
        raise ArgumentTypeError(f"{name} must be (training rows, validation rows), got {fold!r}")
    train = _check_rows(f"{name}[0]", fold[0], n_rows)
    if fold[1] is None:
        return train, None
    validation = _check_rows(f"{name}[1]", fold[1], n_rows)
    both = np.intersect1d(train, validation)
    if both.size:
        raise ArgumentError(f"{name} has row {both[0]} to train on and to validate on")
    return train, validation


def _check_rows(name: str, values: Any, n_rows: int) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ArgumentError(f"{name} is not an array of row numbers: {error}") from None
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"{name} must be a vector of row numbers, got shape {array.shape}, dtype {array.dtype}"
        )
    if not array.size:
        raise ArgumentError(f"{name} holds no rows")
    if array.min() < 0 or array.max() >= n_rows:
        wrong = array[(array < 0) | (array >= n_rows)][0]
        raise ArgumentError(f"{name} has row {wrong}, but X has the rows 0 to {n_rows - 1}")
    if np.bincount(array.astype(np.int64), minlength=1).max() > 1:
        raise ArgumentError(f"{name} has a row twice; sample_weight makes a row count more")
    return np.array(array, np.int64, order="C")  # its own: C reads the rows that it names
