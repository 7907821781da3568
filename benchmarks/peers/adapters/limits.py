"""The machine itself, by limits.c: what no program can pass."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("limits.c")
FLAGS = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
# Without it, gcc replaces the copy loop by a call of memcpy.
OF_GCC = "-fno-tree-loop-distribute-patterns"
#: What holds this processor to an older instruction set.
WITHOUT = {"native": [], "avx2": ["-mavx2", "-mfma", "-mno-avx512f"]}
POINTER = ctypes.c_void_p

_threads = 1


def version() -> str:
    return platform.machine()


def initialize(threads: int) -> None:
    global _threads
    _threads = threads
    library()


def fma(flops: int, isa: str = "native"):
    """Return a function that does `flops` operations on each core in use, in registers."""
    lib = library(isa)
    rounds = flops // lib.fma_flops_per_round()
    return _on_each_core(lambda core: lib.fma_rounds(rounds))


def stream(size: int):
    """Return a function of four reads and three writes on arrays of `size` floats, as in Adam."""
    return _on_shares(library().stream, np.zeros((4, size), np.float32))


def copy(size: int):
    """Return a function that copies one array of floats to another."""
    return _on_shares(library().copy, np.zeros((2, size), np.float32))


@cache
def library(isa: str = "native") -> ctypes.CDLL:
    """Return the compiled limits.c; RuntimeError with the compiler's words where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "limits.so"))
        _compile(target, WITHOUT[isa])
        lib = ctypes.CDLL(target)
    lib.fma_rounds.argtypes, lib.fma_rounds.restype = [ctypes.c_size_t], ctypes.c_float
    lib.stream.argtypes, lib.stream.restype = [*[POINTER] * 4, ctypes.c_size_t], None
    lib.copy.argtypes, lib.copy.restype = [POINTER, POINTER, ctypes.c_size_t], None
    return lib


def _compile(target: str, more: list[str]) -> None:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        raise RuntimeError("there is no C compiler")
    for flags in ([*FLAGS, *more, OF_GCC], [*FLAGS, *more]):
        command = [*compiler.split(), *flags, str(SOURCE), "-o", target]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode == 0:
            return
    raise RuntimeError(f"{compiler} cannot compile {SOURCE.name}: {outcome.stderr.strip()}")


def _on_shares(function, arrays: np.ndarray):
    """Call function(pointers…, count) on an equal share of the columns for each thread."""
    bounds = np.linspace(0, arrays.shape[1], _threads + 1).astype(int)

    def share(core: int) -> None:
        low, high = bounds[core : core + 2]
        function(*(POINTER(a[low:].ctypes.data) for a in arrays), high - low)

    return _on_each_core(share)


def _on_each_core(function):
    """Call function(core) side by side; ctypes lets go of the interpreter's lock meanwhile."""
    if _threads == 1:
        return lambda: function(0)
    pool = ThreadPoolExecutor(_threads)
    return lambda: list(pool.map(function, range(_threads)))
