"""Functions of rows, which make other rows of those of a batch: how they are compiled and called.

The C executor, the Python executor and calls from Python run one and the same machine code. A
function is written as

    f(out, x, begin, end, rows, settings, seed, offset)

and writes rows [begin, end) of `out` from those of `x`, both addresses of the first of `rows` rows.
It may read any row of `x`; `out` is elsewhere. `settings` is the address of its parameters, and
random numbers are Philox blocks numbered by row, so that no cut of the work shows. It cannot fail.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiling import called_by, copy_of

_SIGNATURE = types.void(
    *2 * (types.voidptr,), *3 * (types.int64,), types.voidptr, *2 * (types.uint64,)
)
_CALL = ctypes.CFUNCTYPE(
    None, *2 * (ctypes.c_void_p,), *3 * (ctypes.c_int64,), ctypes.c_void_p, *2 * (ctypes.c_uint64,)
)


class RowFunction(NamedTuple):
    """A compiled function of rows; `call` takes addresses, and releases the GIL."""

    address: int
    call: Callable[..., None]
    owner: object  # of the machine code


def row_function(template: Callable, suffix: str = "", **names: Any) -> RowFunction:
    """Compile a function with what it calls; see `compiling.compiled`. Cached on disk."""
    copy = copy_of(template, template.__name__ + suffix, **called_by(template, suffix, **names))
    try:
        compiled: Any = numba.cfunc(_SIGNATURE, cache=True, error_model="numpy")(copy)
    except RuntimeError:  # nowhere to write: every process compiles anew
        compiled = numba.cfunc(_SIGNATURE, error_model="numpy")(copy)
    return RowFunction(compiled.address, _CALL(compiled.address), compiled)


@intrinsic(prefer_literal=True)
def on_stack(typing_context: Any, example: Any, count: Any = None) -> Any:
    """Return the address of `count` (a constant) elements of the type of `example` on the stack.

    Nothing else can lie there, so LLVM makes vector code of loops that write to it.
    """
    if not isinstance(count, types.Literal):
        return None
    element = types.unliteral(example)

    def generate(context, builder, signature, arguments):
        size = count.literal_value
        return cgutils.alloca_once(builder, context.get_data_type(element), size=size)

    return types.CPointer(element)(example, count), generate


def unit(word):
    """Return a random word as a number in (0, 1)."""
    return (np.float64(word) + 0.5) * 2.0**-32
