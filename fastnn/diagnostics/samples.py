"""Checked data of a diagnosis, and random samples of their rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.data_set import DataSet
from ..errors import ArgumentError, ArgumentTypeError
from ..model.base import model_of
from ..model.data_sets import data_set_for
from ..network import Network
from ..runtime.random_streams import Stream, permutation, stream_offset

#: Substreams of `Stream.SAMPLE`, one for each use of a random order. The gradient check uses those
#: of small numbers, one for each parameter array.
MEASURED, SUBSETS = 2**32, 2**32 + 1


def require_network(net: Any) -> Network:
    """Return `net`; raise `ArgumentTypeError` if it is no network."""
    if not isinstance(net, Network):
        raise ArgumentTypeError(f"net must be a Network, got {type(net).__name__}")
    return net


def checked_data(net: Network, X: Any, y: Any, what: str = "") -> DataSet:
    """Return X and y as the network takes them; build the network, if needed, after all checks.

    `what` begins the messages of errors and tells which X and y they are about.
    """
    data = data_for(net, X, y, what)
    model_of(net).build_for(data)
    return data


def data_for(net: Network, X: Any, y: Any, what: str = "") -> DataSet:
    """Return X and y as the network takes them; do not build the network."""
    try:
        return data_set_for(model_of(net), X, y)
    except (ArgumentError, ArgumentTypeError) as error:
        raise type(error)(f"{what}{error}") from None


def random_order(n_rows: int, seed: int, substream: int) -> np.ndarray:
    """Return row numbers in a random order that depends on seed and substream alone."""
    return permutation(n_rows, seed, stream_offset(Stream.SAMPLE, substream))


def sample(data: DataSet, n_rows: int, seed: int) -> DataSet:
    """Return at most `n_rows` rows, in the order of the data."""
    if n_rows >= len(data):
        return data
    return data.take(np.sort(random_order(len(data), seed, MEASURED)[:n_rows]))
