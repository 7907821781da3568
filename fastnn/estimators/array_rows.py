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
from ..data.sparse_rows import SparseRows
from ..errors import ArgumentError
from ..layers import Layer, Rescaling
from ..model.base import model_of
from ..network import Network
from ..training import prepare
from . import row_arrays
from .columns import DTYPES
from .inputs import SPARSE, to_matrix
from .predictor import Predictor

Shape = tuple[int, ...]


class ArrayRowsMixin:
    """Take X of any number of axes: checked as a matrix, and given to the network as it was.

    Images of bytes (uint8) of the first fit are divided by 255, by the network's first layer: later
    X of other dtypes hold the same units. Bytes after a fit on another dtype are refused.
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

    #: Whether rows are images even where X is a matrix.
    _takes_images = False

    def _shape_of_rows(self, given: Shape) -> Shape:
        """Return the shape of a row of the network's input for one of X; raise `ValueError`."""
        return given

    def _front_layers(self) -> list[Layer]:
        """Return the layers at the input."""
        return [Rescaling(1 / 255)] if self._bytes else []

    # ------------------------------------------------------------------------------------- inputs

    def _matrix(self, X: Any, reset: bool) -> Any:
        """Return X as a matrix, one row each; note shape and kind if `reset`."""
        X = row_arrays.as_array(X)
        shape = tuple(getattr(X, "shape", ()))
        has_axes = len(shape) > 2
        is_bytes = (has_axes or self._takes_images) and row_arrays.holds_bytes(X)
        if reset:
            self._given_shape = shape[1:] if has_axes else None
            self._bytes = is_bytes
        elif has_axes:
            row_arrays.check_shape(shape[1:], self.row_shape_)
        if is_bytes and not self._bytes:
            raise ArgumentError(
                "X holds bytes (uint8), but the estimator was fitted on images of another dtype, "
                "which it does not divide by 255; give X in the dtype and units of that fit"
            )
        if has_axes:
            X = X.reshape(len(X), math.prod(shape[1:]))
        return X.astype(np.float32) if is_bytes and hasattr(X, "astype") else X

    def _validate_input(self, X: Any, y: Any, reset: bool) -> tuple[Any, np.ndarray]:
        X, y = super()._validate_input(self._matrix(X, reset), y, reset)  # type: ignore[misc]
        if reset:
            self.row_shape_ = self._shape_of_rows(self._given_shape or (X.shape[1],))
        return X, y

    def _check_data(self, *arguments: Any, **options: Any) -> DataSet:
        data = super()._check_data(*arguments, **options)  # type: ignore[misc]
        return replace(data, x=self._rows(data.x))

    def _check_X(self, X: Any) -> np.ndarray | SparseRows:
        X = frames.arrayable("X", self._matrix(X, reset=False))
        X = validate_data(self, X, reset=False, accept_sparse=SPARSE, dtype=DTYPES)
        rows, dtype = self._rows(to_matrix(X)), self.network_.dtype
        return rows if rows.dtype == dtype else rows.astype(dtype)

    def _rows(self, X: np.ndarray | SparseRows) -> np.ndarray | SparseRows:
        """Return rows as the network takes them: sparse ones stay so where they are vectors."""
        if isinstance(X, SparseRows):
            if len(self.row_shape_) == 1 and self.augmentation is None:
                return X
            X = X[:]
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

        def encode(row: Any) -> np.ndarray:
            values = np.asarray(row)
            if values.ndim > 1:
                row_arrays.check_shape(values.shape, shape)
            return values.reshape(shape)

        return encode

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
