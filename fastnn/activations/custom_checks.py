"""Checks of the user's functions when an activation or a loss is made of them.

The derivative is compared with central differences, and the compiled functions with those of
Python, in float64. So a wrong derivative, a function that Numba compiles differently, and one that
is not deterministic raise an error before a network is built.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..kernels.functions import ElementFunction, RowGradient, RowLoss, SlopeFunction, UserFunction

FLOAT64 = np.dtype(np.float64)
STEP = np.cbrt(np.finfo(FLOAT64).eps)  # balances rounding and curvature of a central difference
TOLERANCE = 1e-5  # of a derivative, relative
NOISE = 100 * np.finfo(FLOAT64).eps / STEP  # of a difference, relative to the values
COMPILED_TOLERANCE = 1e-9  # exp, log and sums in another order

_MAGNITUDES = np.geomspace(1e-3, 30, 24)
POINTS = np.concatenate([-_MAGNITUDES[::-1], _MAGNITUDES])

Points = Sequence[tuple[np.ndarray, np.ndarray]]  # output, target, both of shape (outputs,)


def written_in_python(argument: str, value: Any) -> Any:
    """Return `value` if it is a function in Python, with or without `numba.njit`."""
    if not isinstance(getattr(value, "py_func", value), FunctionType):
        raise ArgumentTypeError(
            f"{argument} must be a function written in Python, with or without numba.njit, "
            f"got {value!r}"
        )
    return value


def check_name(name: Any, function: Any, kind: str, taken: Any) -> str:
    """Return the given name or the function's own, if it is free and can be printed."""
    if name is None:
        name = getattr(function, "__name__", None)
        if name is None or not name.isidentifier():
            raise ArgumentError(f"name must be given: the function is called {name!r}")
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name must be a string, got {name!r}")
    if not name.strip() or not name.isprintable():
        raise ArgumentError(f"name must be printable and not empty, got {name!r}")
    if name in taken:
        raise ArgumentError(f"name {name!r} is that of a built-in {kind}; give another one")
    return name


def check_activation(function: ElementFunction, derivative: SlopeFunction) -> None:
    """Raise `ArgumentError` that names the argument if a function or derivative is wrong."""
    special = np.array([0.0, *function.kinks])
    x = np.concatenate([POINTS, special])
    y = np.array([_number(function, _at(p), p) for p in x])
    dy_dx = np.array([_number(derivative, _at(p), p, v) for p, v in zip(x, y, strict=True)])
    for p, got in zip(POINTS, dy_dx, strict=False):
        step = STEP * max(1.0, abs(p))
        if not any(abs(p - kink) <= 2 * step for kink in function.kinks):
            expected, noise = _difference(function, _at(p), lambda t: (t,), p, step)
            _compare(derivative, _at(p), expected, got, abs(expected), noise)
    for user, values in ((function, y), (derivative, dy_dx)):
        out = _compiled_twice(user, (len(x),), x, y)
        _compare_compiled(user, values, out, [_at(p) for p in x])


def check_loss(function: RowLoss, gradient: RowGradient, points: Points) -> None:
    """Raise `ArgumentError` that names the argument if a function or gradient is wrong."""
    for output, target in points:
        output.flags.writeable = target.flags.writeable = False
        where = f"output_row = {output.tolist()}, target_row = {target.tolist()}"
        value = _number(function, where, output, target)
        got = _row_gradient(gradient, where, output, target)
        estimates = [_partial(function, where, output, target, i) for i in range(len(output))]
        scale = max(abs(expected) for expected, _ in estimates)
        for i, (expected, noise) in enumerate(estimates):
            _compare(gradient, f"out[{i}] for {where}", expected, got[i], scale, noise)
        for user, values in ((function, np.array([value])), (gradient, got)):
            out = _compiled_twice(user, (1, len(values)), output[None], target[None])
            _compare_compiled(user, values, out[0], [where] * len(values))


def example_points(examples: Any, task: str, outputs: int | None) -> Points:
    """Return the points to check a loss at: those given, or random ones that suit the task."""
    if examples is not None:
        return _given_points(examples, outputs)
    rng = np.random.default_rng(0)
    draw: dict[str, Callable[[int], np.ndarray]] = {
        "regression": lambda width: rng.normal(size=width),
        "binary": lambda width: rng.uniform(size=width),
        "multiclass": lambda width: rng.dirichlet(np.ones(width)),
    }
    widths = (1, 3) if outputs is None else (outputs,)
    return [(rng.normal(size=n), draw[task](n)) for n in widths for _ in range(4)]


