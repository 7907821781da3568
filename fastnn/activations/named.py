"""What the layers above the kernels need to know of an activation; formulas are in the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..kernels import reference
from ..utils import checks
from .custom import CustomActivation


@dataclass(frozen=True)
class Activation:
    """Properties of a named activation.

    Attributes
    ----------
    needs_z : bool
        Whether the backward pass needs the input, because the output does not determine it.
    kink : bool
        Whether the slope jumps at 0: a finite difference across it is meaningless.
    initializer : str
        The weight initialiser that keeps the variance of the signal.
    """

    name: str
    needs_z: bool
    kink: bool
    initializer: str


_KINKED = frozenset({"relu", "leaky_relu", "elu", "selu"})
_HALF_RECTIFIED = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "softplus"})


def _initializer(name: str) -> str:
    if name == "selu":
        return "lecun_normal"  # the premise of its self-normalisation
    return "he_normal" if name in _HALF_RECTIFIED else "glorot_uniform"


#: Every activation, by name.
ACTIVATIONS: dict[str, Activation] = {
    name: Activation(name, formula.needs_z, name in _KINKED, _initializer(name))
    for name, formula in reference.ACTIVATIONS.items()
}


def get(argument: str, value: Any) -> Activation | CustomActivation:
    """The activation of that name, or the custom one that `value` is."""
    if isinstance(value, CustomActivation):
        return value
    return checks.one_of(argument, value, ACTIVATIONS)
