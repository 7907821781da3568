"""What a row of the kernel table is made of; `fastnn.kernels.spec` has the table."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import reference

Dims = Mapping[str, int]


@dataclass(frozen=True)
class Array:
    """One array argument.

    `shape` names its dimensions, ``"B O"``; ``"*"`` is any shape, the same for all ``"*"`` of the
    kernel, and ``"bits(*)"`` or ``"bits(B O)"`` one bit for each element of such a shape, in whole
    bytes. `dtype` is "real", the name of a NumPy dtype, or "target": a real array, or int64 class
    numbers when 1-D.
    `values` says how tests and benchmarks fill it.
    """

    shape: str
    access: str = "r"  # "r" read, "w" written, "rw" updated
    optional: bool = False
    dtype: str = "real"
    values: str = "normal"  # small, positive, unit, labels, counts, codes, rows, any

    @property
    def written(self) -> bool:
        return "w" in self.access


@dataclass(frozen=True)
class Kernel:
    """One row of the table.

    Attributes
    ----------
    name : str
    arrays : dict of str to Array
    scalars : tuple of dict
        Settings of the other arguments that tests and benchmarks run; also their names.
    flops : callable
        Arithmetic operations for given dimensions; exp, log, tanh and square roots count as 1.
    tolerance : callable
        Largest error for given dimensions, in units of the dtype's epsilon.
    relative_to : str
        What an error is compared with: "element" (each value by its own size, at least 1e-3 of the
        largest), "array" (the largest value of the array: sums whose terms may cancel) or the name
        of an array (each value by the larger of its own size and that of the element there).
    in_place : tuple of (str, str)
        Pairs (written, read) that may be one and the same array. Any other overlap is refused.
    """

    name: str
    arrays: dict[str, Array]
    scalars: tuple[dict[str, Any], ...]
    flops: Callable[[Dims], float]
    tolerance: Callable[[Dims], float] = field(default=lambda d: 8)
    relative_to: str = "element"
    in_place: tuple[tuple[str, str], ...] = ()

    @property
    def signature(self) -> inspect.Signature:
        return inspect.signature(getattr(reference, self.name))

    @property
    def returns_value(self) -> bool:
        """Whether the kernel returns a float (losses, penalties, counts)."""
        return self.signature.return_annotation is not inspect.Signature.empty

    def bytes_moved(self, dims: Dims, itemsize: int) -> int:
        """Bytes read plus bytes written, each array counted once per direction."""
        sizes = {"real": itemsize, "target": 8, "uint8": 1, "uint32": 4, "int64": 8}
        return sum(
            array_size(array.shape, dims) * sizes[array.dtype] * len(array.access)
            for array in self.arrays.values()
        )


def array_size(shape: str, dims: Dims) -> int:
    """Number of elements of a shape such as "B O", "*" or "bits(*)"."""
    if shape.startswith("bits("):
        return (array_size(shape[5:-1], dims) + 7) // 8
    return math.prod(dims[d] for d in shape.split())


def per_element(count: float) -> Callable[[Dims], float]:
    return lambda d: count * d["*"]


#: Seeds and offsets to draw random numbers with.
SEEDS = (
    {"seed": 0, "offset": 0},
    {"seed": 0xA4093822299F31D0, "offset": (5 << 48) | 123_456_789_012},
)
