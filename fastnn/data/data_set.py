"""The border between the user's arrays and ours: checks, conversions, weights and splits."""

from __future__ import annotations

import math
import numbers as numeric
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..runtime.random_streams import Stream, permutation, stream_offset
from ..utils import checks
from . import frames
from .resolution import check_resolution

if TYPE_CHECKING:
    from ..compiler.architecture import Architecture


#: What batches are converted from as they are gathered; arrays of other dtypes are converted whole.
GATHERED = frozenset(map(np.dtype, ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]))


@dataclass(frozen=True)
class DataSet:
    """Rows to train on, score or predict, checked.

    Attributes
    ----------
    x : ndarray, shape (n, …), C-contiguous, one of the dtypes `GATHERED`, or SparseRows
        The user's own array wherever that is possible; a sparse matrix in the network's dtype.
    target : ndarray, shape (n,) int64 or (n, outputs) of the network's dtype, or None
    weight : ndarray, shape (n,), the network's dtype, or None
    rows : ndarray of int64, or None
        Which rows of the arrays belong to the set; None is all of them.
    """

    x: Any
    target: np.ndarray | None = None
    weight: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x) if self.rows is None else len(self.rows)

    @property
    def labels(self) -> bool:
        """Whether the targets are class numbers."""
        return self.target is not None and self.target.dtype == np.int64

    @property
    def weights(self) -> np.ndarray | None:
        """Return the weights of the rows that belong to the set; None if all weigh the same."""
        return None if self.weight is None else self.selected(self.weight)

    @property
    def targets(self) -> np.ndarray:
        """Return the targets of the rows that belong to the set."""
        assert self.target is not None
        return self.selected(self.target)

    def weighted(self, weight: np.ndarray | None) -> DataSet:
        """Return the same rows with other weights, as many as there are rows in the arrays."""
        return replace(self, weight=weight)

    def take(self, rows: np.ndarray) -> DataSet:
        """Return the same arrays, of which only the given rows count."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def selected(self, array: np.ndarray) -> np.ndarray:
        """Those rows of an array, as long as `x`, that belong to the set."""
        return array if self.rows is None else array[self.rows]


#: What to do about text, by argument.
CURES = {
    "X": "encode categories as numbers first, or let MLPClassifier(categorical_features=…) do so",
    "y": "a network's classes are numbers 0, 1, 2 …; MLPClassifier takes labels of any kind",
}


def numbers(argument: str, values: Any) -> np.ndarray:
    """Return `values` as an aligned array of finite numbers of a real dtype, in native byte order.

    Parameters
    ----------
    argument : str
        What error messages call it.
    values : array-like, or frame of pandas, Polars or PyArrow
        Arrays and columns of objects are taken if these are numbers.

    Raises
    ------
    ArgumentError
        A value is not finite, or missing; or there is none.
    ArgumentTypeError
        These are no numbers.
    """
    if hasattr(values, "tocsr") and not isinstance(values, np.ndarray):
        raise ArgumentTypeError(f"{argument} is sparse; pass {argument}.toarray()")
    values = frames.arrayable(argument, values)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ArgumentError(f"{argument} is not a rectangular array: {error}") from None
    if array.dtype.kind == "O":
        array = _numbers_of_objects(argument, values, array)
    if array.dtype.kind not in "biuf":
        raise _no_numbers(argument, values, array)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    elif not array.flags.aligned:
        array = array.copy()
    if array.ndim == 0 or array.size == 0:
        raise ArgumentError(f"{argument} must hold at least one row, got shape {array.shape}")
    if array.dtype.kind == "f":
        _require_finite(argument, array)
    return array


def _numbers_of_objects(argument: str, values: Any, array: np.ndarray) -> np.ndarray:
    """Return an array of objects, that of `values`, in float64; NaN for what is missing."""
    if any(isinstance(entry, (str, bytes)) for entry in array.flat):
        raise _no_numbers(argument, values, array)
    with suppress(TypeError, ValueError):
        return np.where(frames.missing(array), np.nan, array).astype(np.float64)
    raise _no_numbers(argument, values, array)


def _no_numbers(argument: str, values: Any, array: np.ndarray) -> ArgumentTypeError:
    """Return the error for values whose array holds no real numbers."""
    if array.dtype.kind in "OUST":
        found = frames.text(values, numerals=True)
        if found is not None:
            return ArgumentTypeError(
                f"{argument} must hold numbers, but {frames.described(argument, found)}: "
                + CURES.get(argument, "make numbers of it first")
            )
        odd = next((v for v in array.flat if not isinstance(v, numeric.Number)), None)
        return ArgumentTypeError(f"{argument} must hold numbers, got {type(odd).__name__} objects")
    return ArgumentTypeError(f"{argument} must hold numbers, got dtype {array.dtype}")


def inputs(X: Any, shape: tuple[int, ...] | None, dtype: np.dtype) -> np.ndarray:
    """X, checked and C-contiguous, for a network of `dtype`; `shape`, if given, is that of one row.

    The dtype stays as it is if batches can be gathered from it, so that bytes need not become
    floats all at once, and arrays on disk stay there.
    """
    array = numbers("X", X)
    if array.ndim == 1:
        raise ArgumentError(
            f"X must have one row per sample, got shape {array.shape}; "
            "use X.reshape(-1, 1) for one feature or X.reshape(1, -1) for one sample"
        )
    if shape is not None and array.shape[1:] != shape:
        if len(shape) == 1 and array.ndim == 2:
            raise ArgumentError(
                f"X has {array.shape[1]} features, but the network was built for {shape[0]}"
            )
        raise ArgumentError(
            f"X has rows of shape {array.shape[1:]}, but the network was built for {shape}"
        )
    if array.dtype == bool:
        return np.ascontiguousarray(array).view(np.uint8)
    if array.dtype not in GATHERED:
        return converted("X", array, dtype)
    _require_in_range("X", array, dtype)
    return np.ascontiguousarray(array)


def inputs_for(net: Architecture, X: Any) -> np.ndarray:
    """X, as `inputs` gives it, for a network whose sizes are settled."""
    x = inputs(X, net.shapes[0], net.dtype)
    net.check_inputs(x)
    return x


def data_set(
    net: Architecture, X: Any, y: Any, sample_weight: Any = None, *, training: bool = False
) -> DataSet:
    """Check and convert inputs, targets and weights together.

    Targets to train on must be told apart by the network's dtype.
    """
    x = inputs_for(net, X)
    y = numbers("y", y)
    if len(y) != len(x):
        raise ArgumentError(f"X has {len(x)} rows, but y has {len(y)}")
    _require_in_range("y", y, net.dtype)
    target = net.loss.prepare_target(y, net.shapes[-1][0], net.dtype)
    if training:
        check_targets(y, target)
    return DataSet(x, target, row_weights(net, target, sample_weight))


def check_targets(y: np.ndarray, target: np.ndarray) -> None:
    """Refuse targets y to train on if those made of them, (n, outputs), cannot tell them apart."""
    if target.dtype != np.int64:
        columns = y.size // len(y)
        check_resolution("y", [y.astype(np.float64)], columns, y.dtype, target.dtype)


def row_weights(
    net: Architecture, target: np.ndarray, sample_weight: Any, factors: np.ndarray | None = None
) -> np.ndarray | None:
    """What rows with these checked targets weigh, in the network's dtype; None is all alike.

    `factors`, from `class_factors`, are those of the classes. Only ratios of weights matter, so
    they are scaled to a largest one in [1, 2), by a power of two, which rounds nothing; but not
    where penalties are measured against their sum.
    """
    weight = None if sample_weight is None else _sample_weight(sample_weight, len(target))
    if factors is not None:
        own = factors[_class_numbers(target, net.loss.task)]
        weight = own if weight is None else weight * own
    if weight is None:
        return None
    if net.penalty_scale == "mean" and weight.any():
        weight = np.ldexp(weight, 1 - math.frexp(float(weight.max()))[1])
    return converted("sample_weight", weight, net.dtype)


def require_weight(rows: DataSet, purpose: str) -> None:
    """Raise `ArgumentError` if rows weigh nothing, as their mean loss would be 0 / 0."""
    weights = rows.weights
    if weights is not None and not weights.any():
        raise ArgumentError(f"sample_weight, times class_weight, is 0 for every row to {purpose}")


def split(data: DataSet, fraction: float, seed: int) -> tuple[DataSet, DataSet]:
    """Training and validation rows: the same for every call with as many rows and that seed."""
    train, held_out = split_rows(len(data), fraction, seed)
    return data.take(train), data.take(held_out)


def split_rows(rows: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The row numbers of `split`, ascending."""
    fraction = checks.number(
        "validation_fraction", fraction, low=0, high=1, open_low=True, open_high=True
    )
    held_out = round(rows * fraction)
    if not 0 < held_out < rows:
        raise ArgumentError(
            f"validation_fraction={fraction} of {rows} rows leaves "
            f"{rows - held_out} to train on and {held_out} to validate on"
        )
    order = permutation(rows, seed, stream_offset(Stream.SPLIT, 0))
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def converted(argument: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An array of finite numbers in C order and in `dtype`; refuses what that cannot hold."""
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, dtype)
    if result is not array and array.dtype.itemsize > dtype.itemsize:
        finite = np.isfinite(result)
        if not finite.all():
            where = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise ArgumentError(
                f"{argument}[{', '.join(map(str, where))}] is {array[where]:.6g}, which {dtype} "
                f"cannot hold; scale {argument}, or use dtype='float64'"
            )
    return result


def _require_finite(argument: str, array: np.ndarray) -> None:
    # The sum of finite numbers is almost always finite, and one pass; only else look at each.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious and not (finite := np.isfinite(array)).all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        at = ", ".join(map(str, where))
        raise ArgumentError(f"{argument}[{at}] is {array[where]}; values must be finite")


def _require_in_range(argument: str, array: np.ndarray, dtype: np.dtype) -> None:
    """Refuse finite numbers that `dtype` cannot hold, without a copy of the array."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= dtype.itemsize:
        return
    if max(array.max(), -array.min()) > np.finfo(dtype).max:
        converted(argument, array, dtype)  # names the first of them


def _sample_weight(sample_weight: Any, rows: int) -> np.ndarray:
    weight = numbers("sample_weight", sample_weight)
    if weight.shape != (rows,):
        raise ArgumentError(f"sample_weight has shape {weight.shape}, expected ({rows},)")
    if (weight < 0).any():
        row = int(np.flatnonzero(weight < 0)[0])
        raise ArgumentError(f"sample_weight[{row}] is {weight[row]}, but must not be negative")
    if not weight.any():
        raise ArgumentError("sample_weight is 0 for every row")
    return weight


def _class_numbers(target: np.ndarray, task: str) -> np.ndarray:
    if task == "multiclass":
        return target if target.ndim == 1 else target.argmax(axis=1)
    if task == "binary" and target.shape[1] == 1 and np.isin(target, (0, 1)).all():
        return target[:, 0].astype(np.int64)
    raise ArgumentError(
        "class_weight needs targets that are classes: one of several, or a single 0/1 output"
    )


def class_factors(net: Architecture, target: np.ndarray, class_weight: Any) -> np.ndarray | None:
    """Return the weight of each class, float64 (classes,); None without class weights.

    "balanced" is n / (classes present · rows of the class), of checked targets, and 1 for a class
    that is not among them.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The targets are no classes; or `class_weight` is something else, names a class that the
        network does not have, or a weight that cannot be used.
    """
    if class_weight is None:
        return None
    classes = max(net.shapes[-1][0], 2)
    labels = _class_numbers(target, net.loss.task)
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, minlength=classes)
        total = np.count_nonzero(counts) * counts
        return np.divide(len(labels), total, out=np.ones(classes), where=counts > 0)
    if not isinstance(class_weight, Mapping):
        raise ArgumentTypeError(
            f"class_weight must be 'balanced' or a dict of class to weight, got {class_weight!r}"
        )
    unknown = [label for label in class_weight if label not in range(classes)]
    if unknown:
        raise ArgumentError(
            f"class_weight names class {unknown[0]!r}, but the network's classes are 0 to "
            f"{classes - 1}"
        )
    weights = [
        checks.number("class_weight", class_weight.get(c, 1.0), low=0) for c in range(classes)
    ]
    return np.array(weights)
