"""The kernel table: what a signature cannot say.

One row per kernel. Argument checks, tests, gradient checks and benchmarks iterate over `KERNELS`;
names, order and meaning of the arguments stand in `fastnn.kernels.reference`. To add a kernel,
write its reference function, its row here, and its rows in the other back ends (CONTRIBUTING.md).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import reference
from .functions import ElementFunction, RowGradient, RowLoss, SlopeFunction

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
    values: str = "normal"  # positive, unit, labels, counts, codes, rows, any

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


def _per_element(count: float) -> Callable[[Dims], float]:
    return lambda d: count * d["*"]


def _per_output(count: float) -> Callable[[Dims], float]:
    return lambda d: count * d["B"] * d["O"]


def _loss(name: str, flops: float, *settings: dict[str, Any], y="y", values="normal") -> Kernel:
    arrays = {
        f"d{y}": Array("B O", "w", optional=True),
        y: Array("B O"),
        "target": Array("B O", values=values),
        "weight": Array("B", optional=True, values="positive"),
    }
    return Kernel(
        name,
        arrays,
        settings or ({},),
        _per_output(flops),
        relative_to="array",
        in_place=((f"d{y}", y),),
    )


_WHOLE = {"l1": 0.0, "l2": 0.0, "scale": 1.0}  # what dp lacks of the gradient: nothing
_PARTIAL = {"l1": 0.01, "l2": 0.1, "scale": 0.5}


def _step(name: str, flops: float, slots: Mapping[str, str], *settings: dict[str, Any]) -> Kernel:
    """A step as it is and with decay; the last settings also with a partial gradient."""
    settings = (*(row | _WHOLE for row in settings), settings[-1] | _PARTIAL)
    arrays = {"p": Array("*", "rw"), "dp": Array("*")}
    arrays |= {slot: Array("*", "rw", values=values) for slot, values in slots.items()}
    return Kernel(name, arrays, settings, _per_element(flops), relative_to="array")


_ACTIVATIONS = tuple({"activation": name} for name in reference.ACTIVATIONS)
_SEEDS = (
    {"seed": 0, "offset": 0},
    {"seed": 0xA4093822299F31D0, "offset": (5 << 48) | 123_456_789_012},
)
_DROPPED = tuple({"activation": name, "rate": 0.3} for name in reference.ACTIVATIONS)
_RATES = ({"rate": 0.5}, {"rate": 0.0}, {"rate": 0.1}, {"rate": 0.999999})
_COLUMNS = ({"column": 0, "at": 0}, {"column": 0, "at": 2})
_EPSILONS = ({"eps": 1e-3}, {"eps": 0.1})


# What tests and benchmarks pass for a function of the user.


def _softsign(x):
    return x / (1 + abs(x))


def _slope(x, y):
    return (1 + y * y) / (1 + abs(x))


def _squared_distance(output, target):
    total = 0.0
    for i in range(output.size):
        total += (output[i] - target[i]) ** 2
    return total


def _squared_distance_gradient(output, target, out):
    for i in range(output.size):
        out[i] = 2 * (output[i] - target[i])


_DISTANCE = {
    "row_loss": RowLoss(_squared_distance),
    "row_gradient": RowGradient(_squared_distance_gradient),
}

_ROWS = (
    Kernel(
        "dense_fwd",
        {
            "y": Array("B O", "w"),
            "x": Array("B I"),
            "w": Array("I O"),
            "b": Array("O", optional=True),
            "z": Array("B O", "w", optional=True),
        },
        _ACTIVATIONS,
        flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 2 * d["B"] * d["O"],
        tolerance=lambda d: 16 + d["I"],
        relative_to="array",
    ),
    Kernel(
        "dense_bwd",
        {
            "dx": Array("B I", "w", optional=True),
            "dw": Array("I O", "w"),
            "db": Array("O", "w", optional=True),
            "dy": Array("B O", "rw"),
            "y": Array("B O"),
            "x": Array("B I"),
            "w": Array("I O"),
            "z": Array("B O", optional=True),
        },
        _ACTIVATIONS,
        flops=lambda d: 4 * d["B"] * d["I"] * d["O"] + 3 * d["B"] * d["O"],
        tolerance=lambda d: 32 + max(d["B"], d["O"]),
        relative_to="array",
    ),
    Kernel(
        "dense_dropout_fwd",
        {
            "y": Array("B O", "w"),
            "mask": Array("bits(B O)", "w", dtype="uint8", values="any"),
            "x": Array("B I"),
            "w": Array("I O"),
            "b": Array("O", optional=True),
            "z": Array("B O", "w", optional=True),
        },
        tuple(dropped | _SEEDS[-1] for dropped in _DROPPED),
        flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 13 * d["B"] * d["O"],
        tolerance=lambda d: 16 + d["I"],
        relative_to="array",
    ),
    Kernel(
        "dense_dropout_bwd",
        {
            "dx": Array("B I", "w", optional=True),
            "dw": Array("I O", "w"),
            "db": Array("O", "w", optional=True),
            "dy": Array("B O", "rw"),
            "y": Array("B O"),
            "mask": Array("bits(B O)", dtype="uint8", values="any"),
            "x": Array("B I"),
            "w": Array("I O"),
            "z": Array("B O", optional=True),
        },
        _DROPPED,
        flops=lambda d: 4 * d["B"] * d["I"] * d["O"] + 5 * d["B"] * d["O"],
        tolerance=lambda d: 32 + max(d["B"], d["O"]),
        relative_to="array",
    ),
    Kernel(
        "activation_fwd",
        {"y": Array("*", "w"), "z": Array("*")},
        _ACTIVATIONS,
        _per_element(2),
        tolerance=lambda d: 16,  # gelu's tail: exp magnifies the rounding of its argument
        in_place=(("y", "z"),),
    ),
    Kernel(
        "activation_bwd",
        {
            "dz": Array("*", "w"),
            "dy": Array("*"),
            "y": Array("*"),
            "z": Array("*", optional=True),
        },
        _ACTIVATIONS,
        _per_element(3),
        tolerance=lambda d: 32,
        relative_to="dy",  # a slope of order 1 is a difference of numbers of order 1
        in_place=(("dz", "dy"),),
    ),
    Kernel(
        "philox",
        {"words": Array("n", "w", dtype="uint32", values="any")},
        _SEEDS,
        flops=lambda d: 20 * d["n"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "permutation",
        {"order": Array("n", "w", dtype="int64", values="any")},
        _SEEDS,
        flops=lambda d: 41 * d["n"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "dropout_fwd",
        {
            "y": Array("*", "w"),
            "mask": Array("bits(*)", "w", dtype="uint8", values="any"),
            "x": Array("*"),
        },
        tuple(rate | seed for rate in _RATES for seed in _SEEDS),
        _per_element(11),
        in_place=(("y", "x"),),
    ),
    Kernel(
        "dropout_bwd",
        {
            "dx": Array("*", "w"),
            "mask": Array("bits(*)", dtype="uint8", values="any"),
            "dy": Array("*"),
        },
        _RATES,
        _per_element(1),
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "embedding_fwd",
        {"y": Array("B O", "rw"), "x": Array("B I", values="codes"), "w": Array("N D")},
        _COLUMNS,
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "embedding_bwd",
        {"dw": Array("N D", "w"), "dy": Array("B O"), "x": Array("B I", values="codes")},
        _COLUMNS,
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 8 + d["B"],
        relative_to="array",
    ),
    Kernel(
        "embedding_sparse_bwd",
        {
            "dw": Array("B D", "w"),
            "rows": Array("B", "w", dtype="int64", values="any"),
            "order": Array("B", "w", dtype="int64", values="any"),
            "dy": Array("B O"),
            "x": Array("B I", values="codes"),
        },
        tuple({"count": count} | setting for setting in _COLUMNS for count in (40, 300, 70_000)),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 8 + d["B"],
        relative_to="array",
    ),
    Kernel(
        "gather_rows",
        {
            "values": Array("B D", "w"),
            "table": Array("N D"),
            "rows": Array("B", dtype="int64", values="rows"),
        },
        ({},),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "scatter_rows",
        {
            "table": Array("N D", "rw"),
            "values": Array("B D"),
            "rows": Array("B", dtype="int64", values="rows"),
        },
        ({},),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "standardize_columns_fwd",
        {
            "y": Array("B O", "rw"),
            "x": Array("B I"),
            "mean": Array("K"),
            "variance": Array("K", values="positive"),
        },
        ({"column": 0, "at": 0}, {"column": 1, "at": 2}),
        flops=lambda d: 2 * d["B"] * d["K"],
        relative_to="array",
    ),
    Kernel(
        "gaussian_noise_fwd",
        {"y": Array("*", "w"), "x": Array("*")},
        tuple({"stddev": 0.5} | seed for seed in _SEEDS),
        _per_element(20),
        tolerance=lambda d: 32,
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "alpha_dropout_fwd",
        {
            "y": Array("*", "w"),
            "mask": Array("bits(*)", "w", dtype="uint8", values="any"),
            "x": Array("*"),
        },
        tuple(rate | _SEEDS[-1] for rate in _RATES),
        _per_element(13),
        tolerance=lambda d: 16,
        relative_to="x",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "alpha_dropout_bwd",
        {
            "dx": Array("*", "w"),
            "mask": Array("bits(*)", dtype="uint8", values="any"),
            "dy": Array("*"),
        },
        _RATES,
        _per_element(1),
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "batch_norm_fwd",
        {
            "y": Array("B C", "w"),
            "mean": Array("C", "w"),
            "variance": Array("C", "w"),
            "x": Array("B C"),
            "gamma": Array("C", optional=True),
            "beta": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 7 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
    ),
    Kernel(
        "batch_norm_bwd",
        {
            "dx": Array("B C", "w", optional=True),
            "dgamma": Array("C", "w", optional=True),
            "dbeta": Array("C", "w", optional=True),
            "dy": Array("B C"),
            "x": Array("B C"),
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            "gamma": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 9 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "standardize_fwd",
        {
            "y": Array("B C", "w"),
            "x": Array("B C"),
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            "gamma": Array("C", optional=True),
            "beta": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 3 * d["B"] * d["C"],
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "dense_fold_output",
        {
            "wf": Array("I O", "w"),
            "bf": Array("O", "w"),
            "w": Array("I O"),
            "b": Array("O", optional=True),
            "mean": Array("O"),
            "variance": Array("O", values="positive"),
            "gamma": Array("O", optional=True),
            "beta": Array("O", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 3 * d["I"] * d["O"],
        tolerance=lambda d: 16,
        relative_to="array",
    ),
    Kernel(
        "dense_fold_input",
        {
            "wf": Array("I O", "w"),
            "bf": Array("O", "w"),
            "w": Array("I O"),
            "b": Array("O", optional=True),
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            "gamma": Array("C", optional=True),
            "beta": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 3 * d["I"] * d["O"],
        tolerance=lambda d: 16,
        relative_to="array",
    ),
    Kernel(
        "moving_average_step",
        {"average": Array("*", "rw"), "value": Array("*")},
        ({"momentum": 0.99}, {"momentum": 0.0}),
        _per_element(3),
        relative_to="array",
    ),
    Kernel(
        "layer_norm_fwd",
        {
            "y": Array("B C", "w"),
            "mean": Array("B", "w", optional=True),
            "rstd": Array("B", "w", optional=True),
            "x": Array("B C"),
            "gamma": Array("C", optional=True),
            "beta": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 7 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "layer_norm_bwd",
        {
            "dx": Array("B C", "w", optional=True),
            "dgamma": Array("C", "w", optional=True),
            "dbeta": Array("C", "w", optional=True),
            "dy": Array("B C"),
            "x": Array("B C"),
            "mean": Array("B"),
            "rstd": Array("B", values="positive"),
            "gamma": Array("C", optional=True),
        },
        ({},),
        flops=lambda d: 12 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "softmax",
        {"y": Array("B C", "w"), "z": Array("B C")},
        ({},),
        flops=lambda d: 4 * d["B"] * d["C"],
        in_place=(("y", "z"),),
    ),
    Kernel(
        "softmax_cross_entropy",
        {
            "dz": Array("B C", "w", optional=True),
            "z": Array("B C"),
            "target": Array("B C", dtype="target", values="labels"),
            "weight": Array("B", optional=True, values="positive"),
        },
        ({"label_smoothing": 0.0}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}),
        flops=lambda d: 8 * d["B"] * d["C"],
        tolerance=lambda d: 8 + d["C"] / 8,
        relative_to="array",
        in_place=(("dz", "z"),),
    ),
    _loss("sigmoid_cross_entropy", 9, y="z", values="unit"),
    _loss("mean_squared_error", 5),
    _loss("mean_absolute_error", 5),
    _loss("huber", 8, {"delta": 1.0}, {"delta": 0.1}),
    _loss("poisson", 8, y="z", values="counts"),
    _loss("quantile", 6, {"q": 0.5}, {"q": 0.05}, {"q": 0.9}),
    Kernel(
        "custom_activation_fwd",
        {"y": Array("*", "w"), "z": Array("*")},
        ({"function": ElementFunction(_softsign)},),
        _per_element(3),
    ),
    Kernel(
        "custom_activation_bwd",
        {"dz": Array("*", "w"), "dy": Array("*"), "y": Array("*"), "z": Array("*")},
        ({"derivative": SlopeFunction(_slope)},),
        _per_element(6),
        relative_to="dy",
        in_place=(("dz", "dy"),),
    ),
    Kernel(
        "custom_loss",
        {
            "dy": Array("B O", "w", optional=True),
            "y": Array("B O"),
            "target": Array("B O"),
            "weight": Array("B", optional=True, values="positive"),
        },
        (_DISTANCE,),
        _per_output(5),
        tolerance=lambda d: 8 + d["O"],
        relative_to="array",
    ),
    Kernel(
        "penalty",
        {"dp": Array("*", "rw", optional=True), "p": Array("*")},
        ({"l1": 0.0, "l2": 0.01}, {"l1": 0.001, "l2": 0.0}, {"l1": 0.5, "l2": 2.0}),
        _per_element(8),
        relative_to="array",
    ),
    Kernel("sum_of_squares", {"x": Array("*")}, ({},), _per_element(2), relative_to="array"),
    Kernel("count_nonfinite", {"x": Array("*")}, ({},), _per_element(1), lambda d: 0),
    _step(
        "sgd_step",
        4,
        {},
        {"lr": 0.1, "weight_decay": 0.0},
        {"lr": 0.01, "weight_decay": 0.1},
    ),
    _step(
        "momentum_step",
        7,
        {"v": "normal"},
        {"lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0},
        {"lr": 0.01, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
    ),
    _step(
        "rmsprop_step",
        9,
        {"s": "positive"},
        {"lr": 0.001, "rho": 0.9, "eps": 1e-8, "weight_decay": 0.0},
        {"lr": 0.01, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
    _step(
        "adam_step",
        14,
        {"m": "normal", "v": "positive"},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 1, "weight_decay": 0.0},
        {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "eps": 1e-6, "t": 10**9, "weight_decay": 0.1},
    ),
)

#: Every kernel, by name.
KERNELS: dict[str, Kernel] = {row.name: row for row in _ROWS}
