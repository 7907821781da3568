"""Rows that are arrays, such as images: their shape and bytes, around the checks of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data import frames
from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..layers import Layer, Rescaling
from ..model.base import model_of
from ..network import Network
from ..training import prepare
from .columns import DTYPES
from .inputs import SPARSE
from .predictor import Predictor

Shape = tuple[int, ...]


class ArrayRowsMixin:
    """Take X of any number of axes: checked as a matrix, and given to the network as it was.

    Bytes (uint8) of the first fit are divided by 255, by the network's first layer: later X of
    other dtypes hold the same units.
    """

    augmentation: Any
    network_: Network
    n_outputs_: int
    _columns: Any
    _scaling: Any
    out_activation_: str

    row_shape_: Shape
    _bytes = False

    #: What the estimators of rows of numbers have, and these do not.
    categorical_features: Any = None
    embedding_dim: int | None = None
    imputer: Any = None

    _draws_own_weights = True

    def _shape_of_rows(self, given: Shape) -> Shape:
        """Return the shape of a row of the network's input for one of X; raise `ValueError`."""
        return given

    def _front_layers(self) -> list[Layer]:
        """Return the layers at the input."""
        return [Rescaling(1 / 255)] if self._bytes else []

    # ------------------------------------------------------------------------------------- inputs

    def _matrix(self, X: Any, reset: bool) -> Any:
        """Return X as a matrix, one row each; note shape and kind if `reset`."""
        if hasattr(X, "toarray"):
            X = X.toarray()
        shape = tuple(getattr(X, "shape", ()))
        is_array = len(shape) > 2
        if is_array:
            X = np.asarray(X)
        is_bytes = getattr(X, "dtype", None) == np.uint8
        if reset:
            self._given_shape = shape[1:] if is_array else None
            self._bytes = is_bytes
        elif is_array and math.prod(shape[1:]) != math.prod(self.row_shape_):
            raise ArgumentError(
                f"X has rows of shape {shape[1:]}, but the estimator was fitted on rows of shape "
                f"{self.row_shape_}"
            )
        if is_array:
            X = X.reshape(len(X), -1)
        return X.astype(np.float32) if is_bytes else X

    def _validate_input(self, X: Any, y: Any, reset: bool) -> tuple[Any, np.ndarray]:
        X, y = super()._validate_input(self._matrix(X, reset), y, reset)  # type: ignore[misc]
        if reset:
            self.row_shape_ = self._shape_of_rows(self._given_shape or (X.shape[1],))
        return X, y

    def _check_data(self, *arguments: Any, **options: Any) -> DataSet:
        data = super()._check_data(*arguments, **options)  # type: ignore[misc]
        return replace(data, x=self._rows(data.x))

    def _check_X(self, X: Any) -> np.ndarray:
        X = frames.arrayable("X", self._matrix(X, reset=False))
        X = validate_data(self, X, reset=False, accept_sparse=SPARSE, dtype=DTYPES)
        return self._rows(X.astype(self.network_.dtype, copy=False))

    def _rows(self, X: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(X).reshape(len(X), *self.row_shape_)

    def _pipeline(self, network: Network, data: DataSet) -> Any:
        """Return the augmentation, tied to the rows of a fit."""
        return prepare.bound(self.augmentation, model_of(network), data)

    def predictor(self) -> Predictor:
        """Return a function that predicts one row, without checks; see `MLPClassifier.predictor`.

        Returns
        -------
        Predictor
            Takes a row as X has them, or its values one after the other.
        """
        check_is_fitted(self)
        one_probability = self.out_activation_ == "logistic" and self.n_outputs_ == 1
        return Predictor(
            self.network_,
            both_classes=one_probability,
            encode=self._encoder(),
            scaling=self._scaling,
        )

    def _encoder(self) -> Callable[[Any], np.ndarray]:
        shape = self.row_shape_
        return lambda row: np.reshape(row, shape)

    # -------------------------------------------------------------------------------- conversions

    def to_sklearn(self) -> NoReturn:
        """Raise `ArgumentError`: scikit-learn has no such estimator."""
        raise ArgumentError(f"scikit-learn has nothing like {type(self).__name__}; see to_network")

    @classmethod
    def from_sklearn(cls, fitted: Any) -> NoReturn:
        """Raise `ArgumentError`: scikit-learn has no such estimator."""
        raise ArgumentError(f"scikit-learn has nothing like {cls.__name__}")

    @classmethod
    def from_network(cls, network: Any, *classes: Any) -> NoReturn:
        """Raise `ArgumentError`: parameters cannot be read off any network."""
        raise ArgumentError(f"a {cls.__name__} cannot be made of a network; use the network itself")
