# cython: language_level=3, binding=True, freethreading_compatible=True
"""Native back end: checks that a call is safe, and hands it to the C kernels without the GIL.

The functions are those of `fastnn.kernels.reference`, which documents them. What is checked here is
what C would otherwise read or write out of bounds.
"""

import os

from fastnn.cgroups import cgroup_processors
from fastnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    BackendError,
    CustomFunctionError,
    unknown_name,
)
from fastnn.kernels.functions import ElementFunction, RowGradient, RowLoss, SlopeFunction

cimport numpy as np
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

cdef extern from "fastnn.h" nogil:
    enum:
        FASTNN_MAX_TABLES

    ctypedef enum fastnn_status:
        FASTNN_OK
        FASTNN_BAD_SIZE
        FASTNN_BAD_ACTIVATION
        FASTNN_MISSING_Z
        FASTNN_BAD_LABEL
        FASTNN_DIVERGED
        FASTNN_CUSTOM_RAISED

    ctypedef enum fastnn_dtype:
        FASTNN_FLOAT32
        FASTNN_FLOAT64

    ctypedef enum fastnn_kernel_id:
        FASTNN_KERNEL_dense_fwd
        FASTNN_KERNEL_dense_bwd
        FASTNN_KERNEL_dense_dropout_fwd
        FASTNN_KERNEL_dense_dropout_bwd
        FASTNN_KERNEL_activation_fwd
        FASTNN_KERNEL_activation_bwd
        FASTNN_KERNEL_philox
        FASTNN_KERNEL_permutation
        FASTNN_KERNEL_dropout_fwd
        FASTNN_KERNEL_dropout_bwd
        FASTNN_KERNEL_softmax
        FASTNN_KERNEL_softmax_cross_entropy
        FASTNN_KERNEL_sigmoid_cross_entropy
        FASTNN_KERNEL_mean_squared_error
        FASTNN_KERNEL_mean_absolute_error
        FASTNN_KERNEL_huber
        FASTNN_KERNEL_poisson
        FASTNN_KERNEL_quantile
        FASTNN_KERNEL_custom_activation_fwd
        FASTNN_KERNEL_custom_activation_bwd
        FASTNN_KERNEL_custom_loss
        FASTNN_KERNEL_penalty
        FASTNN_KERNEL_sum_of_squares
        FASTNN_KERNEL_count_nonfinite
        FASTNN_KERNEL_sgd_step
        FASTNN_KERNEL_momentum_step
        FASTNN_KERNEL_rmsprop_step
        FASTNN_KERNEL_adam_step

    const int FASTNN_KERNEL_COUNT
    const int FASTNN_ACTIVATION_COUNT
    const int FASTNN_SOURCE_COUNT

    ctypedef union fastnn_scalar:
        double f
        int64_t i
        uint64_t u

    ctypedef struct fastnn_args:
        void *array[9]
        int64_t dim[3]
        fastnn_scalar scalar[9]
        double result

    ctypedef struct fastnn_table:
        const char *isa

    const char *fastnn_kernel_names[]
    const char *fastnn_activation_names[]
    const int fastnn_activation_needs_z[]
    const char *fastnn_source_names[]
    int fastnn_usable_tables(const fastnn_table **tables)
    int fastnn_sizes_fit(const int64_t *dim)
    fastnn_status fastnn_call(
        const fastnn_table *table, fastnn_dtype dtype, fastnn_kernel_id kernel, fastnn_args *args
    )

cdef extern from "threads.h" nogil:
    void fastnn_threads_init(int force, int processors)
    int fastnn_get_threads()
    void fastnn_set_threads(int threads)
    int fastnn_openmp_version()
    const char *fastnn_openmp_runtime()

cdef extern from "team.h" nogil:
    int fastnn_last_team()

np.import_array()

# --- Set up once, at import ---------------------------------------------------------------------

cdef const fastnn_table *_tables[FASTNN_MAX_TABLES]
cdef int _table_count = fastnn_usable_tables(_tables)
cdef const fastnn_table *_table = _tables[_table_count - 1]


def available_isas():
    """Instruction sets that this build holds and this machine can run, slowest first."""
    return tuple([_tables[i].isa.decode() for i in range(_table_count)])


def isa_name():
    """The instruction set in use."""
    return _table.isa.decode()


def kernel_names():
    """Names of the C kernels."""
    return tuple([fastnn_kernel_names[i].decode() for i in range(FASTNN_KERNEL_COUNT)])


