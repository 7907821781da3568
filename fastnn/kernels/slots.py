"""The places of a kernel's arguments in a call of C; csrc/table/kernels.def has the other side.

Arrays and scalars take theirs in the order of the signature, dimensions in that in which the arrays
name them. A target takes two: one for values, and the next one for class numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from .contract import SCALARS, Scalar
from .table import KERNELS, Array


@dataclass(frozen=True)
class ScalarSlot:
    """The place of a scalar argument.

    Attributes
    ----------
    name : str
    position : int
        In the signature.
    default : object
        The default in the signature, `inspect.Parameter.empty` without one.
    slot : int
    scalar : Scalar
    """

    name: str
    position: int
    default: Any
    slot: int
    scalar: Scalar


@dataclass(frozen=True)
class ArraySlot:
    """The place of an array argument; attributes not named here are those of a `ScalarSlot`.

    Attributes
    ----------
    array : Array
    dims : tuple of int
        Places of the dimensions of its shape, or of the shape that a mask has bits for.
    """

    name: str
    position: int
    default: Any
    slot: int
    array: Array
    dims: tuple[int, ...]


@cache
def argument_slots(kernel: str) -> tuple[ArraySlot | ScalarSlot, ...]:
    """Return the places of the arguments of a kernel, in the order of its signature."""
    row = KERNELS[kernel]
    names = (name for array in row.arrays.values() for name in array.dimensions)
    dimensions = list(dict.fromkeys(names))
    slots: list[ArraySlot | ScalarSlot] = []
    arrays = scalars = 0
    for position, (name, parameter) in enumerate(row.signature.parameters.items()):
        array = row.arrays.get(name)
        if array is None:
            scalar = SCALARS[name]
            slots.append(ScalarSlot(name, position, parameter.default, scalars, scalar))
            scalars += 1
        else:
            dims = tuple(map(dimensions.index, array.dimensions))
            slots.append(ArraySlot(name, position, parameter.default, arrays, array, dims))
            arrays += 2 if array.dtype == "target" else 1
    return tuple(slots)


def array_slots(kernel: str) -> list[ArraySlot]:
    """Return the places of arrays in the order of checks.

    Inputs set the sizes that outputs must have, and both set those of masks.
    """
    slots = [slot for slot in argument_slots(kernel) if isinstance(slot, ArraySlot)]
    return sorted(slots, key=lambda slot: (slot.array.is_mask, slot.array.written))


def scalar_slots(kernel: str) -> list[ScalarSlot]:
    """Return the places of scalars."""
    return [slot for slot in argument_slots(kernel) if isinstance(slot, ScalarSlot)]


@cache
def slot_counts(kernel: str) -> tuple[int, int, int]:
    """Return the numbers of array slots, dimensions and scalar slots that a kernel takes."""
    arrays = array_slots(kernel)
    targets = sum(slot.array.dtype == "target" for slot in arrays)
    dims = {dim for slot in arrays for dim in slot.dims}
    return len(arrays) + targets, len(dims), len(scalar_slots(kernel))
