"""Dense, a fully connected layer, and Flatten, which often comes before it."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ..activations.custom import CustomActivation
from ..initializers import Initializer
from ..utils import checks
from .affine import AffineOps
from .base import Layer, ShapedLayer
from .weighted import check_weighted, weights_and_bias

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Parameter
    from ..ir.program import Ref

__all__ = ["Dense", "Flatten"]


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer: y = activation(x w + b), with w of shape (inputs, units).

    Of an array with several axes, such as a series (time, inputs), it works on the last one: the
    same weights serve every position. `Flatten` in front makes one vector of a row.

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
        self._set_fields(units=checks.integer("units", self.units, low=1))
        check_weighted(self)
        if self.input_size is not None:
            self._set_fields(input_size=checks.integer("input_size", self.input_size, low=1))

    @property
    def declared_input(self) -> tuple[int, ...] | None:
        return None if self.input_size is None else (self.input_size,)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return weights_and_bias(self, (input_shape[-1], self.units), self.units)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        weights = parameters["weights"]
        ops = AffineOps("dense", self.activation, weights.shape, trainable=self.trainable)
        shape = self.output_shape(x.shape)
        return ops.lower(builder, x, shape, weights, parameters.get("bias"))


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
