# The call of a kernel, which its row of the table describes. Included by extension.pyx.

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
    WORD
    ACTIVATION
    FUNCTION

cdef struct array_argument:
    int position, slot, typenum, access
    shape_kind shape
    int dims
    int dim[FASTNN_MAX_DIMS]

cdef struct scalar_argument:
    int position
    scalar_kind kind

cdef struct call_sizes:  # what the arrays of a call have in common, as far as they have been seen
    int typenum  # of real arrays, or REAL
    unsigned int known  # bit d for dimension d
    int ndim  # of any shape, or -1
    const np.npy_intp *shape

cdef extern from "Python.h":
    ctypedef struct _CallSlot "PyTypeObject":
        void *tp_call

cdef dict _SCALAR_KINDS = {
    "real": REAL_SCALAR, "integer": INTEGER, "word": WORD, "activation": ACTIVATION
}
cdef dict _TYPENUMS = {"real": REAL, "target": TARGET}


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


cdef class KernelCall:
    """A C kernel as a function with the signature of the reference.

    Parameters
    ----------
    row : fastnn.kernels.table.Kernel
    arrays : sequence of ArraySlot
        In the order in which they are checked.
    scalars : sequence of ScalarSlot
    """

    cdef fastnn_kernel_id _kernel
    cdef int _arrays, _scalars, _parameters
    cdef array_argument _array[FASTNN_MAX_ARRAYS]
    cdef scalar_argument _scalar[FASTNN_MAX_SCALARS]
    cdef bint _returns_value
    cdef tuple _names, _defaults, _kinds
    cdef readonly str __name__
    cdef readonly object __signature__

    def __init__(self, row, arrays, scalars):
        self.__name__, self.__signature__ = row.name, row.signature
        self._kernel = <fastnn_kernel_id><int>kernel_names().index(row.name)
        self._names = tuple(row.signature.parameters)
        self._defaults = tuple([p.default for p in row.signature.parameters.values()])
        self._parameters = len(self._names)
        self._returns_value = row.returns_value
        self._arrays, self._scalars = len(arrays), len(scalars)
        if self._arrays > FASTNN_MAX_ARRAYS or self._scalars > FASTNN_MAX_SCALARS:
            raise BackendError(f"{row.name} has more arguments than C takes")
        for i, slot in enumerate(arrays):
            self._describe_array(&self._array[i], slot)
        self._kinds = tuple([slot.kind for slot in scalars])
        for i, slot in enumerate(scalars):
            self._scalar[i].position = slot.position
            self._scalar[i].kind = _SCALAR_KINDS.get(slot.kind, FUNCTION)

    cdef int _describe_array(self, array_argument *argument, object slot) except -1:
        array = slot.array
        argument.position, argument.slot = slot.position, slot.slot
        argument.access = WRITE * array.written | OPTIONAL * array.optional
        typenum = _TYPENUMS.get(array.dtype)
        argument.typenum = np.dtype(array.dtype).num if typenum is None else typenum
        argument.shape = BITS if array.is_mask else ANY if array.shape == "*" else NAMED
        argument.dims = len(slot.dims)
        for i, d in enumerate(slot.dims):
            argument.dim[i] = d
        return 0

    def __repr__(self):
        return f"<native kernel {self.__name__}>"

    def __call__(self, *arguments, **named):
        return self._call(self._bound(arguments, named))

    cdef object _call(self, tuple arguments):
        """Call the kernel with all its arguments, in order."""
        cdef fastnn_args args
        cdef int typenum
        memset(&args, 0, sizeof(args))
        typenum = self._take_arrays(arguments, &args)
        self._take_scalars(arguments, typenum, &args)
        _run(self._kernel, typenum, &args)
        return args.result if self._returns_value else None

    cdef tuple _bound(self, tuple arguments, dict named):
        """Return the arguments in the order of the signature, with defaults."""
        cdef tuple missing = self._defaults[len(arguments):]
        if named or len(arguments) > self._parameters or _NO_DEFAULT in missing:
            try:
                bound = self.__signature__.bind(*arguments, **named)
            except TypeError as error:
                raise TypeError(f"{self.__name__}() {error}") from None
            bound.apply_defaults()
            return bound.args
        return arguments + missing

    cdef int _take_arrays(self, tuple arguments, fastnn_args *args) except -2:
        """Put the arrays in place and return their type, float32 where no array is real."""
        cdef call_sizes sizes
        cdef const array_argument *argument
        cdef np.ndarray array
        cdef int i, slot, typenum, dims
        sizes.typenum, sizes.known, sizes.ndim = REAL, 0, -1
        for i in range(self._arrays):
            argument = &self._array[i]
            value = <object>PyTuple_GET_ITEM(arguments, argument.position)
            if value is None and argument.access & OPTIONAL:
                continue
            typenum, slot, dims = argument.typenum, argument.slot, argument.dims
            if not isinstance(value, np.ndarray):
                self._refuse(argument, dims, value, typenum, &sizes, args.dim)
            array = <np.ndarray>value
            if typenum == TARGET:
                typenum = REAL
                if np.PyArray_NDIM(array) == 1:  # class numbers, one for each row
                    typenum, slot, dims = np.NPY_INT64, slot + 1, 1
            if typenum == REAL:
                if sizes.typenum == REAL:
                    sizes.typenum = _real_type(array, self._names[argument.position])
                typenum = sizes.typenum
            if not (
                np.PyArray_TYPE(array) == typenum
                and np.PyArray_ISCARRAY_RO(array)
                and (np.PyArray_ISWRITEABLE(array) or not argument.access & WRITE)
                and _takes_shape(argument, dims, array, &sizes, args.dim)
            ):
                self._refuse(argument, dims, value, typenum, &sizes, args.dim)
            args.array[slot] = np.PyArray_DATA(array)
        return np.NPY_FLOAT if sizes.typenum == REAL else sizes.typenum

    cdef int _refuse(
        self, const array_argument *argument, int dims, object value, int typenum,
        const call_sizes *sizes, const int64_t *dim,
    ) except -1:
        """Raise the error for an array that cannot be used."""
        cdef str name = self._names[argument.position]
        if argument.shape == ANY:
            known = sizes.ndim >= 0
            expected = [sizes.shape[i] for i in range(sizes.ndim)]
        elif argument.shape == BITS:
            known, size = True, math.prod([dim[argument.dim[i]] for i in range(dims)])
            expected = [(size + 7) // 8]
        else:
            known = all([sizes.known & (1u << argument.dim[i]) for i in range(dims)])
            expected = [dim[argument.dim[i]] for i in range(dims)]
        if not known:
            if not isinstance(value, np.ndarray):
                raise ArgumentTypeError(f"{name} must be a NumPy array; got {_described(value)}")
            if argument.shape == NAMED and value.ndim != dims:
                plural = "s" if dims > 1 else ""
                raise ArgumentError(
                    f"{name} must have {dims} dimension{plural}; got {_described(value)}"
                )
            expected = [
                size if argument.shape == ANY or not sizes.known & (1u << argument.dim[i])
                else expected[i]
                for i, size in enumerate(value.shape)
            ]
        _refuse(
            value, name, sizes.typenum if typenum < 0 else typenum, argument.access,
            tuple(expected),
        )

    cdef int _take_scalars(self, tuple arguments, int typenum, fastnn_args *args) except -1:
        cdef int i
        cdef scalar_kind kind
        for i in range(self._scalars):
            value = <object>PyTuple_GET_ITEM(arguments, self._scalar[i].position)
            kind = self._scalar[i].kind
            if kind == REAL_SCALAR:
                args.scalar[i].f = value
            elif kind == INTEGER:
                args.scalar[i].i = value
            elif kind == WORD:
                args.scalar[i].u = value
            elif kind == ACTIVATION:
                args.scalar[i].i = _activation(value)
            else:
                name = self._names[self._scalar[i].position]
                args.scalar[i].u = _function(value, name, self._kinds[i], typenum)
        return 0


cdef object _call_slot(KernelCall kernel, tuple arguments, PyObject *named):
    """Do what `KernelCall.__call__` does, without a dict where no argument is named."""
    if named != NULL or len(arguments) != kernel._parameters:
        arguments = kernel._bound(arguments, <dict>named if named != NULL else {})
    return kernel._call(arguments)


# activation_fwd of 8 numbers takes 175 ns; 188 by `__call__`, which packs named arguments.
(<_CallSlot *>KernelCall).tp_call = <void *>_call_slot
