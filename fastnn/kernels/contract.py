"""Checks of a kernel's arguments, made from the table and the same for every back end.

They run before a kernel does, so a refused call has changed nothing. The first array that names a
dimension determines its size, and the first real array the dtype.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from .functions import ElementFunction, RowGradient, RowLoss, SlopeFunction, UserFunction
from .reference import ACTIVATIONS
from .table import KERNELS, SPATIAL, Array, Kernel, array_size

REAL = (np.dtype(np.float32), np.dtype(np.float64))
LABEL = np.dtype(np.int64)

ScalarCheck = Callable[[str, Any], Any]
Sizes = dict[str, Any]  # dimension -> size; "*" -> shape


class Scalar(NamedTuple):
    """A scalar argument: how C holds it, its check, and the range of what the check returns.

    `kind` is "real", "integer" (signed), "boolean", "word" (unsigned), "activation", or the class
    of a function of the user. Numbers have a range, ends included.
    """

    kind: str | type[UserFunction]
    check: ScalarCheck
    lowest: float = 0
    highest: float = 0


def _check_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    if type(value) is int and low <= value and (high is None or value <= high):
        return value
    return checks.integer(name, value, low=low, high=high)


def _check_limit(name: str, value: Any) -> float:
    """Return a positive number; infinity is no limit."""
    if isinstance(value, numbers.Real) and value == math.inf:
        return math.inf
    return _positive.check(name, value)


def _check_activation(name: str, value: Any) -> str:
    checks.one_of(name, value, ACTIVATIONS)
    return value


def _check_function(kind: type[UserFunction], name: str, value: Any) -> UserFunction:
    if type(value) is not kind:
        raise ArgumentTypeError(f"{name} must be a {kind.__name__}, got {value!r}")
    return value


def _real(
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> Scalar:
    """Return a finite number between two others."""
    lowest = math.nextafter(low, math.inf) if open_low or math.isinf(low) else low
    highest = math.nextafter(high, -math.inf) if open_high or math.isinf(high) else high

    def check_real(name: str, value: Any) -> float:
        if type(value) is float and lowest <= value <= highest:
            return value
        return checks.number(
            name, value, low=low, high=high, open_low=open_low, open_high=open_high
        )

    return Scalar("real", check_real, lowest, highest)


def _integer(low: int, high: int | None = None) -> Scalar:
    check = partial(_check_integer, low=low, high=high)
    return Scalar("integer", check, low, 2**63 - 1 if high is None else high)


def _function(kind: type[UserFunction]) -> Scalar:
    return Scalar(kind, partial(_check_function, kind))


_not_negative = _real(low=0.0)
_positive = _real(low=0.0, open_low=True)
_share = _real(low=0.0, high=1.0)
_decay = _real(low=0.0, high=1.0, open_high=True)
_word = Scalar("word", partial(_check_integer, low=0, high=2**64 - 1), 0, 2**64 - 1)

#: Scalar arguments by name, which mean the same in every kernel.
SCALARS: dict[str, Scalar] = {
    "activation": Scalar("activation", _check_activation),
    "at": _integer(0),
    "beta1": _decay,
    "beta2": _decay,
    "column": _integer(0),
    "count": _integer(1, 2**31),
    "derivative": _function(SlopeFunction),
    "clip": Scalar("real", _check_limit, _positive.lowest, math.inf),
    "delta": _positive,
    "dilation_h": _integer(1, SPATIAL),
    "dilation_w": _integer(1, SPATIAL),
    "eps": _not_negative,
    "factor": _real(),
    "first": _integer(0, 2),
    "function": _function(ElementFunction),
    "groups": _integer(1),
    "l1": _not_negative,
    "l2": _not_negative,
    "label_smoothing": _share,
    "left": _integer(-SPATIAL, SPATIAL),
    "limit": _positive,
    "lr": _real(),
    "momentum": _share,
    "momentum_decay": _not_negative,
    "nesterov": Scalar("boolean", checks.boolean),
    "offset": _word,
    "pad_h": _integer(0, SPATIAL),
    "pad_w": _integer(0, SPATIAL),
    "pool_h": _integer(1, SPATIAL),
    "pool_w": _integer(1, SPATIAL),
    "rate": _decay,
    "rho": _decay,
    "row_gradient": _function(RowGradient),
    "row_loss": _function(RowLoss),
    "scale": _not_negative,
    "second": _integer(0, 2),
    "seed": _word,
    "size_h": _integer(1, SPATIAL),
    "size_w": _integer(1, SPATIAL),
    "stddev": _not_negative,
    "stride_h": _integer(1, SPATIAL),
    "stride_w": _integer(1, SPATIAL),
    "t": _integer(1),
    "third": _integer(0, 2),
    "top": _integer(-SPATIAL, SPATIAL),
    "weight_decay": _not_negative,
}


class Selection(NamedTuple):
    """Numbers in an array argument that select rows of a table.

    `column` is the argument with their column, of numbers that may not be -1 for no row. Without a
    table, the argument `count` has the number of its rows.
    """

    array: str
    column: str | None
    table: str | None


def selection(kernel: Kernel) -> Selection | None:
    """Return which argument of a kernel selects rows, None where none does."""
    tables = (name for name, row in kernel.arrays.items() if row.shape == "N D")
    for name, row in kernel.arrays.items():
        if row.values in ("codes", "rows"):
            return Selection(name, "column" if row.values == "codes" else None, next(tables, None))
    return None


def bind(kernel: Kernel, arguments: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the arguments of a call in the order of the signature, with defaults.

    Raises
    ------
    TypeError
        One is missing, unknown, or given twice.
    """
    try:
        bound = kernel.signature.bind(*arguments, **named)
    except TypeError as error:
        raise TypeError(f"{kernel.name}() {error}") from None
    bound.apply_defaults()
    return bound.args


