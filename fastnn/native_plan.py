"""A plan laid out as the records that the C executor reads: csrc/executor.h has the structures."""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from .kernels.functions import UserFunction
from .kernels.spec import KERNELS, Kernel
from .plan import STAGES, Op, Plan, Ref, Region, Result, StateValue, StreamOffset

MAX_ARRAYS, MAX_DIMS, MAX_SCALARS = 8, 3, 6

OP = np.dtype(
    [
        ("kernel", "i8"),
        ("result", "i8"),
        ("array", [("region", "i8"), ("offset", "i8")], (MAX_ARRAYS,)),
        ("dim", [("per_row", "i8"), ("fixed", "i8")], (MAX_DIMS,)),
        ("scalar", [("kind", "i8"), ("value", "u8")], (MAX_SCALARS,)),
    ]
)

NOWHERE = 0  # the region of an argument that is None; the others follow `Region`
CONSTANT, SEED, LEARNING_RATE, NEXT_STEP, STREAM_OFFSET = range(5)
RESULT = {None: 0, Result.LOSS: 1, Result.NONFINITE: 2}
STATE = {
    StateValue.SEED: SEED,
    StateValue.LEARNING_RATE: LEARNING_RATE,
    StateValue.NEXT_STEP: NEXT_STEP,
}


def region_number(region: Region) -> int:
    """The number of a region in C, where 0 is nowhere."""
    return region + 1


def python_ops(plan: Plan) -> list[Op]:
    """The ops that C does not have, but a layer of the user brings as Python functions."""
    return [op for ops in plan.stages.values() for op in ops if not isinstance(op.kernel, str)]


def program(plan: Plan, native: ModuleType) -> Any:
    """The plan as a program of the native back end."""
    assert native.op_size() == OP.itemsize
    ops = [op for stage in STAGES for op in plan.stages[stage]]
    records = np.zeros(len(ops), OP)
    for record, op in zip(records, ops, strict=True):
        _lay_out(record, op, plan.dtype, native)
    begin = np.cumsum([0] + [len(plan.stages[stage]) for stage in STAGES])
    where = plan.prediction
    prediction = region_number(where.region), where.offset, math.prod(where.shape)
    return native.Program(records, begin.tolist(), plan.dtype == np.float64, prediction)


@cache
def _codes(native: ModuleType) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers of kernels and of activations."""
    kernels = {name: number for number, name in enumerate(native.kernel_names())}
    return kernels, {name: number for number, name in enumerate(native.activations())}


def _lay_out(record: np.void, op: Op, dtype: np.dtype, native: ModuleType) -> None:
    """Arrays and scalars go in the order of the signature; see kernels.def."""
    assert isinstance(op.kernel, str)
    kernel = KERNELS[op.kernel]
    numbers, activations = _codes(native)
    record["kernel"], record["result"] = numbers[op.kernel], RESULT[op.result]
    dims = {letter: number for number, letter in enumerate(_dimensions(kernel))}
    arrays = scalars = 0
    for name, argument in zip(kernel.signature.parameters, op.arguments, strict=False):
        row = kernel.arrays.get(name)
        if row is None:
            value = activations[argument] if isinstance(argument, str) else argument
            record["scalar"][scalars] = _scalar(value, dtype)
            scalars += 1
            continue
        if argument is not None:
            # Class numbers and values have a place each.
            place = arrays + (row.dtype == "target" and argument.dtype.kind == "i")
            record["array"][place] = region_number(argument.region), argument.offset
            for letter, extent in _extents(row.shape, argument).items():
                record["dim"][dims[letter]] = extent
        arrays += 2 if row.dtype == "target" else 1


@cache
def _dimensions_of(name: str) -> tuple[str, ...]:
    shapes = (_letters(row.shape) for row in KERNELS[name].arrays.values())
    return tuple(sorted({letter for letters in shapes for letter in letters}))


def _dimensions(kernel: Kernel) -> tuple[str, ...]:
    """The letters of a kernel's dimensions, in the order in which C takes them: alphabetical."""
    return _dimensions_of(kernel.name)


def _letters(shape: str) -> list[str]:
    return [] if shape.startswith("bits") else shape.split()


def _extents(shape: str, ref: Ref) -> dict[str, tuple[int, int]]:
    """(per row, fixed) of each dimension of an array."""
    letters = _letters(shape)
    if letters == ["*"]:
        size = math.prod(ref.shape)
        return {"*": (size, 0) if ref.per_row else (0, size)}
    rows = {letters[0]: (1, 0)} if ref.per_row and letters else {}
    others = letters[len(rows) :]
    # Class numbers are a target without columns.
    return rows | {letter: (0, n) for letter, n in zip(others, ref.shape, strict=False)}


def _scalar(value: Any, dtype: np.dtype) -> tuple[int, int]:
    """(kind, bits) of a number, a value that the state of the run holds, or a function's address.

    The plan holds the function itself, and so keeps its code alive.
    """
    if isinstance(value, UserFunction):
        return CONSTANT, value.address(dtype)
    if isinstance(value, StateValue):
        return STATE[value], 0
    if isinstance(value, StreamOffset):
        return STREAM_OFFSET, value.stream
    if isinstance(value, float):
        return CONSTANT, int(np.float64(value).view(np.uint64))
    return CONSTANT, int(value)
