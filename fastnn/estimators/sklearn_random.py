"""Random numbers in the order in which scikit-learn's MLPs draw them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..model.base import model_of
from ..network import Network
from .build_network import given_layers


def random_state(value: Any) -> np.random.RandomState:
    """Return the `RandomState` of a `random_state` argument; it advances a given `Generator`."""
    if isinstance(value, np.random.Generator):
        return np.random.RandomState(value.bit_generator)
    return check_random_state(value)


def seed(estimator: Any, sizes: Sequence[int], random: np.random.RandomState) -> int:
    """Draw the seed of the network: of dropout masks, embeddings of these sizes and given layers.

    Where there are none, nothing is drawn, as in scikit-learn.
    """
    own = estimator._draws_own_weights or given_layers(estimator)
    used = np.any(estimator.dropout) or sizes or own
    return int(random.randint(2**31)) if used else 0


def draw_weights(network: Network, random: np.random.RandomState, estimator: Any) -> None:
    """Draw weights and biases of dense layers in float64, rounded to the network's dtype.

    Both are uniform within ±√(6 / (fan_in + fan_out)), or ±√(2 / …) for logistic units (Glorot,
    Bengio: Understanding the difficulty of training deep feedforward networks. AISTATS 2010).
    Parameters of normalisations, and of layers that `hidden_layer_sizes` holds, keep their initial
    values, and so do embeddings, but for that of missing categories: as long as none is seen, it
    adds nothing.
    """
    activation = estimator.activation
    factor = 2.0 if isinstance(activation, str) and activation == "logistic" else 6.0
    arena, bound, given = model_of(network).arena, 0.0, set(map(id, given_layers(estimator)))
    for segment in arena.segments:
        if id(network.layers[segment.layer]) in given:
            continue
        kind = segment.parameter.name
        if kind == "weights":
            bound = math.sqrt(factor / sum(segment.shape))
        if kind in ("weights", "bias"):
            values = random.uniform(-bound, bound, segment.shape)
            arena.view(arena.parameters, segment)[...] = values
        elif kind.startswith("column_"):  # of `TabularInput`
            arena.view(arena.parameters, segment)[-1] = 0


class Shuffles:
    """Draw the order of the rows for each epoch, by shuffling that of the epoch before."""

    def __init__(self, random: np.random.RandomState, n_rows: int):
        self._random = random
        self._order = np.arange(n_rows)

    def __call__(self) -> np.ndarray:
        """Return the row numbers in the order of the next epoch."""
        shuffled = np.arange(len(self._order))
        self._random.shuffle(shuffled)
        self._order = self._order[shuffled]
        return self._order
