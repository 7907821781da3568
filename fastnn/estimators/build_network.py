"""From the parameters of an estimator to the network that it trains."""

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

#: scikit-learn's names of activations where ours differ.
ACTIVATIONS = {"logistic": "sigmoid"}

#: Vectors of categories are half as long as there are categories, up to this: Guo, Berkhahn 2016.
LONGEST_EMBEDDING = 50


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
    """The entries of `hidden_layer_sizes` that are layers: they initialise themselves."""
    return [entry for entry in hidden_units(estimator) if isinstance(entry, Layer)]


class Description(NamedTuple):
    """What each step reads of an estimator's parameters, and nothing that the optimizer holds."""

    layers: tuple[Layer, ...]
    loss: Loss
    l1: float
    l2: float


def describe(estimator: Any, loss: Loss, sizes: Sequence[int], outputs: int) -> Description:
    """What an estimator describes; `sizes` are those of the categorical columns, the first ones."""
    layers = (
        *_embeddings(estimator, sizes),
        *_hidden_layers(estimator),
        Dense(outputs, initializer="glorot_uniform"),
    )
    return Description(layers, loss, float(estimator.l1), float(estimator.alpha))


def network_for(estimator: Any, described: Description, dtype: np.dtype, seed: int) -> Network:
    """The network that an estimator describes, not built yet."""
    return Network(
        **described._asdict(),
        optimizer=optimizer_for(estimator),
        seed=seed,
        dtype=dtype,
        penalty_scale="sum",
    )


def _embeddings(estimator: Any, sizes: Sequence[int]) -> list[Layer]:
    dim = estimator.embedding_dim
    tables = {i: (n, dim or min((n + 1) // 2, LONGEST_EMBEDDING)) for i, n in enumerate(sizes)}
    return [TabularInput(tables, normalize=False)] if tables else []


def _hidden_layers(estimator: Any) -> list[Layer]:
    units = hidden_units(estimator)
    activations = _of_each("activation", estimator.activation, len(units))
    rates = _of_each("dropout", estimator.dropout, len(units))
    layers: list[Layer] = []
    for size, name, rate in zip(units, activations, rates, strict=True):
        activation = ACTIVATIONS.get(name, name) if isinstance(name, str) else name
        if isinstance(size, Layer):
            layers.append(size)
            continue
        if estimator.batch_norm:
            linear = Dense(size, initializer="glorot_uniform", use_bias=False)
            layers += [linear, BatchNorm(), Activation(activation)]
        else:
            layers.append(Dense(size, activation, initializer="glorot_uniform"))
        if checks.number("dropout", rate, low=0, high=1, open_high=True):
            layers.append(Dropout(float(rate)))
    return layers


def _of_each(argument: str, value: Any, layers: int) -> list[Any]:
    """A setting of each hidden layer: one for all, or a list of them."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [value] * layers
    if len(value) != layers:
        raise ValueError(f"{argument} has {len(value)} entries for {layers} hidden layer(s)")
    return list(value)


def takes_all_rows(estimator: Any) -> bool:
    """Whether the solver takes no single steps."""
    return estimator.solver == "lbfgs" or getattr(estimator.solver, "full_batch", False)


def optimizer_for(estimator: Any) -> Optimizer:
    """The optimizer that `solver` and the parameters that belong to it describe."""
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
        **_own_settings(estimator),
    )


def _own_settings(estimator: Any) -> dict[str, Any]:
    """Return the settings of scikit-learn's solvers; the others have their defaults."""
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        return {
            "momentum": momentum,
            "nesterov": bool(estimator.nesterovs_momentum and momentum),
        }
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
