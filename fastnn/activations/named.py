"""Activations by name; formulas and properties are rows of the reference."""

from __future__ import annotations

from typing import Any

from ..kernels.reference.activation import ACTIVATIONS, ActivationFormula
from ..utils import checks
from .custom import CustomActivation

__all__ = ["ACTIVATIONS", "get"]


def get(argument: str, value: Any) -> ActivationFormula | CustomActivation:
    """Return the activation of that name, or `value` if it is a custom one."""
    if isinstance(value, CustomActivation):
        return value
    return checks.one_of(argument, value, ACTIVATIONS)
