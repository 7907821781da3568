"""Arguments and parameters that all layers with weights, bias and activation have.

Such a layer declares the fields activation, initializer, bias_initializer, use_bias, l1, l2,
weight_decay, max_norm, trainable, learning_rate_multiplier and name.
"""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..activations import named
from ..ir.parameter import Parameter
from ..utils import checks


def check_weighted(layer: Any, *, few_inputs: bool = False) -> None:
    """Check these fields and the name; resolve initialisers.

    "auto" is the initialiser that the activation wants. Glorot's counts the outputs of the whole
    array: for layers where each output has `few_inputs` of its own, LeCun's takes its place.
    """
    activation = named.get("activation", layer.activation)
    initializer = layer.initializer
    if is_auto := initializer == "auto":
        initializer = activation.initializer
        if few_inputs and initializer == "glorot_uniform":
            initializer = "lecun_uniform"
    setter = layer._derive if is_auto else layer._set_fields
    setter(initializer=initializers.get("initializer", initializer))
    layer._set_fields(
        bias_initializer=initializers.get("bias_initializer", layer.bias_initializer),
        use_bias=checks.boolean("use_bias", layer.use_bias),
    )
    layer._check_regularization("l1", "l2", "weight_decay", "max_norm")
    layer._check_training()
    layer.check_name()


def weights_of(layer: Any, shape: tuple[int, ...], name: str = "weights") -> Parameter:
    """Return an array of weights with the layer's initialiser and penalties."""
    return Parameter(
        name,
        shape,
        layer.initializer,
        layer.l1,
        layer.l2,
        weight_decay=layer.weight_decay,
        max_norm=layer.max_norm,
    )


def bias_of(layer: Any, outputs: int) -> tuple[Parameter, ...]:
    """Return the bias, which is exempt from penalties, if the layer has one."""
    if not layer.use_bias:
        return ()
    return (Parameter("bias", (outputs,), layer.bias_initializer, decays=False),)


def weights_and_bias(layer: Any, shape: tuple[int, ...], outputs: int) -> tuple[Parameter, ...]:
    """Return the parameters of a layer with one array of weights."""
    return weights_of(layer, shape), *bias_of(layer, outputs)