def _given_points(examples: Any, outputs: int | None) -> Points:
    try:
        first, second = (np.array(array, dtype=FLOAT64) for array in examples)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "examples must be a pair of arrays of numbers, (outputs, targets), "
            f"got {type(examples).__name__}"
        ) from None
    same = first.shape == second.shape and first.ndim == 2 and first.size > 0
    if not same or outputs not in (None, first.shape[1]):
        width = "outputs" if outputs is None else outputs
        raise ArgumentError(
            f"examples must be two arrays of shape (n, {width}), "
            f"got shapes {first.shape} and {second.shape}"
        )
    return list(zip(first, second, strict=True))


# ------------------------------------------------------------------------------- calls from Python


def _at(point: float) -> str:
    return f"x = {point:.6g}"


def _call(user: UserFunction, where: str, *arguments: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return user.python(*arguments)
    except Exception as error:
        raise ArgumentError(f"{user.argument} raised {error!r} at {where}") from error


def _number(user: UserFunction, where: str, *arguments: Any) -> float:
    """Return the value of a function, which must be a finite number."""
    value = _call(user, where, *arguments)
    if not isinstance(value, numbers.Real):
        raise ArgumentTypeError(f"{user.argument} must return a number, got {value!r} at {where}")
    number = float(value)
    if not math.isfinite(number):
        raise ArgumentError(f"{user.argument} must be finite, got {number} at {where}")
    return number


def _row_gradient(
    gradient: RowGradient, where: str, output: np.ndarray, target: np.ndarray
) -> np.ndarray:
    out = np.zeros_like(output)
    returned = _call(gradient, where, output, target, out)
    if returned is not None:
        raise ArgumentTypeError(f"gradient must write to out and return None, got {returned!r}")
    if not np.isfinite(out).all():
        raise ArgumentError(f"gradient must be finite, got {out.tolist()} at {where}")
    return out


# ------------------------------------------------------------------------------------- comparisons


def _difference(
    user: UserFunction,
    where: str,
    arguments: Callable[[float], tuple[Any, ...]],
    point: float,
    step: float,
) -> tuple[float, float]:
    """Return (f(p + h) − f(p − h)) / 2 h and a bound of its rounding error."""
    high, low = point + step, point - step
    above, below = (_number(user, where, *arguments(t)) for t in (high, low))
    size = max(1.0, abs(point), abs(above), abs(below))
    return (above - below) / (high - low), NOISE * size


def _partial(
    function: RowLoss, where: str, output: np.ndarray, target: np.ndarray, index: int
) -> tuple[float, float]:
    """Return the derivative of a row's loss by one output, by differences, and its error."""

    def moved(value: float) -> tuple[np.ndarray, np.ndarray]:
        row = output.copy()
        row[index] = value
        row.flags.writeable = False
        return row, target

    step = STEP * max(1.0, abs(output[index]))
    return _difference(function, where, moved, output[index], step)


def _compare(
    user: UserFunction, where: str, expected: float, got: float, scale: float, noise: float
) -> None:
    if abs(got - expected) > TOLERANCE * max(scale, abs(got)) + noise:
        raise ArgumentError(
            f"{user.argument} is wrong at {where}: differences of the function give "
            f"{expected:.6g}, got {got:.6g}"
        )


def _compiled_twice(user: UserFunction, shape: tuple[int, ...], *arrays: np.ndarray) -> np.ndarray:
    """Return the values of a compiled function; raise `ArgumentError` if two calls differ."""
    first, second = np.zeros(shape), np.zeros(shape)
    loop = user.compiled(FLOAT64).loop
    writable = [array.copy() for array in arrays]  # as C passes them: no other signature to compile
    try:
        for out in (first, second):
            loop(out, *writable)
    except Exception as error:
        raise ArgumentError(f"{user.argument}, compiled by Numba, raised {error!r}") from error
    if first.tobytes() != second.tobytes():
        raise ArgumentError(f"{user.argument} must give the same for the same arguments")
    return first


def _compare_compiled(
    user: UserFunction, values: np.ndarray, out: np.ndarray, where: Sequence[str]
) -> None:
    wrong = ~np.isclose(out, values, rtol=COMPILED_TOLERANCE, atol=COMPILED_TOLERANCE)
    if wrong.any():
        i = int(wrong.argmax())
        raise ArgumentError(
            f"{user.argument} gives {values[i]:.6g} in Python, but {out[i]:.6g} when compiled by "
            f"Numba, at {where[i]}"
        )
