"""NumPy, with the BLAS it comes with (OpenBLAS in its wheels)."""

from __future__ import annotations

from functools import partial

import numpy as np
import threadpoolctl
from workloads import package, parts


def version() -> str:
    """Return that of NumPy, and of its BLAS with the kernel that it chose for this processor."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kernels = (pool.get("architecture") for pool in threadpoolctl.threadpool_info())
    chosen = next(filter(None, kernels), "unknown")
    return f"{np.__version__} ({blas['name']} {blas['version']}, kernel {chosen})"


def gemm(m: int, k: int, n: int, form: str = parts.FORMS[0], dtype: str = "float32"):
    a, b = parts.operands(m, k, n, form, dtype)
    y = np.empty((m, n), dtype)
    return lambda: np.matmul(a, b, out=y)


def start():
    """Return a function that imports the package in a fresh interpreter."""
    return partial(package.import_in_a_fresh_interpreter, "numpy")
