"""Compiling functions of the user: to a loop over arrays, and to a C function around that loop.

An exception must not be lost: Numba prints those that leave a C function and goes on. So the C
function catches them and returns 1. Indices are checked, for a wrong one must not reach foreign
memory. Nothing is cached on disk, where Numba would not notice a change in what a function calls.

Numba keeps some MB of what it compiles for as long as the process lives. A function that computes
the same as an earlier one, such as one that each trial of a search makes anew, therefore gets the
earlier one's machine code (`fingerprint`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.errors import TypingError

from ...errors import ArgumentError
from ..functions import Compiled, ElementFunction, RowGradient, RowLoss, SlopeFunction, UserFunction
from .fingerprint import fingerprint

MAX_MESSAGE = 400  # characters of the compiler's
#: Functions, times dtypes, whose machine code is kept for others of the same text and values.
MOST_COMPILED = 256

_compiled: dict[Hashable, Compiled] = {}


def _jit(*args: Any, **options: Any) -> Any:
    return numba.njit(*args, nogil=True, error_model="numpy", **options)


# ------------------------------------------------------------------------ loops over arrays


def _value_loop(function):
    def loop(out, x, y):
        for i in range(x.size):
            out[i] = function(x[i])

    return loop


def _slope_loop(function):
    def loop(out, x, y):
        for i in range(x.size):
            out[i] = function(x[i], y[i])

    return loop


def _loss_loop(function):
    def loop(out, x, y):
        for i in range(len(x)):
            out[i, 0] = function(x[i], y[i])

    return loop


def _gradient_loop(function):
    def loop(out, x, y):
        for i in range(len(x)):
            function(x[i], y[i], out[i])

    return loop


# ------------------------------------------------------------------ C functions, custom.inc


def _element_block(loop, out, real):
    def block(out, x, y, n):
        try:
            loop(numba.carray(out, (n,)), numba.carray(x, (n,)), numba.carray(y, (n,)))
        except Exception:
            return 1
        return 0

    pointer = types.CPointer(real)
    signature = types.int32(types.CPointer(out), pointer, pointer, types.int64)
    return numba.cfunc(signature, error_model="numpy")(block)


def _row_block(loop, out, real):
    def block(out, width, x, y, rows, cols):
        try:
            shape = (rows, cols)
            loop(numba.carray(out, (rows, width)), numba.carray(x, shape), numba.carray(y, shape))
        except Exception:
            return 1
        return 0

    pointer, number = types.CPointer(real), types.int64
    signature = types.int32(types.CPointer(out), number, pointer, pointer, number, number)
    return numba.cfunc(signature, error_model="numpy")(block)


# ------------------------------------------------------------------------------ compilation


def compile_function(function: UserFunction, dtype: np.dtype) -> Compiled:
    """Compile for one dtype, or take what has been compiled of the same text and values.

    Raises
    ------
    ArgumentError
        Numba cannot compile it; the message names the function.
    """
    key = fingerprint(function.python)
    if key is None:
        return _compile(function, dtype)
    whole = type(function), dtype.name, key
    known = _compiled.get(whole)
    if known is None:
        made = _compile(function, dtype)
        while len(_compiled) >= MOST_COMPILED:
            _compiled.pop(next(iter(_compiled)), None)
        known = _compiled.setdefault(whole, made)
    return known


def _compile(function: UserFunction, dtype: np.dtype) -> Compiled:
    name = f"{function.argument} {str(function)!r}"
    real = numba.from_dtype(dtype)
    arguments, result, make_loop, make_block, out = _form(function, real)
    try:
        compiled = _jit([arguments], boundscheck=True)(function.python)
        returned = compiled.nopython_signatures[0].return_type
        if not isinstance(returned, result):
            raise TypingError(f"it must return {_WANTED[result]}, but returns {returned}")
        loop = _jit()(make_loop(compiled))
        block = make_block(loop, out, real)
    except Exception as error:  # the compiler's own, or what its evaluation of constants raises
        message = " ".join(str(error).split())[:MAX_MESSAGE]
        raise ArgumentError(f"{name} cannot be compiled by Numba for {dtype}: {message}") from error
    return Compiled(loop, block.address, block)


_NUMBER = (types.Float, types.Integer, types.Boolean)
_WANTED = {_NUMBER: "a real number", types.NoneType: "nothing and write to its third argument"}


def _form(function: UserFunction, real: Any) -> tuple[tuple, Any, Callable, Callable, Any]:
    """Arguments, kind of result, loop, block, and the type of the elements that a block writes."""
    row = types.Array(real, 1, "C", readonly=True)
    forms: dict[type, tuple] = {
        ElementFunction: ((real,), _NUMBER, _value_loop, _element_block, real),
        SlopeFunction: ((real, real), _NUMBER, _slope_loop, _element_block, real),
        RowLoss: ((row, row), _NUMBER, _loss_loop, _row_block, types.float64),
        RowGradient: ((row, row, real[::1]), types.NoneType, _gradient_loop, _row_block, real),
    }
    return forms[type(function)]
