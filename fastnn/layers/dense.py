"""Dense, a fully connected layer, and Flatten, which often comes before it."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

from .. import initializers
from ..activations import named
from ..activations.custom import CustomActivation
from ..activations.named import ACTIVATIONS
from ..errors import ArgumentError
from ..initializers import Initializer
from ..ir.parameter import Parameter
from ..ir.program import gradient_of
from ..utils import checks
from .base import Layer, ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Dense", "Flatten"]


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer: y = activation(x w + b), with w of shape (inputs, units).

    Parameters
    ----------
    units : int
        Outputs.
    activation : str or CustomActivation
        One of identity, relu, leaky_relu (slope 0.01), elu, selu, gelu (tanh form), silu, softplus,
        sigmoid, tanh, exp; or one made by `fastnn.activation`.
    initializer : str or Initializer
        Initialiser of the weights. "auto" takes He for rectified units, LeCun for selu, Glorot for
        the others.
    bias_initializer : str or Initializer
    use_bias : bool
    l1, l2 : float, optional
        Penalties on the weights, not on the bias: the loss gains l1 Σ|w| + ½ l2 Σw². None takes the
        network's, as it does for the next two.
    weight_decay : float, optional
        Decoupled decay of the weights; None takes the optimizer's.
    max_norm : float, optional
        Longest vector of weights of one unit, a column: after each update, longer ones are scaled
        down to it (Srivastava et al., JMLR 2014). 0 is no limit.
    trainable : bool
        Whether training moves weights and bias; `Network.freeze` and `unfreeze` change it.
    learning_rate_multiplier : float
        Positive; multiplies the learning rate for this layer.
    input_size : int, optional
        Inputs, where they are to be fixed before data is seen.
    name : str, optional
        Shown in summaries and errors, and used in model files; "dense_1" and so on by default.

    Raises
    ------
    ArgumentError
        Also a `ValueError`: units not positive, unknown activation or initialiser, negative
        penalty.

    Examples
    --------
    >>> from fastnn import Dense
    >>> Dense(10, "relu").output_shape((4,))
    (10,)
    """

    units: int
    activation: str | CustomActivation = "identity"
    _: KW_ONLY
    initializer: str | Initializer = "auto"
    bias_initializer: str | Initializer = "zeros"
    use_bias: bool = True
    l1: float | None = None
    l2: float | None = None
    weight_decay: float | None = None
    max_norm: float | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_size: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        activation = named.get("activation", self.activation)
        initializer = self.initializer
        if initializer == "auto":
            initializer = activation.initializer
        self._set_fields(
            units=checks.integer("units", self.units, low=1),
            initializer=initializers.get("initializer", initializer),
            bias_initializer=initializers.get("bias_initializer", self.bias_initializer),
            use_bias=checks.boolean("use_bias", self.use_bias),
        )
        self._check_regularization("l1", "l2", "weight_decay", "max_norm")
        self._check_training()
        if self.input_size is not None:
            self._set_fields(input_size=checks.integer("input_size", self.input_size, low=1))
        self.check_name()

    @property
    def declared_input(self) -> tuple[int, ...] | None:
        return None if self.input_size is None else (self.input_size,)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 1:
            raise ArgumentError(
                f"Dense takes rows of numbers, but its input has shape {input_shape}; "
                "put Flatten() in front of it"
            )
        return (self.units,)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        shape = (input_shape[0], self.units)
        weights = Parameter(
            "weights",
            shape,
            self.initializer,  # type: ignore[arg-type]
            self.l1,
            self.l2,
            weight_decay=self.weight_decay,
            max_norm=self.max_norm,
        )
        if not self.use_bias:
            return (weights,)
        bias = Parameter("bias", (self.units,), self.bias_initializer, decays=False)  # type: ignore[arg-type]
        return weights, bias

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        if isinstance(self.activation, CustomActivation):
            return self._lower_custom(self.activation, builder, x, parameters, index)
        w, b = parameters["weights"], parameters.get("bias")
        y = builder.activation((self.units,))
        keep_z = builder.training and ACTIVATIONS[self.activation].needs_z
        z = builder.buffer((self.units,)) if keep_z else None
        builder.emit("forward", "dense_fwd", y, x, w, b, self.activation, z)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            dx = builder.gradient(x.shape) if need_dx else None
            gradients = [None if p is None else gradient_of(p) for p in (w, b)]
            dw, db = gradients if self.trainable else (None, None)
            builder.emit("backward", "dense_bwd", dx, dw, db, dy, y, x, w, self.activation, z)
            return dx

        return y, pullback

    def _lower_custom(
        self,
        activation: CustomActivation,
        builder: PlanBuilder,
        x: Ref,
        parameters: dict[str, Ref],
        index: int,
    ) -> tuple[Ref, Pullback]:
        """Lower to a linear layer and the activation after it."""
        linear = replace(self, activation="identity")
        z, linear_pullback = linear.lower(builder, x, parameters, index)
        y, activation_pullback = activation.lower(builder, z)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            dz = activation_pullback(dy, True)
            assert dz is not None
            return linear_pullback(dz, need_dx)

        return y, pullback


@dataclass(frozen=True)
class Flatten(ShapedLayer):
    """Turn each row's array into a vector, in C order; costs nothing.

    Parameters
    ----------
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Examples
    --------
    >>> from fastnn import Flatten
    >>> Flatten().output_shape((28, 28))
    (784,)
    """

    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (math.prod(input_shape),)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            return dy.reshaped(x.shape) if need_dx else None

        return x.reshaped(self.output_shape(x.shape)), pullback
