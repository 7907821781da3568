"""Intel's MKL by its C interface, from the wheel `mkl`."""

from __future__ import annotations

import ctypes
from functools import partial
from importlib import metadata

import numpy as np
from workloads import parts

ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112
SCALARS = {"float32": ctypes.c_float, "float64": ctypes.c_double}
FUNCTIONS = {"float32": "cblas_sgemm", "float64": "cblas_dgemm"}


def _load() -> ctypes.CDLL:
    """Return MKL's runtime, which chooses its kernels by the processor; ImportError without it."""
    names = (f for f in metadata.files("mkl") or [] if f.name.startswith("libmkl_rt."))
    found = next(names, None)
    if found is None:
        raise ImportError("the wheel mkl has no libmkl_rt here")
    lib = ctypes.CDLL(str(found.locate().resolve()), mode=ctypes.RTLD_GLOBAL)
    for name in FUNCTIONS.values():
        getattr(lib, name).restype = None
    return lib


_mkl = _load()


def version() -> str:
    text = ctypes.create_string_buffer(256)
    _mkl.mkl_get_version_string(text, len(text))
    return f"{metadata.version('mkl')} ({text.value.decode().strip()})"


def initialize(threads: int) -> None:
    _mkl.MKL_Set_Num_Threads(threads)


def gemm(m: int, k: int, n: int, form: str = "x w", dtype: str = "float32"):
    """Return a product whose arguments are converted once: a call costs some 0.5 µs besides."""
    a, b = parts.operands(m, k, n, form, dtype)
    y, scalar = np.empty((m, n), dtype), SCALARS[dtype]
    orders = (TRANSPOSED if a.strides[0] < a.strides[1] else AS_IT_IS for a in (a, b))
    numbers = map(ctypes.c_int, (ROW_MAJOR, *orders, m, n, k))
    factors = scalar(1), scalar(0)
    left, right, out = map(_matrix, (a, b, y))
    arguments = (*numbers, factors[0], *left, *right, factors[1], *out)
    call = partial(getattr(_mkl, FUNCTIONS[dtype]), *arguments)

    def multiply():
        call()
        return y

    return multiply


def _matrix(array: np.ndarray) -> tuple[ctypes.c_void_p, ctypes.c_int]:
    """Return a pointer that keeps the array, and the elements from one stored row to the next."""
    return array.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(max(array.strides) // array.itemsize)
