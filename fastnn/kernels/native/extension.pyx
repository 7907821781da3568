# cython: language_level=3, binding=True, freethreading_compatible=True
"""The C kernels and the C executor, called without the GIL."""

import inspect
import math
import os

from numpy import float64

from fastnn.kernels import contract
from fastnn.utils.resources import cgroup_processors
from fastnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    BackendError,
    CustomFunctionError,
)
from fastnn.utils import checks

cimport numpy as np
from cpython.dict cimport PyDict_GetItem
from cpython.float cimport PyFloat_CheckExact
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM
from cython cimport floating
from libc.math cimport floor
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

cdef extern from "table/fastnn.h" nogil:
    enum:
        FASTNN_MAX_ARRAYS
        FASTNN_MAX_DIMS
        FASTNN_MAX_SCALARS
        FASTNN_MAX_TABLES

    ctypedef enum fastnn_status:
        FASTNN_OK
        FASTNN_BAD_SIZE
        FASTNN_BAD_ACTIVATION
        FASTNN_MISSING_Z
        FASTNN_BAD_LABEL
        FASTNN_BAD_CODE
        FASTNN_DIVERGED
        FASTNN_CUSTOM_RAISED

    ctypedef enum fastnn_dtype:
        FASTNN_FLOAT32
        FASTNN_FLOAT64

    ctypedef enum fastnn_kernel_id:
        FASTNN_KERNEL_COUNT

    const int FASTNN_ACTIVATION_COUNT
    const int FASTNN_SOURCE_COUNT

    ctypedef union fastnn_scalar:
        double f
        int64_t i
        uint64_t u

    ctypedef struct fastnn_args:
        void *array[FASTNN_MAX_ARRAYS]
        int64_t dim[FASTNN_MAX_DIMS]
        fastnn_scalar scalar[FASTNN_MAX_SCALARS]
        double result

    ctypedef struct fastnn_table:
        const char *isa

    const char *fastnn_kernel_names[]
    const char *fastnn_activation_names[]
    const int fastnn_activation_needs_z[]
    const char *fastnn_source_names[]
    int fastnn_usable_tables(const fastnn_table **tables)
    fastnn_status fastnn_call(
        const fastnn_table *table, fastnn_dtype dtype, fastnn_kernel_id kernel, fastnn_args *args
    )

cdef extern from "parallel/threads.h" nogil:
    void fastnn_threads_init(int force, int processors)
    int fastnn_get_threads()
    void fastnn_set_threads(int threads)
    int fastnn_team_at_most(int threads)
    int fastnn_openmp_version()
    const char *fastnn_openmp_runtime()

cdef extern from "parallel/team.h" nogil:
    int fastnn_last_team()

np.import_array()

# --- Set up once, at import ---------------------------------------------------------------------

cdef const fastnn_table *_tables[FASTNN_MAX_TABLES]
cdef int _table_count = fastnn_usable_tables(_tables)
cdef const fastnn_table *_table = _tables[_table_count - 1]


def available_isas():
    """Return the instruction sets that this build has and this machine can run, slowest first."""
    return tuple([_tables[i].isa.decode() for i in range(_table_count)])


def isa_name():
    """Return the instruction set in use."""
    return _table.isa.decode()


def kernel_names():
    """Return the names of the C kernels."""
    return tuple([fastnn_kernel_names[i].decode() for i in range(<int>FASTNN_KERNEL_COUNT)])


def limits():
    """Return how many arrays, dimensions and scalars a kernel may have."""
    return FASTNN_MAX_ARRAYS, FASTNN_MAX_DIMS, FASTNN_MAX_SCALARS


def activations():
    """Return the C activations, each with whether its gradient needs the pre-activation."""
    return {
        fastnn_activation_names[i].decode(): bool(fastnn_activation_needs_z[i])
        for i in range(FASTNN_ACTIVATION_COUNT)
    }


def set_num_threads(int threads):
    """Set the largest team; `fastnn.set_num_threads` checks the number."""
    fastnn_set_threads(threads)


def get_num_threads():
    """Return the largest team."""
    return fastnn_get_threads()


def limit_teams(int threads):
    """Limit the teams of the calling thread; return the limit before."""
    return fastnn_team_at_most(threads)


def last_team():
    """Return the number of threads that ran the latest call of the calling thread."""
    return fastnn_last_team()


def openmp_version():
    """Return the date of the OpenMP standard of the build, as yyyymm; 0 without OpenMP."""
    return fastnn_openmp_version()


def openmp_runtime():
    """Return the name of the OpenMP library, or "none"."""
    return fastnn_openmp_runtime().decode()


cdef int _set_up() except -1:
    global _table
    # An empty variable is how shells and container files unset one.
    team = os.environ.get("FASTNN_TEAM", "").strip() or "auto"
    if team not in ("auto", "force"):
        raise ArgumentError(f"FASTNN_TEAM must be auto or force, got {team!r}")
    fastnn_threads_init(team == "force", cgroup_processors())

    threads = os.environ.get("FASTNN_NUM_THREADS", "").strip()
    if threads:
        if not (threads.isascii() and threads.isdigit() and 1 <= int(threads) < 1 << 16):
            raise ArgumentError(f"FASTNN_NUM_THREADS must be 1 or more, got {threads!r}")
        fastnn_set_threads(int(threads))

    isa = os.environ.get("FASTNN_ISA", "").strip()
    if isa:
        if isa not in available_isas():
            raise BackendError(
                f"FASTNN_ISA={isa!r} is not one of the instruction sets of this machine and build: "
                f"{', '.join(available_isas())}"
            )
        _table = _tables[available_isas().index(isa)]
    return 0


_set_up()

cdef dict _ACTIVATION_CODES = {name: code for code, name in enumerate(activations())}
cdef object _NO_DEFAULT = inspect.Parameter.empty

include "errors.pxi"
include "arguments.pxi"
include "checks.pxi"
include "call.pxi"
include "executor.pxi"
