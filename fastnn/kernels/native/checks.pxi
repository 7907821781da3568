# Checks of arguments for the public call of a kernel, which pass nothing that the contract refuses.
# Where they do not pass something, fastnn.kernels.contract decides and has the words. Included by
# extension.pyx.


cdef bint _takes_scalar(
    const scalar_argument *argument, object kind, object value, fastnn_scalar *taken
) except -1:
    """Return whether a scalar is of a plain type and in its range; set what C takes for it."""
    cdef int overflow = 0
    try:
        if argument.kind == REAL_SCALAR:
            if not (PyFloat_CheckExact(value) or type(value) is float64 or type(value) is int):
                return False
            taken.f = value
            return argument.lowest.f <= taken.f <= argument.highest.f
        if argument.kind == INTEGER:
            if type(value) is not int:
                return False
            taken.i = value
            return argument.lowest.i <= taken.i <= argument.highest.i
        if argument.kind == WORD:
            if type(value) is not int:
                return False
            taken.u = value
            return argument.lowest.u <= taken.u <= argument.highest.u
    except OverflowError:
        return False
    if argument.kind == BOOLEAN:
        return value is True or value is False
    if argument.kind == ACTIVATION:
        code = _ACTIVATION_CODES.get(value) if type(value) is str else None
        taken.i = -1 if code is None else code
        return code is not None
    return type(value) is kind


cdef bint _are_classes(const int64_t *labels, np.npy_intp size, int64_t classes) noexcept:
    """Return whether all numbers are in [0, classes)."""
    cdef np.npy_intp i
    cdef bint good = True
    for i in range(size):
        good &= <uint64_t>labels[i] < <uint64_t>classes
    return good


cdef bint _are_rows(const int64_t *rows, np.npy_intp size, int64_t count) noexcept:
    """Return whether all numbers are in [-1, count)."""
    cdef np.npy_intp i
    cdef bint good = True
    for i in range(size):
        good &= -1 <= rows[i] < count
    return good


cdef bint _are_codes(
    const floating *x, np.npy_intp size, np.npy_intp step, int64_t count
) noexcept:
    """Return whether every `step`-th value is a whole number in [0, count)."""
    cdef np.npy_intp i
    cdef floating value
    for i in range(size):
        value = x[i * step]
        if not (0 <= value < <floating>count and value == floor(value)):
            return False
    return True
