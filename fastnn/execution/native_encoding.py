"""A plan laid out as the records that the C executor reads (csrc/executor/executor.h)."""

from __future__ import annotations

import math
import struct
from array import array
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..augmentation.pipeline import Transform
from ..ir.per_step import PerStep
from ..ir.program import STAGES, ClippedTo, Op, PerWeight, Plan, Region, Result, StateValue
from ..kernels.functions import UserFunction
from ..kernels.slots import ArraySlot, ScalarSlot, argument_slots, slot_counts

TRANSFORM = np.dtype(
    [("function", "u8"), ("settings", "u8"), ("column", "i8"), ("out", "u8"), ("cost", "f8")]
)

NOWHERE = 0  # the region of an argument that is None; the others follow `Region`
CONSTANT, SEED, PER_STEP, CLIPPED_TO, ARRAY_CLIPPED_TO, PER_WEIGHT = range(6)
NO_RESULT = 0  # the others follow `Result`
HEAD = 6  # words of a record before its arrays
RESULT, FACTOR = 1, 5  # words of the head

_AS_FLOAT, _AS_INTEGER = struct.Struct("d"), struct.Struct("q")


def region_number(region: Region) -> int:
    """Return the number of a region in C, where 0 is nowhere."""
    return region + 1


def encode_plan(plan: Plan, native: ModuleType) -> Any:
    """Return the plan as a program of the native back end."""
    assert native.op_size() == 8 * (HEAD + 2 * sum(native.limits()))
    assert native.transform_size() == TRANSFORM.itemsize
    words = array("q")
    begin = [0]
    for stage in STAGES:
        ops = plan.stages[stage]
        for op in ops:
            words += _encode_op(op, plan, native)
        begin.append(begin[-1] + len(ops))
    where = plan.prediction
    prediction = region_number(where.region), where.offset, math.prod(where.shape)
    records = np.frombuffer(words, np.int64)
    return native.Program(records, begin, plan.dtype.itemsize == 8, prediction)


class _Layout(NamedTuple):
    """The record of one kernel's ops, and the words of it that depend on the op.

    Attributes
    ----------
    record : array of int64
        Without any array, dimension or scalar.
    arrays : tuple of (name, default, word, takes_labels, words of dimensions)
        In one word the region is put, in the next one the offset; those of labels follow. A mask
        has no dimensions of its own.
    shapeless : frozenset of str
        Names of the arrays of any shape, whose elements count.
    scalars : tuple of (name, default, word)
        In one word the kind is put, in the next one the value.
    """

    record: array[int]
    arrays: tuple[tuple[str, Any, int, bool, tuple[int, ...]], ...]
    shapeless: frozenset[str]
    scalars: tuple[tuple[str, Any, int], ...]


@cache
def _layout(kernel: str, native: ModuleType) -> _Layout:
    most_arrays, most_dims, most_scalars = native.limits()
    first_dim = HEAD + 2 * most_arrays
    first_scalar = first_dim + 2 * most_dims
    head = native.kernel_names().index(kernel), NO_RESULT, *slot_counts(kernel), _bits(1.0)
    nothing = (NOWHERE, 0) * most_arrays + (0, 0) * most_dims + (CONSTANT, 0) * most_scalars
    slots = argument_slots(kernel)
    array_slots = [slot for slot in slots if isinstance(slot, ArraySlot)]
    arrays = (
        (
            slot.name,
            slot.default,
            HEAD + 2 * slot.slot,
            slot.array.dtype == "target",
            () if slot.array.is_mask else tuple(first_dim + 2 * dim for dim in slot.dims),
        )
        for slot in array_slots
    )
    shapeless = (slot.name for slot in array_slots if slot.array.shape == "*")
    scalars = (
        (slot.name, slot.default, first_scalar + 2 * slot.slot)
        for slot in slots
        if isinstance(slot, ScalarSlot)
    )
    record = array("q", (*head, *nothing))
    return _Layout(record, tuple(arrays), frozenset(shapeless), tuple(scalars))


@cache
def _activations(native: ModuleType) -> dict[str, int]:
    """Return the numbers of activations."""
    return {name: number for number, name in enumerate(native.activations())}


def _encode_op(op: Op, plan: Plan, native: ModuleType) -> array[int]:
    """Return the words of the record of one op."""
    assert isinstance(op.kernel, str)
    layout, given = _layout(op.kernel, native), op.arguments
    record = layout.record[:]
    if op.result is not None:
        record[RESULT], record[FACTOR] = op.result + 1, _bits(op.factor)
    for name, default, word, takes_labels, dims in layout.arrays:
        ref = given.get(name, default)
        if ref is None:
            continue
        if takes_labels and ref.dtype.kind == "i":
            word += 2
        record[word], record[word + 1] = region_number(ref.region), ref.offset
        sizes, per_row = ref.shape, ref.per_row
        if name in layout.shapeless:
            size = math.prod(sizes)
            sizes, per_row = ((), size * per_row) if per_row else ((size,), 0)
        if per_row and dims:
            record[dims[0]], dims = per_row, dims[1:]
        for dim, size in zip(dims, sizes, strict=False):  # class numbers have no columns
            record[dim + 1] = size
    for name, default, word in layout.scalars:
        value = given.get(name, default)
        if isinstance(value, float):  # most are
            record[word + 1] = _bits(value)
        elif isinstance(value, str):
            record[word + 1] = _activations(native)[value]
        else:
            record[word], record[word + 1] = _scalar(value, plan)
    return record


def encode_transform(record: Any, transform: Transform, out: np.ndarray, column: int) -> None:
    """Fill in the record of a transform that writes `out`; the caller keeps both alive.

    `column` of the table of steps has the offset of its random numbers.
    """
    record["function"], record["cost"] = transform.function.address, transform.cost
    record["settings"], record["out"] = transform.settings.ctypes.data, out.ctypes.data
    record["column"] = column


def _scalar(value: Any, plan: Plan) -> tuple[int, int]:
    """Return (kind, bits) of a number, of a function's address, or of what the run tells.

    The plan holds the function itself, and so keeps its code alive.
    """
    match value:
        case PerStep():
            return PER_STEP, plan.per_step.operands.index(value)
        case UserFunction():
            return CONSTANT, _signed(value.address(plan.dtype))
        case StateValue.SEED:
            return SEED, 0
        case ClippedTo(limit, Result.SQUARED_NORM):
            return CLIPPED_TO, _bits(limit)
        case ClippedTo(limit):
            return ARRAY_CLIPPED_TO, _bits(limit)
        case PerWeight(strength):
            return PER_WEIGHT, _bits(strength)
    return CONSTANT, _signed(int(value))


def _signed(word: int) -> int:
    """Return the int64 that has the bits of a uint64."""
    return word - (1 << 64) if word >> 63 > 0 else word


def _bits(value: float) -> int:
    """Return the int64 that has the bits of a float64."""
    return _AS_INTEGER.unpack(_AS_FLOAT.pack(value))[0]
