# Arguments of kernels, as rows of the table describe them. Included by extension.pyx.

cdef enum:  # instead of a NumPy type: that of the call; the same, or class numbers
    REAL = -1
    TARGET = -2

cdef enum shape_kind:
    NAMED  # dimensions that have names
    ANY  # any shape, the same for all such arrays
    BITS  # one bit for each element of a shape of named dimensions, or of any

cdef enum scalar_kind:
    REAL_SCALAR
    INTEGER
    BOOLEAN
    WORD
    ACTIVATION
    FUNCTION

cdef struct array_argument:
    int position, slot, typenum, access
    shape_kind shape
    int dims
    int dim[FASTNN_MAX_DIMS]
    unsigned int same  # bit i for the array i that may be one and the same

cdef struct scalar_argument:
    int position
    scalar_kind kind
    fastnn_scalar lowest, highest  # of numbers

cdef struct row_selection:  # numbers in an array that select rows of a table
    int array  # with the numbers, -1 for none
    int column  # the scalar with their column, or -1
    int count_dim, count_scalar  # where the number of rows is, or -1

cdef struct call_sizes:  # what the arrays of a call have in common, as far as they have been seen
    int typenum  # of real arrays, or REAL
    unsigned int known  # bit d for dimension d
    int ndim  # of any shape, or -1
    const np.npy_intp *shape

cdef dict _SCALAR_KINDS = {
    "real": REAL_SCALAR, "integer": INTEGER, "boolean": BOOLEAN, "word": WORD,
    "activation": ACTIVATION,
}
cdef dict _TYPENUMS = {"real": REAL, "target": TARGET}


cdef bint _has_classes(const array_argument *argument, np.ndarray array) noexcept:
    """Return whether an array holds the class numbers of a target, one for each row."""
    return argument.typenum == TARGET and np.PyArray_NDIM(array) == 1


cdef bint _takes_shape(
    const array_argument *argument, int dims, np.ndarray array, call_sizes *sizes, int64_t *dim
) noexcept:
    """Return whether a shape agrees with those before; set the dimensions that are new."""
    cdef int i, d, ndim = np.PyArray_NDIM(array)
    cdef np.npy_intp size = 1
    cdef const np.npy_intp *shape = np.PyArray_DIMS(array)
    if argument.shape == ANY:
        if sizes.ndim < 0:
            sizes.ndim, sizes.shape = ndim, shape
            dim[argument.dim[0]] = np.PyArray_SIZE(array)
            return True
        return ndim == sizes.ndim and np.PyArray_CompareLists(shape, sizes.shape, ndim)
    if argument.shape == BITS:
        for i in range(argument.dims):
            size *= dim[argument.dim[i]]
        return ndim == 1 and shape[0] == (size + 7) // 8
    if ndim != dims:
        return False
    for i in range(ndim):
        d = argument.dim[i]
        if not sizes.known & (1u << d):
            sizes.known |= 1u << d
            dim[d] = shape[i]
        elif dim[d] != shape[i]:
            return False
    return True
