"""Native back end: checks that a call is safe, and hands it to the C kernels without the GIL.

The functions are those of `fastnn.kernels.reference`, which documents them. What is checked here is
what C would otherwise read or write out of bounds.
"""

from ..slots import array_slots, scalar_slots
from ..table import KERNELS
from .extension import (
    COPY,
    KernelCall,
    Pool,
    Program,
    Run,
    activations,
    available_isas,
    get_num_threads,
    isa_name,
    kernel_names,
    last_team,
    limit_teams,
    limits,
    op_size,
    openmp_runtime,
    openmp_version,
    set_num_threads,
    sources,
    transform_size,
)

__all__ = [
    "COPY",
    "Pool",
    "Program",
    "Run",
    "activations",
    "available_isas",
    "get_num_threads",
    "isa_name",
    "kernel_names",
    "last_team",
    "limit_teams",
    "limits",
    "op_size",
    "openmp_runtime",
    "openmp_version",
    "set_num_threads",
    "sources",
    "transform_size",
]


def _call_of(name: str) -> KernelCall:
    """Return the kernel of C as a function with the signature of the reference."""
    return KernelCall(KERNELS[name], array_slots(name), scalar_slots(name))


globals().update({name: _call_of(name) for name in kernel_names() if name in KERNELS})
