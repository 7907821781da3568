"""The kernel table: what a signature cannot say.

The row of a kernel is the decorator `kernel` of its function in `fastnn.kernels.reference`. Checks,
the calls of C, tests, gradient checks and benchmarks iterate over `KERNELS`; names, order and
meaning of the arguments are those of the function.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

#: Largest stride, padding, dilation, pool or offset: products of two of them fit into 63 bits.
SPATIAL = 2**31 - 1

#: Cells of the largest window of `max_pool_fwd`, whose numbers fit into a byte.
LARGEST_WINDOW = 256

Dims = Mapping[str, int]
Scalars = Mapping[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Array:
    """One array argument.

    `shape` names its dimensions, ``"B O"``; ``"*"`` is any shape, the same for all ``"*"`` of the
    kernel, and ``"bits(*)"`` or ``"bits(B O)"`` one bit for each element of such a shape, in whole
    bytes. `dtype` is "real", the name of a NumPy dtype, or "target": a real array, or int64 class
    numbers when 1-D.
    `values` says how tests and benchmarks fill it; "index" are places in a window or an image.
    """

    shape: str
    access: str = "r"  # "r" read, "w" written, "rw" updated
    optional: bool = False
    dtype: str = "real"
    values: str = "normal"  # small, positive, unit, labels, counts, codes, rows, index, any

    @property
    def written(self) -> bool:
        """Return whether the kernel writes it."""
        return "w" in self.access

    @property
    def is_mask(self) -> bool:
        """Return whether it has one bit for each element of another array."""
        return self.shape.startswith("bits(")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Return the names of the dimensions of its shape, or of the one that it has bits for."""
        return tuple(self.shape.removeprefix("bits(").removesuffix(")").split())


@dataclass(frozen=True)
class Relation:
    """Relations between the dimensions and the scalars of a kernel, such as a window's geometry.

    Attributes
    ----------
    violation : callable
        (dims, scalars) to a text that says what does not fit, or to None.
    fit : callable
        (dims, scalars) to dimensions that fit, near those given: tests and benchmarks draw them.
    derived : tuple of str
        Dimensions that `fit` works out from the others.
    """

    violation: Callable[[Dims, Scalars], str | None]
    fit: Callable[[Dims, Scalars], dict[str, int]]
    derived: tuple[str, ...]


@dataclass(frozen=True)
class Kernel:
    """One row of the table; the arguments of `kernel` are its fields, but for the function.

    Attributes
    ----------
    function : callable
        The reference, which is the contract of the kernel.
    arrays : dict of str to Array
    scalars : tuple of dict
        Settings of the other arguments that tests and benchmarks run; also their names.
    flops : callable
        Arithmetic operations for given dimensions; exp, log, tanh and square roots count as 1.
    tolerance : callable
        Largest error for given dimensions, in units of the dtype's epsilon.
    relative_to : str
        The unit of errors: "element" (each value by its own size, at least 1e-3 of the
        largest), "array" (the largest value of the array: sums whose terms may cancel) or the name
        of an array (each value by the larger of its own size and that of the element there).
    in_place : tuple of (str, str)
        Pairs (written, read) that may be one and the same array. Any other overlap is refused.
    formula : callable, optional
        Of a loss that is a mean over outputs: (y, target, *settings) to (loss, gradient) of one.
    relation : Relation, optional
        Of dimensions that depend on each other or on scalars.
    """

    function: Callable[..., Any]
    arrays: dict[str, Array]
    flops: Callable[[Dims], float]
    scalars: tuple[dict[str, Any], ...] = ({},)
    tolerance: Callable[[Dims], float] = field(default=lambda d: 8)
    relative_to: str = "element"
    in_place: tuple[tuple[str, str], ...] = ()
    formula: Callable[..., Any] | None = None
    relation: Relation | None = None

    @property
    def name(self) -> str:
        """Return the name of the reference function."""
        return self.function.__name__

    @cached_property
    def signature(self) -> inspect.Signature:
        """Return the signature of the reference function."""
        return inspect.signature(self.function)

    @property
    def returns_value(self) -> bool:
        """Return whether the kernel returns a float (losses, penalties, counts)."""
        return self.signature.return_annotation is not inspect.Signature.empty

    @property
    def common_shape(self) -> str | None:
        """Return the shape of all arrays, where it is the same."""
        shapes = {array.shape for array in self.arrays.values()}
        return shapes.pop() if len(shapes) == 1 else None

    def bytes_moved(self, dims: Dims, itemsize: int) -> int:
        """Return the bytes read plus the bytes written, each array once per direction."""
        sizes = {"real": itemsize, "target": 8, "uint8": 1, "uint32": 4, "int64": 8}
        return sum(
            array_size(array.shape, dims) * sizes[array.dtype] * len(array.access)
            for array in self.arrays.values()
        )


#: Every kernel, by name; `fastnn.kernels.reference` fills it.
KERNELS: dict[str, Kernel] = {}


def kernel(
    arrays: dict[str, Array], flops: Callable[[Dims], float], **row: Any
) -> Callable[[F], F]:
    """Enter a reference function in the table; `row` are the other fields of a `Kernel`."""

    def enter(function: F) -> F:
        KERNELS[function.__name__] = Kernel(function, arrays, flops, **row)
        return function

    return enter


def array_size(shape: str, dims: Dims) -> int:
    """Return the number of elements of a shape such as "B O", "*" or "bits(*)"."""
    if shape.startswith("bits("):
        return (array_size(shape[5:-1], dims) + 7) // 8
    return math.prod(dims[d] for d in shape.split())


def per(shape: str, count: float) -> Callable[[Dims], float]:
    """Return the operations of a kernel that does `count` for each element of a shape."""
    return lambda d: count * array_size(shape, d)


#: Seeds and offsets to draw random numbers with.
SEEDS = (
    {"seed": 0, "offset": 0},
    {"seed": 0xA4093822299F31D0, "offset": (5 << 48) | 123_456_789_012},
)
