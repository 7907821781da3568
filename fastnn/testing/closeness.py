"""Comparison of a kernel's results with the tolerance of its row of the table."""

from __future__ import annotations

import numpy as np

from .drawing import counts


def check_close(kernel, shapes, dtype, arguments, name, got, want):
    """Assert that errors are within the table's tolerance, relative to what the table says."""
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=f"{name} for {shapes}")
        return
    size = np.abs(want)
    if kernel.relative_to == "array":
        scale = size.max(initial=0.0)
    elif kernel.relative_to == "element":
        scale = np.maximum(size, 1e-3 * size.max(initial=0.0))
    else:
        scale = np.maximum(size, np.abs(arguments[kernel.relative_to]))
    unit = np.maximum(np.finfo(dtype).eps * scale, np.finfo(dtype).tiny)
    worst = np.max(np.abs(got - want) / unit, initial=0.0)
    allowed = kernel.tolerance(counts(shapes))
    assert worst <= allowed, f"{name} for {shapes}: {worst:.3g} epsilons off, {allowed:.3g} allowed"
