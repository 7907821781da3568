"""Calls of single kernels, which know nothing of the kernel table.

`benchmarks/compare` calls the kernels of two commits, whose tables may differ, on the same
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn import kernels

LINE = 64  # bytes of a cache line, on which arrays of a network begin


class KernelCall:
    """A kernel of one back end on arrays of its own, all of whose pages have been written."""

    def __init__(self, name: str, drawn: Mapping[str, Any], backend: str | None = None):
        self.arguments = {k: aligned(v) for k, v in drawn.items()}
        self._values = tuple(self.arguments.values())
        module = kernels.implementation(backend)
        if not hasattr(module, name):  # of another commit, or not yet written
            raise NotImplementedError(f"{module.__name__} has no {name}")
        self._function = getattr(module, name)

    def __call__(self) -> float | None:
        """Call the kernel on what the last call left."""
        return self._function(*self._values)


def aligned(value: Any) -> Any:
    """Return a copy of an array that begins on a cache line; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    buffer = np.empty(value.nbytes + LINE, np.uint8)
    begin = -buffer.ctypes.data % LINE
    copy = buffer[begin : begin + value.nbytes].view(value.dtype).reshape(value.shape)
    copy[...] = value
    return copy
