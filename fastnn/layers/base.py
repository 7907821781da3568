"""Base of all layers: descriptions that infer shapes, ask for parameters and lower to ops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from ..utils.specification import Specification

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Buffer, Parameter
    from ..ir.program import Ref

__all__ = ["Layer"]


class Layer(Specification, family=True):
    """Base of all layers.

    A layer is immutable and holds no arrays: one object may stand in several networks, or several
    times in one. Shapes leave out the rows of the batch.

    A layer of your own is a frozen dataclass with a `lower` that emits kernels of the table or
    Python functions. Such a function gets arrays, outputs among them, which it fills; its rows are
    those of the batch at hand, and the dtype is the network's. A layer with weights asks for them
    in `parameters` and writes their gradients to what `fastnn.gradient_of` gives; docs/layers.md
    has examples. Where a derivative jumps, ``builder.kinks`` tells `gradient_check`. A network with
    such a layer trains in the Python executor, on any back end, and `Network.summary` says so.

    Examples
    --------
    A layer without kernels of its own for C:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from fastnn import Dense, Layer, Network
    >>> def sine(y, x, frequency):
    ...     np.sin(frequency * x, out=y)
    >>> def sine_gradient(dx, dy, x, frequency):
    ...     np.multiply(dy, frequency * np.cos(frequency * x), out=dx)
    >>> @dataclass(frozen=True)
    ... class Sine(Layer):
    ...     frequency: float = 1.0
    ...     name: str | None = None
    ...
    ...     def lower(self, builder, x, parameters, index):
    ...         y = builder.activation(x.shape)
    ...         builder.emit("forward", sine, y, x, self.frequency)
    ...
    ...         def pullback(dy, wanted):  # dx may take the place of dy
    ...             if wanted:
    ...                 builder.emit("backward", sine_gradient, dy, dy, x, self.frequency)
    ...             return dy if wanted else None
    ...
    ...         return y, pullback
    >>> net = Network([Dense(8), Sine(3.0), Dense(1)], loss="mean_squared_error", seed=0)
    >>> net.build(2).predict(np.zeros((1, 2))).shape
    (1, 1)
    """

    name: str | None

    #: Whether the layer leaves axes as they are, whatever they mean.
    keeps_axes: ClassVar[bool] = False

    #: Class names of the layers that may stand before this one, if it must stand at the input.
    follows: ClassVar[tuple[str, ...] | None] = None

    #: Whether the layer normalises its inputs by statistics of a batch or of a row.
    normalizes: ClassVar[bool] = False

    @property
    def adapts(self) -> bool:
        """True if the layer learns statistics of the training data before the first step."""
        return False

    def normalized_columns(self, input_shape: tuple[int, ...]) -> int | None:
        """Return the number of columns that the layer normalises, each by its own statistics.

        None for layers that do not normalise columns.
        """
        return None

    def check_input(self, name: str, x: np.ndarray, dtype: np.dtype) -> None:
        """Raise `ArgumentError` for values of X that a layer at the input cannot take.

        Called with the layer's name and the user's X (n, …) whenever there is a new one.
        """

    def adapt(
        self, pieces: Iterable[np.ndarray], input_shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Compute the values of buffers from the training rows, float64 pieces (n, …).

        One of the buffers is called "count": 0 as long as nothing has been learned.
        """
        raise NotImplementedError

    # Layers that have parameters declare these two as fields.

    #: False freezes the parameters.
    trainable: bool = True

    #: Factor of the learning rate for the parameters.
    learning_rate_multiplier: float = 1.0

    @property
    def declared_input(self) -> tuple[int, ...] | None:
        """The shape of the input if the user stated it."""
        return getattr(self, "input_shape", None)

    def input_view(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape as which the layer takes rows of the user's X of this shape.

        Asked for the first layer that does not leave axes as they are. Another shape of as many
        elements adds axes that X lacks, such as that of a single channel.
        """
        return input_shape

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the output; raise `ArgumentError` for an input that does not fit."""
        return input_shape

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        """Return the arrays to learn."""
        return ()

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        """Return the arrays to keep that no gradient moves, such as running statistics."""
        return ()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        """Emit the forward ops; return the output and the function that emits the backward ops.

        `parameters` holds the layer's parameters and buffers by name. `index` is the layer's place
        in the network; it selects its random stream.
        """
        raise NotImplementedError

    def check_name(self) -> None:
        """Raise an error for a name that is no text, or that files or tables cannot show."""
        if self.name is None:
            return
        if not isinstance(self.name, str):
            raise ArgumentTypeError(f"name must be a string, got {self.name!r}")
        if not self.name or "/" in self.name or not self.name.isprintable():
            raise ArgumentError(
                f"name must be printable, not empty, and without '/', got {self.name!r}"
            )

    def _check_training(self) -> None:
        """Check the fields `trainable` and `learning_rate_multiplier`."""
        multiplier = checks.number(
            "learning_rate_multiplier", self.learning_rate_multiplier, low=0, open_low=True
        )
        self._set_fields(
            trainable=checks.boolean("trainable", self.trainable),
            learning_rate_multiplier=multiplier,
        )

    def _check_regularization(self, *names: str) -> None:
        """Check the strengths that are given; None takes the network's."""
        for name in names:
            value = getattr(self, name)
            if value is not None:
                self._set_fields(**{name: checks.number(name, value, low=0)})


class ShapedLayer(Layer, listed=False):
    """Base of the layers that have the fields `input_shape` and `name`.

    Subclasses declare the two themselves: the order of fields is that of signatures and files.
    """

    input_shape: tuple[int, ...] | None

    def __post_init__(self) -> None:
        if self.input_shape is not None:
            self._set_fields(input_shape=checks.shape("input_shape", self.input_shape))
        self.check_name()
