"""Optimizers: descriptions of the step; the moving averages are in the network's arena.

`base` has the base classes, `descent` and `adam` the families that take a step after each batch,
and `lbfgs` the one that works on all rows.
"""

from __future__ import annotations

from . import adam, base, descent, lbfgs
from .adam import *
from .base import *
from .descent import *
from .lbfgs import *

__all__ = ["OPTIMIZERS", "get"]
__all__ += adam.__all__ + base.__all__ + descent.__all__ + lbfgs.__all__

#: Names that stand for a default object.
OPTIMIZERS = {name.lower(): kind for name, kind in Optimizer.family().items()}


def get(value: str | Optimizer) -> Optimizer:
    """Return the optimizer that `value`, a name or an object, stands for.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no optimizer of this name; it is neither a name nor an optimizer.

    Examples
    --------
    >>> from fastnn import optimizers
    >>> optimizers.get("adam")
    Adam(learning_rate=0.001)
    """
    return Optimizer.resolve("optimizer", value, OPTIMIZERS)
