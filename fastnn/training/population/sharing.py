"""Arrays that all networks of a population look at, checked once and never copied per network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import data_set
from ...data.data_set import DataSet
from ...errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from ...compiler.architecture import Architecture
    from ...network import Network

#: Rows to train on, and those to validate on.
Fold = tuple[np.ndarray, "np.ndarray | None"]


class SharedArrays:
    """X, y and sample weights, as networks of all kinds take them.

    Networks that want the same of them get the same arrays. With `training`, some rows are there to
    train on, so targets must be told apart by the networks' dtypes.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = False):
        self._x = data_set.inputs(X, None, np.dtype(np.float64))
        self._y = data_set.numbers("y", y)
        self._sample_weight = None
        if sample_weight is not None:
            self._sample_weight = data_set.numbers("sample_weight", sample_weight)
        self._training = training
        self._known: dict[Any, DataSet] = {}

    def __len__(self) -> int:
        return len(self._x)

    def settle(self, network: Network) -> Architecture:
        """The network, or what it would be if built for X."""
        return network.architecture if network.built else network.settled(self._x.shape[1:])

    def data_set(self, net: Architecture) -> DataSet:
        """All rows, for one network; raises what `fit` does."""
        key = _kind(net)
        if key not in self._known:
            self._known[key] = data_set.data_set(
                net, self._x, self._y, self._sample_weight, training=self._training
            )
        else:
            net.check_inputs(self._known[key].x)
        return self._known[key]

    def class_factors(
        self, net: Architecture, rows: np.ndarray | None, class_weight: Any
    ) -> np.ndarray | None:
        """Return the weights of the classes for a network that learns from `rows` (None: all)."""
        if class_weight is None:
            return None
        learned = replace(self.data_set(net), rows=rows)
        return data_set.class_factors(net, learned.targets, class_weight)

    def part(
        self, net: Architecture, rows: np.ndarray | None, factors: np.ndarray | None = None
    ) -> DataSet:
        """Some rows (None: all), with the weights they would have if there were no others."""
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
        weights[chosen] = data_set.row_weights(net, part.targets, own, factors)
        return part.weighted(weights)


def _kind(net: Architecture) -> Any:
    """What the arrays of a network depend on."""
    return net.shapes[0], net.shapes[-1], net.dtype, net.loss, net.penalty_scale


def check_folds(folds: Any, networks: int, rows: int) -> list[Fold] | None:
    """One pair of row numbers for each network, checked, as int64 arrays."""
    if folds is None:
        return None
    if not isinstance(folds, Sequence):
        raise ArgumentTypeError(
            f"folds must be a list of (training rows, validation rows), got {folds!r}"
        )
    if len(folds) != networks:
        raise ArgumentError(f"folds holds {len(folds)} pairs for {networks} networks")
    checked: dict[int, Fold] = {}  # a pair that serves several networks is looked at once
    for index, fold in enumerate(folds):
        if id(fold) not in checked:
            checked[id(fold)] = _check_fold(f"folds[{index}]", fold, rows)
    return [checked[id(fold)] for fold in folds]


def _check_fold(name: str, fold: Any, rows: int) -> Fold:
    if not isinstance(fold, (tuple, list)) or len(fold) != 2:
        raise ArgumentTypeError(f"{name} must be (training rows, validation rows), got {fold!r}")
    train = _check_rows(f"{name}[0]", fold[0], rows)
    if fold[1] is None:
        return train, None
    validation = _check_rows(f"{name}[1]", fold[1], rows)
    both = np.intersect1d(train, validation)
    if both.size:
        raise ArgumentError(f"{name} has row {both[0]} to train on and to validate on")
    return train, validation


def _check_rows(name: str, values: Any, rows: int) -> np.ndarray:
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
    if array.min() < 0 or array.max() >= rows:
        wrong = array[(array < 0) | (array >= rows)][0]
        raise ArgumentError(f"{name} has row {wrong}, but X has the rows 0 to {rows - 1}")
    if np.bincount(array.astype(np.int64), minlength=1).max() > 1:
        raise ArgumentError(f"{name} has a row twice; sample_weight makes a row count more")
    return np.array(array, np.int64, order="C")  # its own: C reads the rows that it names
