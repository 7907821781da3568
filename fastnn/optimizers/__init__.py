"""Optimizers: descriptions of the step; the moving averages are in the network's arena.

`base` has the base classes, `descent` and `adam` the families that take a step after each batch,
and `lbfgs` the one that works on all rows.
"""

from __future__ import annotations

from ..utils.specification import resolve
from .adam import Adam, AdamW, NAdam, RAdam
from .base import GradientOptimizer, Optimizer
from .descent import SGD, Adagrad, Lion, RMSProp
from .lbfgs import LBFGS

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "GradientOptimizer",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "get",
]

#: Names that stand for a default object.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind
    for kind in (SGD, Adagrad, RMSProp, Lion, Adam, AdamW, NAdam, RAdam, LBFGS)
}


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
    return resolve("optimizer", value, Optimizer, OPTIMIZERS)