def activations():
    """Names of the C activations, each with whether its gradient needs the pre-activation."""
    return {
        fastnn_activation_names[i].decode(): bool(fastnn_activation_needs_z[i])
        for i in range(FASTNN_ACTIVATION_COUNT)
    }


def set_num_threads(int threads):
    """Set the largest team; `fastnn.set_num_threads` checks the number."""
    fastnn_set_threads(threads)


def get_num_threads():
    """The largest team."""
    return fastnn_get_threads()


def last_team():
    """Number of threads that ran the latest call of the calling thread."""
    return fastnn_last_team()


def openmp_version():
    """Date of the OpenMP standard that the build follows, as yyyymm; 0 without OpenMP."""
    return fastnn_openmp_version()


def openmp_runtime():
    """Name of the OpenMP library, or "none"."""
    return fastnn_openmp_runtime().decode()


cdef int _set_up() except -1:
    global _table
    team = os.environ.get("FASTNN_TEAM", "auto")
    if team not in ("auto", "force"):
        raise ArgumentError(f"FASTNN_TEAM must be auto or force, got {team!r}")
    fastnn_threads_init(team == "force", cgroup_processors())

    threads = os.environ.get("FASTNN_NUM_THREADS")
    if threads is not None:
        if not (threads.isascii() and threads.isdigit() and 1 <= int(threads) < 1 << 16):
            raise ArgumentError(f"FASTNN_NUM_THREADS must be 1 or more, got {threads!r}")
        fastnn_set_threads(int(threads))

    isa = os.environ.get("FASTNN_ISA")
    if isa is not None:
        if isa not in available_isas():
            raise BackendError(
                f"FASTNN_ISA={isa!r} is not one of the instruction sets of this machine and build: "
                f"{', '.join(available_isas())}"
            )
        _table = _tables[available_isas().index(isa)]
    return 0


_set_up()

__all__ = list(kernel_names())

cdef dict _ACTIVATION_CODES = {name: code for code, name in enumerate(activations())}

# --- Checks -------------------------------------------------------------------------------------

cdef enum:
    READ = 0
    WRITE = 1
    OPTIONAL = 2


cdef object _described(object array):
    """What came, for an error message."""
    if not isinstance(array, np.ndarray):
        return type(array).__name__
    notes = "" if array.flags.c_contiguous else ", not C-contiguous"
    notes += "" if array.flags.aligned else ", not aligned"
    notes += "" if array.flags.writeable else ", read-only"
    return f"a {array.dtype} array of shape {array.shape}{notes}"


cdef int _refuse(
    object array, str name, int typenum, int access, int ndim, const np.npy_intp *shape
) except -1:
    """Raises the error for an array that `_data` cannot use."""
    dtype = np.PyArray_DescrFromType(typenum)
    expected = tuple([shape[i] for i in range(ndim)])
    kind = "writeable, " if access & WRITE else ""
    message = (
        f"{name} must be a {kind}C-contiguous {dtype} array of shape {expected}; "
        f"got {_described(array)}"
    )
    if isinstance(array, np.ndarray) and array.dtype == dtype:
        raise ArgumentError(message)
    raise ArgumentTypeError(message)


cdef void *_data(
    object array, str name, int typenum, int access, int ndim, const np.npy_intp *shape
) except? NULL:
    """Address of the elements of an array of exactly this type, shape and access."""
    cdef np.ndarray a
    if array is None and access & OPTIONAL:
        return NULL
    if isinstance(array, np.ndarray):
        a = <np.ndarray>array
        if (
            np.PyArray_TYPE(a) == typenum
            and np.PyArray_ISCARRAY_RO(a)
            and (np.PyArray_ISWRITEABLE(a) or not access & WRITE)
            and np.PyArray_NDIM(a) == ndim
            and np.PyArray_CompareLists(np.PyArray_DIMS(a), shape, ndim)
        ):
            return np.PyArray_DATA(a)
    _refuse(array, name, typenum, access, ndim, shape)


cdef inline void *_vector(
    object array, str name, int typenum, int access, np.npy_intp n
) except? NULL:
    return _data(array, name, typenum, access, 1, &n)


cdef inline void *_matrix(
    object array, str name, int typenum, int access, np.npy_intp rows, np.npy_intp cols
) except? NULL:
    cdef np.npy_intp[2] shape
    shape[0], shape[1] = rows, cols
    return _data(array, name, typenum, access, 2, shape)


