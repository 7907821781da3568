"""The machine itself: what no program can pass."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .. import machine

ROUNDS = 100_000  # of fused multiply-adds in one call, some milliseconds

_threads = 1


def version() -> str:
    return machine.processor()


def initialize(threads: int) -> None:
    global _threads
    _threads = threads
    machine.library()


def fma(flops: int):
    """`flops` floating-point operations on each core in use, in registers."""
    lib = machine.library()
    rounds = flops // lib.fma_flops_per_round()
    return _on_each_core(lambda core: lib.fma_rounds(rounds))


def stream(size: int):
    """Four reads and three writes on arrays of `size` floats, as Adam has."""
    arrays = np.zeros((4, size), np.float32)
    return _on_shares(machine.library().stream, arrays)


def copy(size: int):
    """One array of floats to another."""
    return _on_shares(machine.library().copy, np.zeros((2, size), np.float32))


def _on_shares(function, arrays: np.ndarray):
    """Calls function(pointers…, count) on an equal share of the columns for each thread."""
    bounds = np.linspace(0, arrays.shape[1], _threads + 1).astype(int)

    def share(core: int) -> None:
        low, high = bounds[core : core + 2]
        function(*(ctypes.c_void_p(a[low:].ctypes.data) for a in arrays), high - low)

    return _on_each_core(share)


def _on_each_core(function):
    """ctypes lets go of the interpreter's lock, so Python's threads are enough."""
    if _threads == 1:
        return lambda: function(0)
    pool = ThreadPoolExecutor(_threads)
    return lambda: list(pool.map(function, range(_threads)))
