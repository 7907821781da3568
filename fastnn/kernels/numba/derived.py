"""Kernels that need no loop of their own: they are made from what the reference says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..table import Kernel
from .compiling import compiled, flat
from .loss import outputwise


def derived(kernel: Kernel) -> Callable[..., Any]:
    """Return a kernel made from its reference function, whose signature it has.

    A loss is the mean of its compiled formula. Where all arrays have one shape, the text of the
    function is compiled, for flat arrays if it takes any shape. All others are the reference's own:
    NumPy's loops are as good.
    """
    if kernel.formula is not None:
        return with_signature_of(kernel, outputwise(kernel.formula))
    if kernel.common_shape is None:
        return kernel.function
    return with_signature_of(kernel, _compiled_text(kernel.function, kernel.common_shape == "*"))


def _compiled_text(function: Callable[..., Any], flattened: bool) -> Callable[..., Any]:
    def call(*arguments):
        taken = map(_flat_or_real, arguments) if flattened else arguments
        return compiled(function)(*taken)

    return call


def _flat_or_real(argument: Any) -> Any:
    """Flatten an array; of a power, a step's number is a float, as an integer it is a product."""
    if isinstance(argument, np.ndarray):
        return flat(argument)
    return float(argument) if type(argument) is int else argument


def with_signature_of(kernel: Kernel, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes what the reference does, for one that takes all in order."""
    signature = kernel.signature
    defaults = tuple(p.default for p in signature.parameters.values())

    def function(*arguments, **named):
        if named:
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            arguments = bound.args
        return call(*arguments, *defaults[len(arguments) :])

    function.__name__ = function.__qualname__ = kernel.name
    function.__doc__ = kernel.function.__doc__
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
