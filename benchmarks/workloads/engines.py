"""Engines, on which fastnn is measured: back end, instruction set, threads.

A process takes up one engine before it loads the native back end, which reads its environment once.
Nothing here, nor in `workloads`, loads it earlier.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """`isa` None is the best of the machine; threads are pinned to as many processors."""

    backend: str = "native"
    isa: str | None = None
    threads: int = 1

    def start(self) -> None:
        """Make this process run so; NotImplementedError, which asv skips, where it cannot."""
        if self.threads > len(cores()):
            raise NotImplementedError(f"there are no {self.threads} processors")
        os.environ["FASTNN_NUM_THREADS"] = str(self.threads)
        if self.isa is not None:
            os.environ["FASTNN_ISA"] = self.isa
        pin(self.threads)
        import fastnn

        try:
            fastnn.kernels.use(self.backend)
            native = fastnn.show_config(mode="dict")["native"]
        except fastnn.FastnnError as error:
            raise NotImplementedError(str(error)) from error
        if self.isa is not None and (native is None or native["isa"] != self.isa):
            raise NotImplementedError(f"the instruction set {self.isa} cannot be chosen here")


def cores() -> list[int]:
    """Return the numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def stay_on(threads: int) -> None:
    """Keep this process on so many processors: the last ones, for the first serve the devices."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[-threads:])


def pin(threads: int) -> None:
    """Keep this process, and the BLAS of NumPy, on so many processors."""
    from threadpoolctl import threadpool_limits

    stay_on(threads)
    threadpool_limits(threads)


#: By the names that tables show.
ENGINES = {
    "native": Engine(),
    "native, 2 threads": Engine(threads=2),
    "native, baseline": Engine(isa="baseline"),
    "native, avx2": Engine(isa="avx2"),
    "native, avx512": Engine(isa="avx512"),
    "numba": Engine("numba"),
    "reference": Engine("reference"),
}
