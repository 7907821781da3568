"""The parallel loops of a training step and the cost of a barrier, from the C code itself.

Kernels are compiled with `native/recorder.c` in place of what runs loops, so that a call tells into
how many tasks it is cut and runs none of them; the barrier is that of csrc/parallel.
"""

from __future__ import annotations

import ctypes
import math
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workloads import Workload
from workloads.engines import cores

import fastnn
from fastnn import kernels
from fastnn.ir.program import Op, Plan, Ref
from fastnn.kernels.slots import ScalarSlot, argument_slots

HERE, CSRC = Path(__file__).with_name("native"), Path(__file__).resolve().parents[2] / "csrc"
FLAGS = ("-std=gnu11", "-march=native", "-shared", "-fPIC", f"-I{CSRC}")
STEP = ("forward", "loss", "backward", "penalty", "check", "update")  # stages, in this order
MOST = 16  # arrays, dimensions and scalars of a kernel
MAX_LOOPS = 64
BARRIERS, REPEATS = 100, 1000  # short enough to fall between two turns of other programs
BURSTS, PAUSE = 20, 0.2  # seconds: the system may put the threads on other cores meanwhile


class Arguments(ctypes.Structure):
    """`fastnn_args` of csrc/table/fastnn.h."""

    _fields_ = (
        ("array", ctypes.c_void_p * MOST),
        ("dim", ctypes.c_int64 * MOST),
        ("scalar", ctypes.c_int64 * MOST),
        ("result", ctypes.c_double),
    )


class Recorded(ctypes.Structure):
    """`loop` of native/recorder.c."""

    _fields_ = (("tasks", ctypes.c_int64), ("nanoseconds", ctypes.c_double))


@dataclass(frozen=True)
class Loop:
    """A parallel loop with a barrier behind it.

    `seconds` is what C estimates for one core, `bytes` what its arrays move between memory and the
    caches if they are in memory.
    """

    name: str
    tasks: int
    seconds: float
    bytes: int


def step_loops(plan: Plan, workload: Workload) -> list[Loop]:
    """Return the loops of a step in their order."""
    batch = workload.batch * (workload.sizes[0] * 4 + 8)  # float32 inputs, int64 classes
    shape = workload.batch, workload.sizes[0]
    gathered = _taken("gather", 2 * batch, _recorder().loops_of_batch, *shape)
    ops = (op for stage in STEP for op in plan.stages[stage])
    return [*gathered, *(loop for op in ops for loop in _loops_of_op(op, plan.n_rows))]


def barrier_seconds(threads: int) -> list[float]:
    """Return the least of each burst of measurements; nothing if the threads were not granted."""
    measure = _library("barrier", *(CSRC / "parallel").glob("*.c"), flags=("-O2", "-fopenmp"))
    measure.barrier_cost.restype = ctypes.c_double
    measure.barrier_cost.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64]
    found = []
    for _ in range(BURSTS):
        costs = [measure.barrier_cost(threads, len(cores()), BARRIERS) for _ in range(REPEATS)]
        found += [min(costs) / 1e9] if min(costs) >= 0 else []
        time.sleep(PAUSE)
    return found


def _loops_of_op(op: Op, n_rows: int) -> list[Loop]:
    numbers = {name: i for i, name in enumerate(kernels.implementation("native").kernel_names())}
    assert isinstance(op.kernel, str)
    arguments = _arguments(op, n_rows)
    call = _recorder().loops_of_kernel
    return _taken(op.kernel, _bytes(op, n_rows), call, numbers[op.kernel], ctypes.byref(arguments))


def _taken(name: str, moved: int, record: Any, *arguments: Any) -> list[Loop]:
    """Return what a call recorded; the longest loop is taken to move all the arrays."""
    found = (Recorded * MAX_LOOPS)()
    recorded = found[: record(*arguments, found)]
    longest = max(recorded, key=lambda loop: loop.nanoseconds, default=None)
    return [
        Loop(name, loop.tasks, loop.nanoseconds / 1e9, moved if loop is longest else 0)
        for loop in recorded
    ]


def _arguments(op: Op, n_rows: int) -> Arguments:
    """Return the sizes of an op's arrays; their addresses are never read."""
    assert isinstance(op.kernel, str)
    found = Arguments()
    activations = list(kernels.implementation("native").activations())
    for slot in argument_slots(op.kernel):
        value = op.arguments.get(slot.name, slot.default)
        if isinstance(slot, ScalarSlot):
            found.scalar[slot.slot] = activations.index(value) if value in activations else 0
        elif value is not None:
            labels = slot.array.dtype == "target" and value.dtype.kind == "i"
            found.array[slot.slot + labels] = ctypes.addressof(found)
            shape = value.full_shape(n_rows)
            if not slot.array.is_mask:
                for dim, size in zip(slot.dims, _sizes(slot.array.shape, shape), strict=False):
                    found.dim[dim] = size
    return found


def _sizes(wanted: str, shape: Sequence[int]) -> Sequence[int]:
    return [math.prod(shape)] if wanted == "*" else shape


def _bytes(op: Op, n_rows: int) -> int:
    """Return what an op reads and writes; arrays that are updated count twice."""
    arrays = kernels.KERNELS[op.kernel].arrays
    refs = ((name, ref) for name, ref in op.arguments.items() if isinstance(ref, Ref))
    return sum(
        ref.count(n_rows) * ref.dtype.itemsize * len(arrays[name].access) for name, ref in refs
    )


@cache
def _recorder() -> ctypes.CDLL:
    isa = fastnn.show_config(mode="dict")["native"]["isa"]
    names = f"isa/{isa}", "executor/batch", "parallel/threads", "parallel/contention"
    sources = (CSRC / f"{name}.c" for name in names)
    lib = _library("recorder", *sources, flags=("-O0", "-w", f"-DTABLE=fastnn_table_{isa}"))
    lib.loops_of_kernel.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
    lib.loops_of_batch.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    lib.loops_of_kernel.restype = lib.loops_of_batch.restype = ctypes.c_int64
    return lib


@cache
def _library(name: str, *sources: Path, flags: tuple[str, ...]) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, f"{name}.so"))
        files = (str(HERE / f"{name}.c"), *map(str, sources))
        subprocess.run(["cc", *FLAGS, *flags, *files, "-lm", "-o", target], check=True)
        return ctypes.CDLL(target)
