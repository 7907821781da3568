# Checks of arrays and names, and the call of a kernel. Included by _native.pyx.

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


cdef int _raise_bad_code() except -1:
    raise ArgumentError(
        "x must hold whole numbers that are rows of the table of an embedding, in the column that "
        "it looks up; where X did, it was changed later, or by augmentation"
    )


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
    if status == FASTNN_BAD_CODE:
        _raise_bad_code()
    if status == FASTNN_CUSTOM_RAISED:
        _raise_function_error()
    raise BackendError(f"the native kernel refused its arguments (status {<int>status})")
