"""A plan laid out as the records that the C executor reads (csrc/executor/executor.h)."""

from __future__ import annotations

import math
import struct
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from ..augmentation.pipeline import Transform
from ..ir.per_step import PerStep
from ..ir.program import STAGES, ClippedTo, Op, PerWeight, Plan, Ref, Region, Result, StateValue
from ..kernels.functions import UserFunction
from ..kernels.slots import ArraySlot, ScalarSlot, argument_slots, slot_counts

TRANSFORM = np.dtype(
    [("function", "u8"), ("settings", "u8"), ("column", "i8"), ("out", "u8"), ("cost", "f8")]
)

NOWHERE = 0  # the region of an argument that is None; the others follow `Region`
CONSTANT, SEED, PER_STEP, CLIPPED_TO, ARRAY_CLIPPED_TO, PER_WEIGHT = range(6)
NO_RESULT = 0  # the others follow `Result`


def region_number(region: Region) -> int:
    """Return the number of a region in C, where 0 is nowhere."""
    return region + 1


def encode_plan(plan: Plan, native: ModuleType) -> Any:
    """Return the plan as a program of the native back end."""
    op_type = _op_type(*native.limits())
    assert native.op_size() == op_type.itemsize
    assert native.transform_size() == TRANSFORM.itemsize
    ops = [op for stage in STAGES for op in plan.stages[stage]]
    records = np.array([_encode_op(op, plan, native) for op in ops], op_type)
    begin = np.cumsum([0] + [len(plan.stages[stage]) for stage in STAGES])
    where = plan.prediction
    prediction = region_number(where.region), where.offset, math.prod(where.shape)
    return native.Program(records, begin.tolist(), plan.dtype == np.float64, prediction)


@cache
def _op_type(arrays: int, dims: int, scalars: int) -> np.dtype:
    """Return the type of the record of one op."""
    return np.dtype(
        [
            *((name, "i8") for name in ("kernel", "result", "arrays", "dims", "scalars")),
            ("factor", "f8"),
            ("array", [("region", "i8"), ("offset", "i8")], (arrays,)),
            ("dim", [("per_row", "i8"), ("fixed", "i8")], (dims,)),
            ("scalar", [("kind", "i8"), ("value", "u8")], (scalars,)),
        ]
    )


@cache
def _codes(native: ModuleType) -> tuple[dict[str, int], dict[str, int]]:
    """Return the numbers of kernels and of activations."""
    kernels = {name: number for number, name in enumerate(native.kernel_names())}
    return kernels, {name: number for number, name in enumerate(native.activations())}


def _encode_op(op: Op, plan: Plan, native: ModuleType) -> tuple[Any, ...]:
    """Return the record of one op."""
    assert isinstance(op.kernel, str)
    numbers, activations = _codes(native)
    most_arrays, most_dims, most_scalars = native.limits()
    arrays = [(NOWHERE, 0)] * most_arrays
    dims = [(0, 0)] * most_dims
    scalars = [(CONSTANT, 0)] * most_scalars
    for slot in argument_slots(op.kernel):
        argument = op.arguments.get(slot.name, slot.default)
        if isinstance(slot, ScalarSlot):
            value = activations[argument] if isinstance(argument, str) else argument
            scalars[slot.slot] = _scalar(value, plan)
        elif argument is not None:
            labels = slot.array.dtype == "target" and argument.dtype.kind == "i"
            arrays[slot.slot + labels] = region_number(argument.region), argument.offset
            if not slot.array.is_mask:
                for dim, extent in zip(slot.dims, _extents(slot, argument), strict=False):
                    dims[dim] = extent
    result = NO_RESULT if op.result is None else op.result + 1
    return numbers[op.kernel], result, *slot_counts(op.kernel), op.factor, arrays, dims, scalars


def encode_transform(record: Any, transform: Transform, out: np.ndarray, column: int) -> None:
    """Fill in the record of a transform that writes `out`; the caller keeps both alive.

    `column` of the table of steps has the offset of its random numbers.
    """
    record["function"], record["cost"] = transform.function.address, transform.cost
    record["settings"], record["out"] = transform.settings.ctypes.data, out.ctypes.data
    record["column"] = column


def _extents(slot: ArraySlot, ref: Ref) -> list[tuple[int, int]]:
    """Return (per row, fixed) of each dimension of an array; class numbers have no columns."""
    if slot.array.shape == "*":
        size = math.prod(ref.shape)
        return [(size * ref.per_row, 0) if ref.per_row else (0, size)]
    rows = [(ref.per_row, 0)] if ref.per_row else []
    return rows + [(0, n) for n in ref.shape]


def _scalar(value: Any, plan: Plan) -> tuple[int, int]:
    """Return (kind, bits) of a number, of a function's address, or of what the run tells.

    The plan holds the function itself, and so keeps its code alive.
    """
    if isinstance(value, float):  # most are
        return CONSTANT, _bits(value)
    match value:
        case PerStep():
            return PER_STEP, plan.per_step.operands.index(value)
        case UserFunction():
            return CONSTANT, value.address(plan.dtype)
        case StateValue.SEED:
            return SEED, 0
        case ClippedTo(limit, Result.SQUARED_NORM):
            return CLIPPED_TO, _bits(limit)
        case ClippedTo(limit):
            return ARRAY_CLIPPED_TO, _bits(limit)
        case PerWeight(strength):
            return PER_WEIGHT, _bits(strength)
    return CONSTANT, int(value) % 2**64  # the two's complement of a negative number


def _bits(value: float) -> int:
    return struct.unpack("Q", struct.pack("d", value))[0]
