"""NumPy, with the BLAS it comes with (OpenBLAS in its wheels)."""

from __future__ import annotations

from functools import partial

import numpy as np
from workloads import package, parts


def version() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{np.__version__} ({blas['name']} {blas['version']})"


def gemm(m: int, k: int, n: int):
    x, w = parts.matrices(m, k, n)
    y = np.empty((m, n), np.float32)
    return lambda: np.matmul(x, w, out=y)


def start():
    """Return a function that imports the package in a fresh interpreter."""
    return partial(package.import_in_a_fresh_interpreter, "numpy")
