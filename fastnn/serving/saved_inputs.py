"""Inputs of a loaded model: rows of a table, or arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..data.frames import cure_of_unread
from ..errors import ArgumentError, ArgumentTypeError, ModelFileError
from ..model import data_sets
from ..model.base import model_of
from ..utils import optional
from ..utils.counting import count

if TYPE_CHECKING:
    from ..network import Network
    from ..tables import Preprocessing


class Inputs(Protocol):
    """Converts a single row, or several, to inputs of the network."""

    def single(self, X: Any) -> np.ndarray | None:
        """Return the inputs of a single row, or None if X is several."""

    def several(self, X: Any) -> np.ndarray:
        """Return the inputs of rows, shape (n, …)."""


class Arrays(Inputs):
    """Arrays of numbers, as the network takes them."""

    def __init__(self, network: Network):
        self._network = network
        self._dimensions = len(network.input_shape)

    def single(self, X: Any) -> np.ndarray | None:
        if isinstance(X, Mapping):
            raise ArgumentTypeError(
                "X must be numbers: the model file holds no preprocessing of a table, so its "
                "columns have no names"
            )
        if getattr(X, "ndim", None) not in (None, self._dimensions):
            return None
        if not isinstance(X, np.ndarray):
            if not isinstance(X, Sequence) or np.ndim(X) != self._dimensions:
                return None
            X = np.asarray(X)
        return data_sets.inputs_for(model_of(self._network).architecture, X[None])[0]

    def several(self, X: Any) -> np.ndarray:
        return X


class Tables(Inputs):
    """Rows of a table, with the cells that its columns had in training."""

    def __init__(self, network: Network, preprocessing: Preprocessing):
        from ..tables import RowEncoder

        self._encoder = preprocessing.encoder
        self._row = RowEncoder(preprocessing.encoder)
        self.names = self._row.names

    def single(self, X: Any) -> np.ndarray | None:
        if isinstance(X, Mapping):
            return self._row(self._cells_by_name(X))
        if not _is_row(X):
            return None
        if len(X) != len(self.names):
            raise self._wrong_length(len(X))
        return self._row(X)

    def _cells_by_name(self, row: Mapping[str, Any]) -> list[Any]:
        try:
            cells = [row[name] for name in self.names]
        except KeyError:
            self._encoder.read(self._frame([row]))  # raises, with the nearest name
            raise
        if cells and isinstance(cells[0], (list, tuple, np.ndarray)):
            raise ArgumentTypeError(
                "X as a dict is a single row; give columns as a DataFrame: pandas.DataFrame(X)"
            )
        return cells

    def several(self, X: Any) -> np.ndarray:
        return self._encoder.transform(self._frame(X))

    def _frame(self, X: Any) -> Any:
        """Return rows as a pandas.DataFrame."""
        import pandas as pd

        if isinstance(X, pd.DataFrame):
            return X
        if hasattr(X, "to_pandas"):  # polars, pyarrow
            return X.to_pandas()
        if isinstance(X, Sequence) and X and isinstance(X[0], Mapping):
            return pd.DataFrame(list(X))
        if not isinstance(X, (np.ndarray, Sequence)) or isinstance(X, (str, bytes)):
            cure = "pass X.to_dict()" if isinstance(X, pd.Series) else cure_of_unread("X", X)
            raise ArgumentTypeError(
                "X must be a DataFrame, a row as a dict or a sequence, or a list of rows, got "
                f"{type(X).__name__}{cure and ': '}{cure}"
            )
        widths = {len(row) for row in X}
        if widths - {len(self.names)}:
            raise self._wrong_length(min(widths - {len(self.names)}))
        return pd.DataFrame(list(X), columns=self.names)

    def _wrong_length(self, found: int) -> ArgumentError:
        names = ", ".join(self.names[:12]) + (", …" if len(self.names) > 12 else "")
        return ArgumentError(
            f"X has rows of {count(found, 'cell')}, expected {len(self.names)}, in this "
            f"order: {names}"
        )


def _is_row(X: Any) -> bool:
    """Return whether X is a sequence of cells, and not of rows."""
    if isinstance(X, np.ndarray):
        return X.ndim == 1
    if not isinstance(X, Sequence) or isinstance(X, (str, bytes)) or not X:
        return False
    return isinstance(X[0], (str, bytes)) or not isinstance(X[0], (Sequence, Mapping, np.ndarray))


def preprocessing_of(network: Network, path: str) -> Preprocessing:
    """Return the preprocessing of a network's file.

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    ModelFileError
        The file holds another preprocessing than that of a table, or one of another network.
    """
    optional.module("pandas", extra="cli", need="the model of a table")
    from ..tables import Preprocessing

    try:
        return Preprocessing.from_dict(network.preprocessing, network)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error} (Network.load loads the network alone)") from error
