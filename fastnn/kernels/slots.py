"""The places of a kernel's arguments in a call of C; csrc/table/kernels.def has the other side.

Arrays and scalars take theirs in the order of the signature, dimensions in that of the alphabet. A
target takes two: one for values, and the next one for class numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from .contract import SCALARS
from .functions import UserFunction
from .table import KERNELS, Array


@dataclass(frozen=True)
class ArgumentSlot:
    """The place of one argument: array slot `slot`, or scalar slot `slot` where `array` is None.

    Attributes
    ----------
    name : str
    position : int
        In the signature.
    slot : int
    default : object
        What the signature says, `inspect.Parameter.empty` where it says nothing.
    array : Array or None
    dims : tuple of int
        Places of the dimensions of the array's shape, or of the shape that a mask has bits for.
    kind : str or type
        Of a scalar, see `fastnn.kernels.contract.Scalar`.
    """

    name: str
    position: int
    slot: int
    default: Any
    array: Array | None = None
    dims: tuple[int, ...] = ()
    kind: str | type[UserFunction] = ""


@cache
def argument_slots(kernel: str) -> tuple[ArgumentSlot, ...]:
    """Return the places of the arguments of a kernel, in the order of its signature."""
    row = KERNELS[kernel]
    dimensions = sorted({name for array in row.arrays.values() for name in array.dimensions})
    slots = []
    arrays = scalars = 0
    for position, (name, parameter) in enumerate(row.signature.parameters.items()):
        array = row.arrays.get(name)
        if array is None:
            kind = SCALARS[name].kind
            slots.append(ArgumentSlot(name, position, scalars, parameter.default, kind=kind))
            scalars += 1
        else:
            dims = tuple(map(dimensions.index, array.dimensions))
            slots.append(ArgumentSlot(name, position, arrays, parameter.default, array, dims))
            arrays += 2 if array.dtype == "target" else 1
    return tuple(slots)


@cache
def slot_counts(kernel: str) -> tuple[int, int, int]:
    """Return the numbers of array slots, dimensions and scalar slots that a kernel takes."""
    slots = argument_slots(kernel)
    arrays = [slot for slot in slots if slot.array is not None]
    targets = sum(slot.array.dtype == "target" for slot in arrays)
    dims = {dim for slot in arrays for dim in slot.dims}
    return len(arrays) + targets, len(dims), len(slots) - len(arrays)


def in_order_of_checks(slots: tuple[ArgumentSlot, ...]) -> list[ArgumentSlot]:
    """Return the slots of arrays: inputs set the sizes that outputs must have, both those of masks."""
    arrays = [slot for slot in slots if slot.array is not None]
    return sorted(arrays, key=lambda slot: (slot.array.is_mask, slot.array.written))