def check(kernel: Kernel, arguments: Sequence[Any]) -> list[Any]:
    """Return the arguments in the order of the signature, with scalars as Python numbers.

    Raises
    ------
    ArgumentTypeError
        An argument is of the wrong type or dtype.
    ArgumentError
        An array has the wrong shape or layout, is read-only though written, or overlaps another;
        or a scalar lies outside its range.
    """
    arrays, scalars, pairs, z_position, selected = _plan(kernel.name)
    checked = list(arguments)
    for position, name, scalar_check in scalars:
        checked[position] = scalar_check(name, checked[position])
    if z_position is not None and checked[z_position] is None:
        _check_z_not_needed(checked[scalars[0][0]])
    sizes = _check_arrays(arrays, checked)
    if kernel.relation is not None:
        _check_relation(kernel, sizes, checked)
    if selected:
        _check_selection(selected, dict(zip(kernel.signature.parameters, checked, strict=True)))
    for (i, first), (j, second), may_be_same in pairs:
        a, b = checked[i], checked[j]
        # the bounds that NumPy compares are exact for contiguous arrays
        if a is not None and b is not None and np.may_share_memory(a, b):
            _check_overlap(first, second, a, b, may_be_same)
    return checked


class _Plan(NamedTuple):
    """The arguments to check, by position in the signature."""

    arrays: list[tuple[int, str, Array]]
    scalars: list[tuple[int, str, ScalarCheck]]
    pairs: list[tuple[tuple[int, str], tuple[int, str], bool]]  # with a written array; may be same
    z_position: int | None  # of a pre-activation that is read
    selected: Selection | None


@cache
def _plan(kernel_name: str) -> _Plan:
    kernel = KERNELS[kernel_name]
    names = list(kernel.signature.parameters)
    arrays = [
        (i, name, kernel.arrays[name]) for i, name in enumerate(names) if name in kernel.arrays
    ]
    scalars = [(i, name, SCALARS[name].check) for i, name in enumerate(names) if name in SCALARS]
    pairs = [
        ((i, first), (j, second), (first, second) in kernel.in_place)
        for (i, first, row), (j, second, other) in itertools.combinations(arrays, 2)
        if row.written or other.written
    ]
    z = kernel.arrays.get("z")
    reads_z = z is not None and z.optional and not z.written
    z_position = names.index("z") if reads_z else None
    return _Plan(arrays, scalars, pairs, z_position, selection(kernel))


def _check_z_not_needed(activation: str) -> None:
    if ACTIVATIONS[activation].needs_z:
        raise ArgumentTypeError(f"z must be an array for activation {activation!r}, got None")


def _check_arrays(arrays: list[tuple[int, str, Array]], arguments: list[Any]) -> Sizes:
    """Check the arrays; return the sizes of their dimensions."""
    sizes: Sizes = {}
    real: tuple[str, np.dtype] | None = None
    for position, name, row in arrays:
        array = arguments[position]
        if array is None:
            if not row.optional:
                raise ArgumentTypeError(f"{name} must be an array, got None")
            continue
        _check_layout(name, row, array)
        labels = row.dtype == "target" and array.ndim == 1
        if labels:
            _check_dtype(name, array, LABEL)
        elif row.dtype in ("real", "target"):
            real = _check_real_dtype(name, array, real)
        else:
            _check_dtype(name, array, np.dtype(row.dtype))
        _check_shape(name, array.shape, "B" if labels else row.shape, sizes)
        if labels:
            _check_labels(name, array, sizes["C"])
    return sizes