cdef inline void *_like(
    object array, str name, int typenum, int access, np.ndarray first
) except? NULL:
    return _data(array, name, typenum, access, np.PyArray_NDIM(first), np.PyArray_DIMS(first))


cdef np.ndarray _real(object array, str name, int ndim=-1):
    """The array that settles the dtype and dimensions of a call; ndim -1 is any."""
    if not isinstance(array, np.ndarray):
        raise ArgumentTypeError(f"{name} must be a NumPy array; got {_described(array)}")
    cdef int typenum = np.PyArray_TYPE(<np.ndarray>array)
    if typenum != np.NPY_FLOAT and typenum != np.NPY_DOUBLE:
        raise ArgumentTypeError(f"{name} must be float32 or float64; got {_described(array)}")
    if ndim >= 0 and np.PyArray_NDIM(<np.ndarray>array) != ndim:
        raise ArgumentError(f"{name} must have {ndim} dimensions; got {_described(array)}")
    return <np.ndarray>array


cdef int64_t _activation(object name) except -1:
    try:
        return _ACTIVATION_CODES[name]
    except (KeyError, TypeError):
        raise unknown_name("activation", name, _ACTIVATION_CODES) from None


cdef uint64_t _function(object function, str name, type kind, int typenum) except? 0:
    """Address of a function of the user, compiled for the type at hand."""
    if type(function) is not kind:
        raise ArgumentTypeError(f"{name} must be a {kind.__name__}, got {function!r}")
    return function.address(np.PyArray_DescrFromType(typenum))


cdef int _raise_function_error() except -1:
    raise CustomFunctionError(
        "a function of an activation or a loss raised an exception; under "
        "fastnn.kernels.use('reference') it shows, with its traceback"
    )


cdef int _run(fastnn_kernel_id kernel, int typenum, fastnn_args *args) except -1:
    cdef fastnn_dtype dtype = FASTNN_FLOAT64 if typenum == np.NPY_DOUBLE else FASTNN_FLOAT32
    cdef fastnn_status status
    with nogil:
        status = fastnn_call(_table, dtype, kernel, args)
    if status == FASTNN_OK:
        return 0
    if status == FASTNN_MISSING_Z:
        raise ArgumentError("z must be given: the gradient of this activation needs it")
    if status == FASTNN_BAD_LABEL:
        raise ArgumentError(f"target must hold class numbers from 0 to {args.dim[1] - 1}")
    if status == FASTNN_CUSTOM_RAISED:
        _raise_function_error()
    raise BackendError(f"the native kernel refused its arguments (status {<int>status})")


# --- Kernels ------------------------------------------------------------------------------------


