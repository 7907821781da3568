# Errors of calls, and what a status of C means. Included by extension.pyx.

cdef enum:
    READ = 0
    WRITE = 1
    OPTIONAL = 2


cdef object _described(object array):
    """Describe an argument for an error message."""
    if not isinstance(array, np.ndarray):
        return type(array).__name__
    notes = "" if array.flags.c_contiguous else ", not C-contiguous"
    notes += "" if array.flags.aligned else ", not aligned"
    notes += "" if array.flags.writeable else ", read-only"
    return f"a {array.dtype} array of shape {array.shape}{notes}"


cdef int _refuse(object array, str name, int typenum, int access, tuple expected) except -1:
    """Raise the error for an array that is not one of this type, shape and access."""
    dtype = np.PyArray_DescrFromType(typenum)
    kind = "writeable, " if access & WRITE else ""
    message = (
        f"{name} must be a {kind}C-contiguous {dtype} array of shape {expected}; "
        f"got {_described(array)}"
    )
    if isinstance(array, np.ndarray) and array.dtype == dtype:
        raise ArgumentError(message)
    raise ArgumentTypeError(message)


cdef int64_t _activation(object name) except -1:
    try:
        return _ACTIVATION_CODES[name]
    except (KeyError, TypeError):
        raise checks.unknown_name("activation", name, _ACTIVATION_CODES) from None


cdef uint64_t _function(object function, str name, type kind, int typenum) except? 0:
    """Return the address of a function of the user, compiled for this type."""
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