def _check_layout(name: str, row: Array, array: Any) -> None:
    if type(array) is not np.ndarray and not isinstance(array, np.memmap):
        raise ArgumentTypeError(f"{name} must be a numpy.ndarray, got {type(array).__name__}")
    flags = array.flags
    if flags.carray:
        return
    if not flags.c_contiguous:
        raise ArgumentError(
            f"{name} must be C-contiguous, got strides {array.strides} for shape {array.shape}; "
            "np.ascontiguousarray makes a copy that is"
        )
    if not flags.aligned:
        raise ArgumentError(f"{name} must be aligned to its {array.itemsize}-byte items")
    if row.written and not flags.writeable:
        raise ArgumentError(f"{name} is written by this kernel, got a read-only array")


def _check_dtype(name: str, array: np.ndarray, expected: np.dtype) -> None:
    if array.dtype != expected:
        raise ArgumentTypeError(f"{name} must have dtype {expected}, got {array.dtype}")


def _check_real_dtype(
    name: str, array: np.ndarray, first: tuple[str, np.dtype] | None
) -> tuple[str, np.dtype]:
    if array.dtype not in REAL:
        raise ArgumentTypeError(
            f"{name} must have dtype float32 or float64 in native byte order, got {array.dtype}"
        )
    if first is None:
        return name, array.dtype
    if array.dtype != first[1]:
        raise ArgumentTypeError(
            f"{name} has dtype {array.dtype}, but {first[0]} has {first[1]}: "
            "real arrays of one call share one dtype"
        )
    return first


def _check_shape(name: str, shape: tuple[int, ...], dims: str, sizes: Sizes) -> None:
    if dims == "*":
        expected = sizes.setdefault("*", shape)
    elif dims.startswith("bits("):
        counts = {name: math.prod(n) if name == "*" else n for name, n in sizes.items()}
        expected = (array_size(dims, counts),)
    elif len(letters := dims.split()) == len(shape):
        expected = tuple(sizes.setdefault(*pair) for pair in zip(letters, shape, strict=True))
    else:
        expected = tuple(sizes.get(letter, letter) for letter in letters)
    if shape != expected:
        raise ArgumentError(f"{name} has shape {shape}, expected {_describe(dims, expected)}")
    if sizes.get("C") == 0:
        raise ArgumentError(f"{name} has shape {shape}, expected at least one class")


def _describe(dims: str, expected: tuple[int | str, ...]) -> str:
    """Return a text such as ``(I, O) = (5, 4)``; a size not known yet keeps its letter."""
    sizes, letters = _tuple(expected), _tuple(dims.split())
    return sizes if "*" in dims or "(" in dims or sizes == letters else f"{letters} = {sizes}"


def _tuple(items: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, items))}{',' if len(items) == 1 else ''})"


def _check_labels(name: str, labels: np.ndarray, classes: int) -> None:
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        row = int(np.argmax((labels < 0) | (labels >= classes)))
        raise ArgumentError(
            f"{name} must hold class numbers in [0, {classes}), got {labels[row]} in row {row}"
        )


def _check_relation(kernel: Kernel, sizes: Sizes, arguments: list[Any]) -> None:
    """Dimensions must fit each other and the scalars."""
    assert kernel.relation is not None
    given = dict(zip(kernel.signature.parameters, arguments, strict=True))
    violation = kernel.relation.violation(sizes, given)
    if violation is not None:
        raise ArgumentError(f"{kernel.name}: {violation}")


def _check_selection(selected: Selection, arguments: dict[str, Any]) -> None:
    """Numbers that select rows of a table must be some of its rows."""
    numbers = arguments[selected.array]
    count = arguments["count"] if selected.table is None else len(arguments[selected.table])
    if selected.column is None:
        _require_rows(selected.array, numbers, -1, count)
        return
    column, name = arguments[selected.column], selected.array
    if column >= numbers.shape[1]:
        raise ArgumentError(
            f"column must be below {numbers.shape[1]}, the columns of {name}, got {column}"
        )
    _require_rows(f"{name}[:, {column}]", numbers[:, column], 0, count)


def _require_rows(name: str, numbers: np.ndarray, low: int, high: int) -> None:
    wrong = ~((numbers >= low) & (numbers < high) & (numbers == np.floor(numbers)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ArgumentError(
            f"{name} must hold whole numbers in [{low}, {high}), got {numbers[row]} in row {row}"
        )


def _check_overlap(
    first: str, second: str, a: np.ndarray, b: np.ndarray, may_be_same: bool
) -> None:
    if not may_be_same:
        raise ArgumentError(f"{first} and {second} overlap in memory, expected separate arrays")
    if a.ctypes.data != b.ctypes.data:
        raise ArgumentError(
            f"{first} and {second} overlap in part, expected separate arrays or one and the same"
        )
