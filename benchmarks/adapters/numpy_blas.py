"""NumPy, with the BLAS it comes with (OpenBLAS in its wheels)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np


def version() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{np.__version__} ({blas['name']} {blas['version']})"


def gemm(m: int, k: int, n: int):
    random = np.random.default_rng(0)
    x, w = (random.standard_normal(shape, np.float32) for shape in ((m, k), (k, n)))
    y = np.empty((m, n), np.float32)
    return lambda: np.matmul(x, w, out=y)


def start():
    """A fresh interpreter that imports the package."""
    return lambda: subprocess.run([sys.executable, "-P", "-c", "import numpy"], check=True)
