"""Functions of the user, as kernels take them: Python's text, and what Numba makes of it.

The reference back end calls the Python function. The others have Numba compile it when they first
need it, once for each dtype: as a loop over arrays, and that loop as a C function whose address the
native kernels call. The objects keep both alive; only the Python function is pickled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np


class Compiled(NamedTuple):
    """`loop(out, x, y)` runs over arrays; `address` is that of the C function (custom.inc)."""

    loop: Callable[..., None]
    address: int
    owner: object  # of the machine code


@dataclass(frozen=True)
class UserFunction:
    """Base of the functions of the user; may be one that `numba.njit` has decorated.

    Attributes
    ----------
    function : callable
    argument : str
        Its public name: the argument of `fastnn.activation` or `fastnn.loss`.
    """

    function: Callable[..., Any]
    _compiled: dict[str, Compiled] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    argument: ClassVar[str]

    @property
    def python(self) -> Callable[..., Any]:
        """Return the function as Python runs it."""
        return getattr(self.function, "py_func", self.function)

    def compiled(self, dtype: np.dtype) -> Compiled:
        """Return the code for a dtype; raise `ArgumentError` where Numba cannot make it."""
        try:
            return self._compiled[dtype.name]
        except KeyError:
            from .numba.functions import compile_function

            # Of two threads that compile it, both take what the first one made.
            return self._compiled.setdefault(dtype.name, compile_function(self, dtype))

    def address(self, dtype: np.dtype) -> int:
        """Return the address of the C function, valid as long as this object lives."""
        return self.compiled(dtype).address

    def __str__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def __copy__(self) -> UserFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> UserFunction:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_compiled": {}}


@dataclass(frozen=True)
class ElementFunction(UserFunction):
    """``f(x)`` of single numbers; its slope jumps at `kinks`."""

    kinks: tuple[float, ...] = ()

    argument = "function"


class SlopeFunction(UserFunction):
    """``f(x, y)``, the slope at x of the function whose value there is y."""

    argument = "derivative"


class RowLoss(UserFunction):
    """``f(output, target)``: the loss of one row, a number from two arrays of shape (O,)."""

    argument = "function"


class RowGradient(UserFunction):
    """``f(output, target, out)`` writes the gradient of a row's loss to `out`, which is zeros."""

    argument = "gradient"
