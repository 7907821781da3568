"""BLIS, from the wheel `blis`, by its Python interface."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata

import numpy as np
from blis.py import gemm as multiply
from workloads import parts


def version() -> str:
    """Return that of the wheel, and the kernels that BLIS chose for this processor.

    It tells them on the standard error of a process with the variable BLIS_ARCH_DEBUG.
    """
    program = "import blis.py, numpy; a = numpy.ones((1, 1)); blis.py.gemm(a, a)"
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "BLIS_ARCH_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    chosen = re.search("sub-configuration '(.+)'", told.stderr)
    return f"{metadata.version('blis')} (kernel {chosen[1] if chosen else 'unknown'})"


def gemm(m: int, k: int, n: int, form: str = "x w", dtype: str = "float32"):
    if dtype == "float64" and form != "x w" and len({m, k, n}) > 1:
        raise NotImplementedError("its wheel takes transposed float64 for square matrices")
    a, b = parts.matrices(m, k, n, form, dtype)
    y, left, right = np.empty((m, n), dtype), form == "xᵀ dy", form == "dy wᵀ"
    return lambda: multiply(a, b, out=y, trans1=left, trans2=right, beta=0.0)