def dense_fwd(y, x, w, b, activation, z=None):
    cdef fastnn_args args
    cdef int t = np.PyArray_TYPE(_real(x, "x", 2))
    cdef np.npy_intp B = np.PyArray_DIM(x, 0), I = np.PyArray_DIM(x, 1)
    cdef np.npy_intp O = np.PyArray_DIM(_real(w, "w", 2), 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _matrix(y, "y", t, WRITE, B, O)
    args.array[1] = _matrix(x, "x", t, READ, B, I)
    args.array[2] = _matrix(w, "w", t, READ, I, O)
    args.array[3] = _vector(b, "b", t, OPTIONAL, O)
    args.array[4] = _matrix(z, "z", t, WRITE | OPTIONAL, B, O)
    args.dim[0], args.dim[1], args.dim[2] = B, I, O
    args.scalar[0].i = _activation(activation)
    _run(FASTNN_KERNEL_dense_fwd, t, &args)


def dense_bwd(dx, dw, db, dy, y, x, w, activation, z=None):
    cdef fastnn_args args
    cdef int t = np.PyArray_TYPE(_real(x, "x", 2))
    cdef np.npy_intp B = np.PyArray_DIM(x, 0), I = np.PyArray_DIM(x, 1)
    cdef np.npy_intp O = np.PyArray_DIM(_real(w, "w", 2), 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _matrix(dx, "dx", t, WRITE | OPTIONAL, B, I)
    args.array[1] = _matrix(dw, "dw", t, WRITE, I, O)
    args.array[2] = _vector(db, "db", t, WRITE | OPTIONAL, O)
    args.array[3] = _matrix(dy, "dy", t, WRITE, B, O)
    args.array[4] = _matrix(y, "y", t, READ, B, O)
    args.array[5] = _matrix(x, "x", t, READ, B, I)
    args.array[6] = _matrix(w, "w", t, READ, I, O)
    args.array[7] = _matrix(z, "z", t, OPTIONAL, B, O)
    args.dim[0], args.dim[1], args.dim[2] = B, I, O
    args.scalar[0].i = _activation(activation)
    _run(FASTNN_KERNEL_dense_bwd, t, &args)


def dense_dropout_fwd(y, mask, x, w, b, activation, rate, seed, offset, z=None):
    cdef fastnn_args args
    cdef int t = np.PyArray_TYPE(_real(x, "x", 2))
    cdef np.npy_intp B = np.PyArray_DIM(x, 0), I = np.PyArray_DIM(x, 1)
    cdef np.npy_intp O = np.PyArray_DIM(_real(w, "w", 2), 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _matrix(y, "y", t, WRITE, B, O)
    args.array[1] = _vector(mask, "mask", np.NPY_UINT8, WRITE, (B * O + 7) // 8)
    args.array[2] = _matrix(x, "x", t, READ, B, I)
    args.array[3] = _matrix(w, "w", t, READ, I, O)
    args.array[4] = _vector(b, "b", t, OPTIONAL, O)
    args.array[5] = _matrix(z, "z", t, WRITE | OPTIONAL, B, O)
    args.dim[0], args.dim[1], args.dim[2] = B, I, O
    args.scalar[0].i, args.scalar[1].f = _activation(activation), rate
    args.scalar[2].u, args.scalar[3].u = seed, offset
    _run(FASTNN_KERNEL_dense_dropout_fwd, t, &args)


def dense_dropout_bwd(dx, dw, db, dy, y, mask, x, w, activation, rate, z=None):
    cdef fastnn_args args
    cdef int t = np.PyArray_TYPE(_real(x, "x", 2))
    cdef np.npy_intp B = np.PyArray_DIM(x, 0), I = np.PyArray_DIM(x, 1)
    cdef np.npy_intp O = np.PyArray_DIM(_real(w, "w", 2), 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _matrix(dx, "dx", t, WRITE | OPTIONAL, B, I)
    args.array[1] = _matrix(dw, "dw", t, WRITE, I, O)
    args.array[2] = _vector(db, "db", t, WRITE | OPTIONAL, O)
    args.array[3] = _matrix(dy, "dy", t, WRITE, B, O)
    args.array[4] = _matrix(y, "y", t, READ, B, O)
    args.array[5] = _vector(mask, "mask", np.NPY_UINT8, READ, (B * O + 7) // 8)
    args.array[6] = _matrix(x, "x", t, READ, B, I)
    args.array[7] = _matrix(w, "w", t, READ, I, O)
    args.array[8] = _matrix(z, "z", t, OPTIONAL, B, O)
    args.dim[0], args.dim[1], args.dim[2] = B, I, O
    args.scalar[0].i, args.scalar[1].f = _activation(activation), rate
    _run(FASTNN_KERNEL_dense_dropout_bwd, t, &args)


def activation_fwd(y, z, activation):
    cdef fastnn_args args
    cdef np.ndarray first = _real(z, "z")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _like(z, "z", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].i = _activation(activation)
    _run(FASTNN_KERNEL_activation_fwd, t, &args)


def activation_bwd(dz, dy, y, z, activation):
    cdef fastnn_args args
    cdef np.ndarray first = _real(dy, "dy")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dz, "dz", t, WRITE, first)
    args.array[1] = _like(dy, "dy", t, READ, first)
    args.array[2] = _like(y, "y", t, READ, first)
    args.array[3] = _like(z, "z", t, OPTIONAL, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].i = _activation(activation)
    _run(FASTNN_KERNEL_activation_bwd, t, &args)


cdef np.npy_intp _length(object array, str name) except -1:
    if not isinstance(array, np.ndarray) or np.PyArray_NDIM(<np.ndarray>array) != 1:
        raise ArgumentTypeError(f"{name} must be a 1-D NumPy array; got {_described(array)}")
    return np.PyArray_DIM(<np.ndarray>array, 0)


def philox(words, seed, offset):
    cdef fastnn_args args
    memset(&args, 0, sizeof(args))
    args.dim[0] = _length(words, "words")
    args.array[0] = _vector(words, "words", np.NPY_UINT32, WRITE, args.dim[0])
    args.scalar[0].u, args.scalar[1].u = seed, offset
    _run(FASTNN_KERNEL_philox, np.NPY_FLOAT, &args)


def permutation(order, seed, offset):
    cdef fastnn_args args
    memset(&args, 0, sizeof(args))
    args.dim[0] = _length(order, "order")
    args.array[0] = _vector(order, "order", np.NPY_INT64, WRITE, args.dim[0])
    args.scalar[0].u, args.scalar[1].u = seed, offset
    _run(FASTNN_KERNEL_permutation, np.NPY_FLOAT, &args)


def dropout_fwd(y, mask, x, rate, seed, offset):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x")
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp n = np.PyArray_SIZE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _vector(mask, "mask", np.NPY_UINT8, WRITE, (n + 7) // 8)
    args.array[2] = _like(x, "x", t, READ, first)
    args.dim[0] = n
    args.scalar[0].f, args.scalar[1].u, args.scalar[2].u = rate, seed, offset
    _run(FASTNN_KERNEL_dropout_fwd, t, &args)


def dropout_bwd(dx, mask, dy, rate):
    cdef fastnn_args args
    cdef np.ndarray first = _real(dy, "dy")
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp n = np.PyArray_SIZE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dx, "dx", t, WRITE, first)
    args.array[1] = _vector(mask, "mask", np.NPY_UINT8, READ, (n + 7) // 8)
    args.array[2] = _like(dy, "dy", t, READ, first)
    args.dim[0] = n
    args.scalar[0].f = rate
    _run(FASTNN_KERNEL_dropout_bwd, t, &args)


def softmax(y, z):
    cdef fastnn_args args
    cdef np.ndarray first = _real(z, "z", 2)
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _like(z, "z", t, READ, first)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), np.PyArray_DIM(first, 1)
    _run(FASTNN_KERNEL_softmax, t, &args)


def softmax_cross_entropy(dz, z, target, weight, label_smoothing) -> float:
    cdef fastnn_args args
    cdef np.ndarray first = _real(z, "z", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp B = np.PyArray_DIM(first, 0)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dz, "dz", t, WRITE | OPTIONAL, first)
    args.array[1] = _like(z, "z", t, READ, first)
    if isinstance(target, np.ndarray) and np.PyArray_NDIM(<np.ndarray>target) == 1:
        args.array[3] = _vector(target, "target", np.NPY_INT64, READ, B)
    else:
        args.array[2] = _like(target, "target", t, READ, first)
    args.array[4] = _vector(weight, "weight", t, OPTIONAL, B)
    args.dim[0], args.dim[1] = B, np.PyArray_DIM(first, 1)
    args.scalar[0].f = label_smoothing
    _run(FASTNN_KERNEL_softmax_cross_entropy, t, &args)
    return args.result


cdef object _outputwise_loss(
    fastnn_kernel_id kernel, str name, object dy, object y, object target, object weight,
    double parameter=0,
):
    cdef fastnn_args args
    cdef np.ndarray first = _real(y, name, 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp B = np.PyArray_DIM(first, 0)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dy, "dy" if name == "y" else "dz", t, WRITE | OPTIONAL, first)
    args.array[1] = _like(y, name, t, READ, first)
    args.array[2] = _like(target, "target", t, READ, first)
    args.array[3] = _vector(weight, "weight", t, OPTIONAL, B)
    args.dim[0], args.dim[1] = B, np.PyArray_DIM(first, 1)
    args.scalar[0].f = parameter
    _run(kernel, t, &args)
    return args.result


def sigmoid_cross_entropy(dz, z, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_sigmoid_cross_entropy, "z", dz, z, target, weight)


def mean_squared_error(dy, y, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_mean_squared_error, "y", dy, y, target, weight)


def mean_absolute_error(dy, y, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_mean_absolute_error, "y", dy, y, target, weight)


def huber(dy, y, target, weight, delta) -> float:
    return _outputwise_loss(FASTNN_KERNEL_huber, "y", dy, y, target, weight, delta)


def poisson(dz, z, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_poisson, "z", dz, z, target, weight)


def quantile(dy, y, target, weight, q) -> float:
    return _outputwise_loss(FASTNN_KERNEL_quantile, "y", dy, y, target, weight, q)


def custom_activation_fwd(y, z, function):
    cdef fastnn_args args
    cdef np.ndarray first = _real(z, "z")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _like(z, "z", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].u = _function(function, "function", ElementFunction, t)
    _run(FASTNN_KERNEL_custom_activation_fwd, t, &args)


def custom_activation_bwd(dz, dy, y, z, derivative):
    cdef fastnn_args args
    cdef np.ndarray first = _real(dy, "dy")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dz, "dz", t, WRITE, first)
    args.array[1] = _like(dy, "dy", t, READ, first)
    args.array[2] = _like(y, "y", t, READ, first)
    args.array[3] = _like(z, "z", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].u = _function(derivative, "derivative", SlopeFunction, t)
    _run(FASTNN_KERNEL_custom_activation_bwd, t, &args)


def custom_loss(dy, y, target, weight, row_loss, row_gradient) -> float:
    cdef fastnn_args args
    cdef np.ndarray first = _real(y, "y", 2)
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dy, "dy", t, WRITE | OPTIONAL, first)
    args.array[1] = _like(y, "y", t, READ, first)
    args.array[2] = _like(target, "target", t, READ, first)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), np.PyArray_DIM(first, 1)
    args.array[3] = _vector(weight, "weight", t, OPTIONAL, args.dim[0])
    args.scalar[0].u = _function(row_loss, "row_loss", RowLoss, t)
    args.scalar[1].u = _function(row_gradient, "row_gradient", RowGradient, t)
    _run(FASTNN_KERNEL_custom_loss, t, &args)
    return args.result


def penalty(dp, p, l1, l2) -> float:
    cdef fastnn_args args
    cdef np.ndarray first = _real(p, "p")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(dp, "dp", t, WRITE | OPTIONAL, first)
    args.array[1] = _like(p, "p", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].f, args.scalar[1].f = l1, l2
    _run(FASTNN_KERNEL_penalty, t, &args)
    return args.result


cdef double _sum(fastnn_kernel_id kernel, object x) except? -1:
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(x, "x", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    _run(kernel, t, &args)
    return args.result


def sum_of_squares(x) -> float:
    return _sum(FASTNN_KERNEL_sum_of_squares, x)


def count_nonfinite(x) -> float:
    return _sum(FASTNN_KERNEL_count_nonfinite, x)


cdef int _step(
    fastnn_args *args, object p, object dp, str name1=None, object slot1=None, str name2=None,
    object slot2=None,
) except -1:
    """Fills in the arrays of an optimizer step and returns their type."""
    cdef np.ndarray first = _real(p, "p")
    cdef int t = np.PyArray_TYPE(first)
    memset(args, 0, sizeof(args[0]))
    args.array[0] = _like(p, "p", t, WRITE, first)
    args.array[1] = _like(dp, "dp", t, READ, first)
    if name1 is not None:
        args.array[2] = _like(slot1, name1, t, WRITE, first)
    if name2 is not None:
        args.array[3] = _like(slot2, name2, t, WRITE, first)
    args.dim[0] = np.PyArray_SIZE(first)
    return t


cdef void _complete(fastnn_args *args, int at, double l1, double l2, double scale):
    """Fills in what makes a gradient whole, from scalar `at` on."""
    args.scalar[at].f, args.scalar[at + 1].f, args.scalar[at + 2].f = l1, l2, scale


def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp)
    args.scalar[0].f, args.scalar[1].f = lr, weight_decay
    _complete(&args, 2, l1, l2, scale)
    _run(FASTNN_KERNEL_sgd_step, t, &args)


def momentum_step(p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, "v", v)
    args.scalar[0].f, args.scalar[1].f = lr, momentum
    args.scalar[2].i, args.scalar[3].f = bool(nesterov), weight_decay
    _complete(&args, 4, l1, l2, scale)
    _run(FASTNN_KERNEL_momentum_step, t, &args)


def rmsprop_step(p, dp, s, lr, rho, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, "s", s)
    args.scalar[0].f, args.scalar[1].f = lr, rho
    args.scalar[2].f, args.scalar[3].f = eps, weight_decay
    _complete(&args, 4, l1, l2, scale)
    _run(FASTNN_KERNEL_rmsprop_step, t, &args)


def adam_step(p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    cdef fastnn_args args
    cdef int typenum = _step(&args, p, dp, "m", m, "v", v)
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f, args.scalar[4].i, args.scalar[5].f = eps, t, weight_decay
    _complete(&args, 6, l1, l2, scale)
    _run(FASTNN_KERNEL_adam_step, typenum, &args)


include "_executor.pxi"
