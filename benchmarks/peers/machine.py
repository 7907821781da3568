"""Compiles and calls machine.c, and describes the machine it measures."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from workloads.engines import cores

SOURCE = Path(__file__).with_name("machine.c")
# Without the last flag, gcc replaces the copy loop by a call of memcpy.
FLAGS = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
GCC_FLAGS = [*FLAGS, "-fno-tree-loop-distribute-patterns"]

POINTER = ctypes.c_void_p


@cache
def library() -> ctypes.CDLL:
    """The compiled machine.c; RuntimeError with the compiler's words where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "machine.so"))
        _compile(target)
        lib = ctypes.CDLL(target)
    lib.fma_rounds.argtypes, lib.fma_rounds.restype = [ctypes.c_size_t], ctypes.c_float
    lib.stream.argtypes, lib.stream.restype = [*[POINTER] * 4, ctypes.c_size_t], None
    lib.copy.argtypes, lib.copy.restype = [POINTER, POINTER, ctypes.c_size_t], None
    return lib


def _compile(target: str) -> None:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        raise RuntimeError("there is no C compiler")
    for flags in (GCC_FLAGS, FLAGS):
        command = [*compiler.split(), *flags, str(SOURCE), "-o", target]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode == 0:
            return
    raise RuntimeError(f"{compiler} cannot compile {SOURCE.name}: {outcome.stderr.strip()}")


def describe() -> dict[str, object]:
    """Processor, cores that may be used, system and Python."""
    return {
        "processor": processor(),
        "cores": len(cores()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def processor() -> str:
    """Return the name of the processor, as the system knows it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = (line.split(":")[1].strip() for line in text.splitlines() if "model name" in line)
    return next(names, platform.processor())
