"""Losses: the meaning of outputs and targets, and the kernel that computes value and gradient.

A loss is the weighted mean over rows, Σ w l / Σ w, of the mean over outputs (softmax cross-entropy:
of the row's one value), or of their sum with ``reduction="sum"``. Cross-entropy and Poisson losses
take logits — the last layer stays linear — and `Network.predict` applies the matching link:
probabilities, or rates.
"""

from __future__ import annotations

from . import base, cross_entropy, regression
from .base import *
from .cross_entropy import *
from .regression import *

__all__ = ["LOSSES", "get"]
__all__ += base.__all__ + cross_entropy.__all__ + regression.__all__

#: Names that stand for a default object: those of the kernels, for the first loss of each.
LOSSES: dict[str, type[Loss]] = {}
for _loss in Loss.family().values():
    LOSSES.setdefault(_loss.kernel, _loss)


def get(value: str | Loss) -> Loss:
    """Return the loss that `value`, a name or an object, stands for.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no loss of this name; it is neither a name nor a loss.

    Examples
    --------
    >>> from fastnn import losses
    >>> losses.get("huber")
    Huber(delta=1.0)
    """
    return Loss.resolve("loss", value, LOSSES)
