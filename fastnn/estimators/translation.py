"""From the parameters of an estimator to the network that it trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers import Dense, Layer
from ..losses import Loss
from ..network import Network
from ..optimizers import LBFGS, SGD, Adam, Optimizer

#: scikit-learn's names of activations where ours differ.
ACTIVATIONS = {"logistic": "sigmoid"}


def hidden_units(estimator: Any) -> list[int]:
    """`hidden_layer_sizes` as a list; raises `ValueError` for layers without units."""
    sizes = estimator.hidden_layer_sizes
    units = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if any(size <= 0 for size in units):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {units}.")
    return [int(size) for size in units]


def network_for(
    estimator: Any, loss: Loss, inputs: int, outputs: int, dtype: np.dtype, seed: int
) -> Network:
    """The network that an estimator describes, built, with weights that are yet to be drawn."""
    layers = [*_hidden_layers(estimator), Dense(outputs, initializer="glorot_uniform")]
    network = Network(
        layers,
        loss=loss,
        optimizer=optimizer_for(estimator),
        seed=seed,
        dtype=dtype,
        l2=estimator.alpha,
        penalty_scale="sum",
    )
    return network.build(inputs)


def _hidden_layers(estimator: Any) -> list[Layer]:
    activation = ACTIVATIONS.get(estimator.activation, estimator.activation)
    return [
        Dense(units, activation, initializer="glorot_uniform") for units in hidden_units(estimator)
    ]


def optimizer_for(estimator: Any) -> Optimizer:
    """The optimizer that `solver` and the parameters that belong to it describe."""
    if estimator.solver == "lbfgs":
        return LBFGS(
            tolerance_grad=estimator.tol,
            tolerance_change=LBFGS_TOLERANCE_CHANGE,
            max_evaluations=estimator.max_fun,
        )
    if estimator.solver == "sgd":
        momentum = min(estimator.momentum, LARGEST_MOMENTUM)
        nesterov = bool(estimator.nesterovs_momentum and momentum)
        return SGD(estimator.learning_rate_init, momentum=momentum, nesterov=nesterov)
    return Adam(
        estimator.learning_rate_init,
        beta1=estimator.beta_1,
        beta2=estimator.beta_2,
        epsilon=estimator.epsilon,
        epsilon_hat=True,
    )


#: scikit-learn allows 1, which is what float32 makes of it.
LARGEST_MOMENTUM = 1 - 2.0**-53

#: SciPy's own, which scikit-learn leaves as it is.
LBFGS_TOLERANCE_CHANGE = 2.220446049250313e-09
