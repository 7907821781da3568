"""Checks of single arguments, with errors that name the argument, the expectation and the value."""

from __future__ import annotations

import math
import numbers
import os
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError, FastnnError
from . import foreign_names

T = TypeVar("T")


def integer(argument: str, value: Any, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int in [low, high]; a boolean is an error."""
    known = isinstance(value, (int, numbers.Integral)) and not isinstance(value, bool)
    if known and low <= value and (high is None or value <= high):
        return int(value)
    expected = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    raise _error(argument, expected, value, known)


def path(argument: str, value: Any) -> str:
    """Return a str, bytes or path-like `value` as a str; an empty one is an error."""
    try:
        name = os.fsdecode(value)
    except TypeError:
        raise ArgumentTypeError(f"{argument} must be a path, got {value!r}") from None
    if not name or "\0" in name:
        raise ArgumentError(f"{argument} must be a path, got {name!r}")
    return name


def number(
    argument: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return `value` as a finite float between `low` and `high`, ends included unless open."""
    known = isinstance(value, (float, numbers.Real)) and not isinstance(value, bool)
    if known:
        converted = _as_float(value)
        above = low < converted if open_low else low <= converted
        below = converted < high if open_high else converted <= high
        if above and below and math.isfinite(converted):
            return converted
    if math.isfinite(high):
        left, right = "(" if open_low else "[", ")" if open_high else "]"
        expected = f"a number in {left}{low:g}, {high:g}{right}"
    elif math.isfinite(low):
        expected = f"a finite number {'>' if open_low else '>='} {low:g}"
    else:
        expected = "a finite number"
    raise _error(argument, expected, value, known)


def _error(
    argument: str, expected: str, value: Any, known: bool
) -> ArgumentError | ArgumentTypeError:
    """Return the error for a value that is out of range or, if not `known`, of a wrong type."""
    kind = ArgumentError if known else ArgumentTypeError
    return kind(f"{argument} must be {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """Return a value as messages show it; of integers with thousands of digits, their size."""
    try:
        return reprlib.repr(value) if isinstance(value, int) else repr(value)
    except ValueError:  # more digits than Python writes
        return f"an integer of {value.bit_length():,} bits"


def _as_float(value: Any) -> float:
    """Return a number as a float, infinite if it is larger than all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def boolean(argument: str, value: Any) -> bool:
    """Return `value` as a bool; any other type is an error."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(f"{argument} must be True or False, got {value!r}")
    return bool(value)


def verbosity(value: Any, *, high: int) -> int:
    """Return `verbose` as an int in [0, high]; True and False are 1 and 0."""
    is_flag = isinstance(value, (bool, np.bool_))
    return int(value) if is_flag else integer("verbose", value, low=0, high=high)


def shape(argument: str, value: Any) -> tuple[int, ...]:
    """Return `value`, an int or a sequence of ints, as a tuple of positive ints."""
    if type(value) is tuple and value and all(type(size) is int and size > 0 for size in value):
        return value
    sizes = (value,) if isinstance(value, numbers.Integral) else value
    try:
        sizes = tuple(sizes)
    except TypeError:
        raise ArgumentTypeError(
            f"{argument} must be a positive integer or a tuple of them, got {shown(value)}"
        ) from None
    if not sizes:
        raise ArgumentError(f"{argument} must hold at least one size, got {value!r}")
    return tuple(integer(argument, size, low=1) for size in sizes)


def one_of(argument: str, value: Any, known: Mapping[str, T]) -> T:
    """Return the entry of `known` called `value`; the error suggests the nearest name."""
    try:
        return known[value]
    except (KeyError, TypeError):
        raise unknown_name(argument, value, known) from None


def unknown_name(argument: str, name: object, known: Iterable[str]) -> FastnnError:
    """Return the error for a name that is not among the known ones, with the nearest one."""
    known = sorted(known)
    if not isinstance(name, str):
        wrapper = foreign_names.WRAPPERS.get(argument) if callable(name) else None
        hint = f": make it one by {wrapper}" if wrapper else ""
        return ArgumentTypeError(
            f"{argument} must be one of {', '.join(known)}; got {type(name).__name__}{hint}"
        )
    import difflib

    habit = [one for one in foreign_names.NAMES.get(name.lower(), ()) if one in known]
    near = habit or difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    hint = foreign_names.ADVICE.get((argument, name.lower()), hint)
    return ArgumentError(f"unknown {argument} {name!r}: {hint}Known: {', '.join(known)}")
