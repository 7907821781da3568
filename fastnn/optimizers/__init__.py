"""Optimizers: descriptions of the step; the moving averages live in the network's arena.

`base` has what all share, `descent` and `adam` the two families.
"""

from __future__ import annotations

from ..specification import resolve
from .adam import Adam, AdamW, NAdam, RAdam
from .base import GradientOptimizer, Optimizer
from .descent import SGD, Adagrad, Lion, RMSProp

__all__ = [
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
    kind.__name__.lower(): kind for kind in (SGD, Adagrad, RMSProp, Lion, Adam, AdamW, NAdam, RAdam)
}


def get(value: str | Optimizer) -> Optimizer:
    """The optimizer that `value`, a name or an object, stands for."""
    return resolve("optimizer", value, Optimizer, OPTIMIZERS)
