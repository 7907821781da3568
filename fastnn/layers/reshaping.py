"""Layers that give a row's elements other axes, or another order of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Permute", "Reshape"]

#: Axes of a row that the kernel puts into order.
MOST_AXES = 3


@dataclass(frozen=True)
class Reshape(ShapedLayer):
    """Give the elements of each row other axes, in C order; costs nothing.

    Parameters
    ----------
    target_shape : int or tuple of int
        Shape of one row; one of the sizes may be −1, which stands for what is left.
    input_shape : tuple of int, optional
        Shape of one row of the input, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: a size is neither positive nor a single −1. From `Network.build` and
        `Network.fit`: the numbers of elements differ.

    Examples
    --------
    >>> from fastnn import Reshape
    >>> Reshape((28, 28, 1)).output_shape((784,)), Reshape((-1, 4)).output_shape((12,))
    ((28, 28, 1), (3, 4))
    """

    target_shape: Any
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        given = self.target_shape
        values = given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
        if not values:
            raise ArgumentError("target_shape must hold at least one size, got ()")
        sizes = tuple(checks.integer("target_shape", size, low=-1) for size in values)
        if sizes.count(-1) > 1 or 0 in sizes:
            raise ArgumentError(
                f"target_shape must hold positive sizes and at most one -1, got {given!r}"
            )
        self._set_fields(target_shape=sizes)
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        elements, known = math.prod(input_shape), math.prod(n for n in self.target_shape if n > 0)
        free = -1 in self.target_shape
        if elements % known or (not free and elements != known):
            raise ArgumentError(
                f"Reshape makes rows of shape {self.target_shape}, but its input of shape "
                f"{input_shape} has {elements} elements"
            )
        return tuple(elements // known if n < 0 else n for n in self.target_shape)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            return dy.reshaped(x.shape) if need_dx else None

        return x.reshaped(self.output_shape(x.shape)), pullback


@dataclass(frozen=True)
class Permute(ShapedLayer):
    """Put the axes of each row into another order.

    Parameters
    ----------
    dims : tuple of int
        For each axis of the output, the axis of the input, counted from 1; at most three.
    input_shape : tuple of int, optional
        Shape of one row of the input, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: dims are not 1, 2 … in some order. From `Network.build` and
        `Network.fit`: the input has another number of axes.

    Examples
    --------
    >>> from fastnn import Permute
    >>> Permute((3, 1, 2)).output_shape((28, 30, 3))
    (3, 28, 30)
    """

    dims: tuple[int, ...]
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dims, Sequence) or isinstance(self.dims, str):
            raise ArgumentTypeError(f"dims must be a tuple of axes, got {self.dims!r}")
        dims = tuple(checks.integer("dims", dim, low=1, high=MOST_AXES) for dim in self.dims)
        if not dims or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ArgumentError(f"dims must hold 1, 2 … in some order, got {self.dims!r}")
        self._set_fields(dims=dims)
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != len(self.dims):
            raise ArgumentError(
                f"Permute has dims={self.dims}, but its input has shape {input_shape}"
            )
        return tuple(input_shape[dim - 1] for dim in self.dims)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        missing = MOST_AXES - len(self.dims)
        order = (*range(missing), *(dim - 1 + missing for dim in self.dims))
        back = tuple(order.index(axis) for axis in range(MOST_AXES))
        y = builder.activation(self.output_shape(x.shape))

        def whole(ref: Ref) -> Ref:
            return ref.reshaped((*(1,) * missing, *ref.shape))

        builder.emit("forward", "permute", whole(y), whole(x), *order)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if not need_dx:
                return None
            dx = builder.gradient(x.shape)
            builder.emit("backward", "permute", whole(dx), whole(dy), *back)
            return dx

        return y, pullback
