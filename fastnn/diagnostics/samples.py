"""The rows that a diagnosis looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.data_set import DataSet
from ..errors import ArgumentError, ArgumentTypeError
from ..model.base import model_of
from ..model.data_sets import data_set_for
from ..network import Network
from ..runtime.random_streams import Stream, permutation, stream_offset

#: What an order of rows is drawn for: numbers of `Stream.SAMPLE` that the gradient check, which
#: counts parameter arrays from 0, does not reach.
MEASURED, SUBSETS = 2**32, 2**32 + 1


def require_network(net: Any) -> Network:
    """`net`, if it is a network."""
    if not isinstance(net, Network):
        raise ArgumentTypeError(f"net must be a Network, got {type(net).__name__}")
    return net


def checked_rows(net: Network, X: Any, y: Any, what: str = "") -> DataSet:
    """X and y as the network takes them; builds it if needed, after all checks.

    `what` says in errors which X and y are meant.
    """
    rows = fitting_rows(net, X, y, what)
    model_of(net).build_for(rows)
    return rows


def fitting_rows(net: Network, X: Any, y: Any, what: str = "") -> DataSet:
    """The same, of a network that is left as it is."""
    try:
        return data_set_for(model_of(net), X, y)
    except (ArgumentError, ArgumentTypeError) as error:
        raise type(error)(f"{what}{error}") from None


def order(rows: int, seed: int, purpose: int) -> np.ndarray:
    """A random order of the rows, the same for the same seed and purpose."""
    return permutation(rows, seed, stream_offset(Stream.SAMPLE, purpose))


def drawn(data: DataSet, rows: int, seed: int) -> DataSet:
    """At most so many rows, in the order of the data."""
    if rows >= len(data):
        return data
    return data.take(np.sort(order(len(data), seed, MEASURED)[:rows]))
