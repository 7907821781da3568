"""The kernel table: what a signature cannot say.

One row per kernel. Argument checks, tests, gradient checks and benchmarks iterate over `KERNELS`;
names, order and meaning of the arguments stand in `fastnn.kernels.reference`. To add a kernel,
write its reference function, its row here, and its rows in the other back ends (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import reference
from .functions import ElementFunction, RowGradient, RowLoss, SlopeFunction
from .layer_rows import LAYER_ROWS, RATES
from .optimizer_rows import STEPS
from .rows import SEEDS, Array, Dims, Kernel, array_size, per_element

__all__ = ["KERNELS", "Array", "Dims", "Kernel", "array_size"]


def _per_output(count: float) -> Callable[[Dims], float]:
    return lambda d: count * d["B"] * d["O"]


def _loss(
    name: str,
    flops: float,
    *settings: dict[str, Any],
    y: str = "y",
    values: str = "normal",
    by_output: tuple[str, ...] = (),
) -> Kernel:
    arrays = {
        f"d{y}": Array("B O", "w", optional=True),
        y: Array("B O"),
        "target": Array("B O", values=values),
        "weight": Array("B", optional=True, values="positive"),
        **{name: Array("O", values="unit") for name in by_output},
    }
    return Kernel(
        name,
        arrays,
        settings or ({},),
        _per_output(flops),
        relative_to="array",
        in_place=((f"d{y}", y),),
    )


_ACTIVATIONS = tuple({"activation": name} for name in reference.ACTIVATIONS)
_DROPPED = tuple({"activation": name, "rate": 0.3} for name in reference.ACTIVATIONS)

# Arguments that kernels share, in the order of their signatures.
_DENSE_INPUTS = {
    "x": Array("B I"),
    "w": Array("I O"),
    "b": Array("O", optional=True),
    "z": Array("B O", "w", optional=True),
}
_DENSE_GRADIENTS = {
    "dx": Array("B I", "w", optional=True),
    "dw": Array("I O", "w", optional=True),
    "db": Array("O", "w", optional=True),
    "dy": Array("B O", "rw"),
    "y": Array("B O"),
}

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
            **_DENSE_INPUTS,
        },
        _ACTIVATIONS,
        flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 2 * d["B"] * d["O"],
        tolerance=lambda d: 16 + d["I"],
        relative_to="array",
    ),
    Kernel(
        "dense_bwd",
        {
            **_DENSE_GRADIENTS,
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
            **_DENSE_INPUTS,
        },
        tuple(dropped | SEEDS[-1] for dropped in _DROPPED),
        flops=lambda d: 2 * d["B"] * d["I"] * d["O"] + 13 * d["B"] * d["O"],
        tolerance=lambda d: 16 + d["I"],
        relative_to="array",
    ),
    Kernel(
        "dense_dropout_bwd",
        {
            **_DENSE_GRADIENTS,
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
        per_element(2),
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
        per_element(3),
        tolerance=lambda d: 32,
        relative_to="dy",  # a slope of order 1 is a difference of numbers of order 1
        in_place=(("dz", "dy"),),
    ),
    Kernel(
        "philox",
        {"words": Array("n", "w", dtype="uint32", values="any")},
        SEEDS,
        flops=lambda d: 20 * d["n"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "permutation",
        {"order": Array("n", "w", dtype="int64", values="any")},
        SEEDS,
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
        tuple(rate | seed for rate in RATES for seed in SEEDS),
        per_element(11),
        in_place=(("y", "x"),),
    ),
    Kernel(
        "dropout_bwd",
        {
            "dx": Array("*", "w"),
            "mask": Array("bits(*)", dtype="uint8", values="any"),
            "dy": Array("*"),
        },
        RATES,
        per_element(1),
        in_place=(("dx", "dy"),),
    ),
    *LAYER_ROWS,
    Kernel(
        "softmax",
        {"y": Array("B C", "w"), "z": Array("B C")},
        ({},),
        flops=lambda d: 4 * d["B"] * d["C"],
        tolerance=lambda d: 8 + 0.2 * d["C"] ** 0.5,  # Numba adds one after the other
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
    _loss(
        "sigmoid_cross_entropy",
        11,
        {"label_smoothing": 0.0},
        {"label_smoothing": 0.1},
        {"label_smoothing": 1.0},
        y="z",
        values="unit",
    ),
    _loss("mean_squared_error", 5),
    _loss("mean_absolute_error", 5),
    _loss("huber", 8, {"delta": 1.0}, {"delta": 0.1}),
    _loss("poisson", 8, y="z", values="counts"),
    _loss("quantile", 6, by_output=("q",)),
    Kernel(
        "custom_activation_fwd",
        {"y": Array("*", "w"), "z": Array("*")},
        ({"function": ElementFunction(_softsign)},),
        per_element(3),
    ),
    Kernel(
        "custom_activation_bwd",
        {"dz": Array("*", "w"), "dy": Array("*"), "y": Array("*"), "z": Array("*")},
        ({"derivative": SlopeFunction(_slope)},),
        per_element(6),
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
        per_element(8),
        tolerance=lambda d: 8 + 0.2 * d["*"] ** 0.5,  # Numba adds one after the other
        relative_to="array",
    ),
    Kernel(
        "max_norm",
        {"p": Array("I O", "rw")},
        ({"limit": 1.0}, {"limit": 5.0}),
        flops=lambda d: 3 * d["I"] * d["O"],
    ),
    Kernel(
        "scale",
        {"x": Array("*", "rw")},
        ({"factor": 0.5}, {"factor": 3.0}),
        per_element(1),
    ),
    Kernel("sum_of_squares", {"x": Array("*")}, ({},), per_element(2), relative_to="array"),
    Kernel("count_nonfinite", {"x": Array("*")}, ({},), per_element(1), lambda d: 0),
    *STEPS,
)

#: Every kernel, by name.
KERNELS: dict[str, Kernel] = {row.name: row for row in _ROWS}
