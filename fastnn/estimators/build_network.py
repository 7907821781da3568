"""Build the network that an estimator trains from the estimator's parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from ..layers import Activation, BatchNorm, Dense, Dropout, Layer, TabularInput
from ..losses import Loss
from ..network import Network
from ..optimizers import LBFGS, OPTIMIZERS, Optimizer
from ..utils import checks

#: fastnn's names of the activations that scikit-learn calls otherwise.
SKLEARN_ACTIVATIONS = {"logistic": "sigmoid"}

#: Embedding vectors have half as many entries as there are categories, up to this (Guo, Berkhahn:
#: Entity embeddings of categorical variables, 2016).
MAX_EMBEDDING_DIM = 50


def hidden_units(estimator: Any) -> list[int | Layer]:
    """Return `hidden_layer_sizes` as a list of units and layers.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A layer has no units, or a number of them that is no integer.
    """
    sizes = estimator.hidden_layer_sizes
    units = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if any(isinstance(size, Real) and size <= 0 for size in units):
        raise ArgumentError(f"hidden_layer_sizes must be > 0, got {units}.")
    return [
        size if isinstance(size, Layer) else checks.integer("hidden_layer_sizes", size, low=1)
        for size in units
    ]


def given_layers(estimator: Any) -> list[Layer]:
    """Return the entries of `hidden_layer_sizes` that are layers, which initialise themselves."""
    return [entry for entry in hidden_units(estimator) if isinstance(entry, Layer)]


class NetworkConfig(NamedTuple):
    """The arguments of a `Network` that may change between calls of `partial_fit`.

    Those of the optimizer, which keeps its state, are not among them.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    l1: float
    l2: float


def network_config(
    estimator: Any,
    units: Sequence[int | Layer],
    loss: Loss,
    sizes: Sequence[int],
    n_outputs: int,
) -> NetworkConfig:
    """Return the layers, loss and penalties that an estimator's parameters describe.

    `units` are its `hidden_units`; `sizes` are the numbers of categories of the categorical
    columns, which come first.
    """
    layers = (
        *_embeddings(estimator, sizes),
        *estimator._front_layers(),
        *_hidden_layers(estimator, units),
        Dense(n_outputs, initializer="glorot_uniform"),
    )
    return NetworkConfig(layers, loss, float(estimator.l1), float(estimator.alpha))


def network_from_params(
    estimator: Any, config: NetworkConfig, dtype: np.dtype, seed: int
) -> Network:
    """Return the network that an estimator's parameters describe, not built yet."""
    return Network(
        **config._asdict(),
        optimizer=_optimizer(estimator),
        seed=seed,
        dtype=dtype,
        penalty_scale="sum",
    )


def _embeddings(estimator: Any, sizes: Sequence[int]) -> list[Layer]:
    dim = estimator.embedding_dim
    tables = {i: (n, dim or min((n + 1) // 2, MAX_EMBEDDING_DIM)) for i, n in enumerate(sizes)}
    return [TabularInput(tables, normalize=False)] if tables else []


def _hidden_layers(estimator: Any, units: Sequence[int | Layer]) -> list[Layer]:
    activations = _per_layer("activation", estimator.activation, len(units))
    rates = _per_layer("dropout", estimator.dropout, len(units))
    initializer = "auto" if estimator._draws_own_weights else "glorot_uniform"
    layers: list[Layer] = []
    for size, name, rate in zip(units, activations, rates, strict=True):
        activation = SKLEARN_ACTIVATIONS.get(name, name) if isinstance(name, str) else name
        if isinstance(size, Layer):
            layers.append(size)
            continue
        if estimator.batch_norm:
            linear = Dense(size, initializer=initializer, use_bias=False)
            layers += [linear, BatchNorm(), Activation(activation)]
        else:
            layers.append(Dense(size, activation, initializer=initializer))
        if checks.number("dropout", rate, low=0, high=1, open_high=True):
            layers.append(Dropout(float(rate)))
    return layers


def _per_layer(argument: str, value: Any, n_layers: int) -> list[Any]:
    """Return the setting of each hidden layer, given as one for all or as a list."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [value] * n_layers
    if len(value) != n_layers:
        raise ValueError(f"{argument} has {len(value)} entries for {n_layers} hidden layer(s)")
    return list(value)


def is_full_batch(estimator: Any) -> bool:
    """Return whether each step of the solver takes all rows."""
    return estimator.solver == "lbfgs" or getattr(estimator.solver, "full_batch", False)


def _optimizer(estimator: Any) -> Optimizer:
    """Return the optimizer of the parameter `solver` and those that belong to it."""
    solver = estimator.solver
    if isinstance(solver, Optimizer):
        return solver
    if solver == "lbfgs":
        return LBFGS(
            tolerance_grad=float(estimator.tol),
            tolerance_change=LBFGS_TOLERANCE_CHANGE,
            max_evaluations=int(estimator.max_fun),
        )
    kind: Callable[..., Optimizer] = OPTIMIZERS[solver]
    return kind(
        float(estimator.learning_rate_init),  # True is 1 to scikit-learn
        weight_decay=float(estimator.weight_decay),
        clipvalue=estimator.clipvalue,
        clipnorm=estimator.clipnorm,
        global_clipnorm=estimator.global_clipnorm,
        **_solver_settings(estimator),
    )


def _solver_settings(estimator: Any) -> dict[str, Any]:
    """Return the settings of "sgd" and "adam"; other solvers keep their defaults."""
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        return {"momentum": momentum, "nesterov": bool(estimator.nesterovs_momentum and momentum)}
    if estimator.solver == "adam":
        return {
            "beta1": float(estimator.beta_1),
            "beta2": float(estimator.beta_2),
            "epsilon": float(estimator.epsilon),
            "epsilon_hat": True,
        }
    return {}


#: SciPy's own, which scikit-learn leaves as it is.
LBFGS_TOLERANCE_CHANGE = 2.220446049250313e-09
