# The call of a kernel, which its row of the table describes. Included by extension.pyx.

cdef extern from "Python.h":
    ctypedef struct _CallSlot "PyTypeObject":
        void *tp_call


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
    cdef int _arrays, _scalars, _parameters, _required
    cdef int _classes  # the dimension of classes, or -1
    cdef int _z  # a pre-activation that some activations need, or -1; the first scalar names them
    cdef row_selection _selection
    cdef array_argument _array[FASTNN_MAX_ARRAYS]
    cdef scalar_argument _scalar[FASTNN_MAX_SCALARS]
    cdef bint _returns_value
    cdef object _row
    cdef tuple _names, _defaults, _kinds
    cdef readonly str __name__
    cdef readonly object __signature__

    def __init__(self, row, arrays, scalars):
        self._row, self.__name__, self.__signature__ = row, row.name, row.signature
        self._kernel = <fastnn_kernel_id><int>kernel_names().index(row.name)
        self._names = tuple(row.signature.parameters)
        self._defaults = tuple([p.default for p in row.signature.parameters.values()])
        self._parameters = len(self._names)
        self._required = self._defaults.count(_NO_DEFAULT)
        self._returns_value = row.returns_value
        self._arrays, self._scalars = len(arrays), len(scalars)
        if self._arrays > FASTNN_MAX_ARRAYS or self._scalars > FASTNN_MAX_SCALARS:
            raise BackendError(f"{row.name} has more arguments than C takes")
        for i, slot in enumerate(arrays):
            self._describe_array(&self._array[i], slot)
        self._kinds = tuple([slot.scalar.kind for slot in scalars])
        for i, slot in enumerate(scalars):
            self._describe_scalar(&self._scalar[i], slot)
        self._describe_checks(arrays, scalars)

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

    cdef int _describe_scalar(self, scalar_argument *argument, object slot) except -1:
        _, _, lowest, highest = slot.scalar
        argument.position = slot.position
        argument.kind = _SCALAR_KINDS.get(slot.scalar.kind, FUNCTION)
        if argument.kind == REAL_SCALAR:
            argument.lowest.f, argument.highest.f = lowest, highest
        elif argument.kind == WORD:
            argument.lowest.u, argument.highest.u = lowest, highest
        else:
            argument.lowest.i, argument.highest.i = lowest, highest
        return 0

    cdef int _describe_checks(self, object arrays, object scalars) except -1:
        """Describe what `_accepts` looks at beyond single arguments."""
        self._z = self._classes = -1
        for i, slot in enumerate(arrays):
            if slot.name == "z" and slot.array.optional and not slot.array.written:
                self._z = i
            if "C" in slot.array.dimensions:
                self._classes = slot.dims[slot.array.dimensions.index("C")]
            self._array[i].same = 0
            for j, other in enumerate(arrays):
                first, second = sorted([slot, other], key=lambda each: each.position)
                if (first.name, second.name) in self._row.in_place:
                    self._array[i].same |= 1u << <int>j
        selected = contract.selection(self._row)
        self._selection = row_selection(-1, -1, -1, -1)
        if selected is not None:
            array_names = [slot.name for slot in arrays]
            scalar_names = [slot.name for slot in scalars]
            self._selection.array = array_names.index(selected.array)
            if selected.column is not None:
                self._selection.column = scalar_names.index(selected.column)
            if selected.table is None:
                self._selection.count_scalar = scalar_names.index("count")
            else:
                self._selection.count_dim = arrays[array_names.index(selected.table)].dims[0]
        return 0

    def __repr__(self):
        return f"<native kernel {self.__name__}>"

    def __call__(self, *arguments, **named):
        return self._call(self._bound(arguments, named))

    def checked(self, tuple arguments, dict named):
        """Call the kernel with arguments that the contract accepts."""
        arguments = self._bound(arguments, named)
        if not self._accepts(arguments):
            arguments = tuple(contract.check(self._row, arguments))
        return self._call(arguments)

    cdef object _call(self, tuple arguments):
        """Call the kernel with all its arguments, in order."""
        cdef fastnn_args args
        cdef call_sizes sizes
        cdef int taken, typenum
        memset(&args, 0, sizeof(args))
        taken = self._take_arrays(arguments, &args, &sizes)
        if taken < self._arrays:
            self._refuse(taken, arguments, &sizes, args.dim)
        typenum = np.NPY_FLOAT if sizes.typenum == REAL else sizes.typenum
        self._take_scalars(arguments, typenum, &args)
        _run(self._kernel, typenum, &args)
        return args.result if self._returns_value else None

    cdef tuple _bound(self, tuple arguments, dict named):
        """Return the arguments in the order of the signature, with defaults."""
        cdef Py_ssize_t i, given = len(arguments), taken = 0
        cdef PyObject *value
        cdef list missing
        if not named and self._required <= given <= self._parameters:
            return arguments + self._defaults[given:] if given < self._parameters else arguments
        missing = list(self._defaults[given:])
        for i in range(len(missing)):
            value = PyDict_GetItem(named, self._names[given + i])
            if value != NULL:
                missing[i] = <object>value
                taken += 1
            elif missing[i] is _NO_DEFAULT:
                return contract.bind(self._row, arguments, named)
        if taken < len(named) or given > self._parameters:
            return contract.bind(self._row, arguments, named)
        return arguments + tuple(missing)

    cdef int _take_arrays(self, tuple arguments, fastnn_args *args, call_sizes *sizes) noexcept:
        """Put arrays in place, to the first one that does not fit; return how many do."""
        cdef const array_argument *argument
        cdef np.ndarray array
        cdef int i, slot, typenum, dims
        sizes.typenum, sizes.known, sizes.ndim = REAL, 0, -1
        for i in range(self._arrays):
            argument = &self._array[i]
            value = <object>PyTuple_GET_ITEM(arguments, argument.position)
            if value is None and argument.access & OPTIONAL:
                continue
            if not isinstance(value, np.ndarray):
                return i
            array = <np.ndarray>value
            typenum, slot, dims = argument.typenum, argument.slot, argument.dims
            if _has_classes(argument, array):
                typenum, slot, dims = np.NPY_INT64, slot + 1, 1
            if typenum < 0:
                if sizes.typenum == REAL and np.PyArray_TYPE(array) in (np.NPY_FLOAT, np.NPY_DOUBLE):
                    sizes.typenum = np.PyArray_TYPE(array)
                typenum = sizes.typenum
            if not (
                np.PyArray_TYPE(array) == typenum
                and np.PyArray_ISCARRAY_RO(array)
                and (np.PyArray_ISWRITEABLE(array) or not argument.access & WRITE)
                and _takes_shape(argument, dims, array, sizes, args.dim)
            ):
                return i
            args.array[slot] = np.PyArray_DATA(array)
        return self._arrays

    cdef bint _accepts(self, tuple arguments) except -1:
        """Return whether the contract certainly accepts the arguments and changes none."""
        cdef fastnn_args args
        cdef call_sizes sizes
        cdef const scalar_argument *argument
        cdef int i
        memset(&args, 0, sizeof(args))
        for i in range(self._scalars):
            argument = &self._scalar[i]
            value = <object>PyTuple_GET_ITEM(arguments, argument.position)
            if not _takes_scalar(argument, self._kinds[i], value, &args.scalar[i]):
                return False
        return (
            self._take_arrays(arguments, &args, &sizes) == self._arrays
            and (self._classes < 0 or args.dim[self._classes] > 0)
            and self._accepts_arrays(arguments, &args)
            and (self._selection.array < 0 or self._selects_rows(arguments, &args))
        )

    cdef bint _accepts_arrays(self, tuple arguments, const fastnn_args *args) noexcept:
        """Return whether labels are classes, no subclass hides, and nothing written overlaps."""
        cdef const array_argument *argument
        cdef np.ndarray array
        cdef int i, j
        cdef const char *begin[FASTNN_MAX_ARRAYS]
        cdef const char *end[FASTNN_MAX_ARRAYS]
        for i in range(self._arrays):
            argument = &self._array[i]
            begin[i] = end[i] = NULL
            value = <object>PyTuple_GET_ITEM(arguments, argument.position)
            if value is None:
                if i == self._z and fastnn_activation_needs_z[args.scalar[0].i]:
                    return False
                continue
            if not np.PyArray_CheckExact(value):
                return False
            array = <np.ndarray>value
            begin[i] = np.PyArray_BYTES(array)
            end[i] = begin[i] + np.PyArray_NBYTES(array)
            if _has_classes(argument, array) and not _are_classes(
                <const int64_t *>begin[i], np.PyArray_SIZE(array), args.dim[argument.dim[1]]
            ):
                return False
            for j in range(i):
                if (
                    begin[i] < end[j] and begin[j] < end[i]
                    and (argument.access | self._array[j].access) & WRITE
                    and not (argument.same >> j & 1 and begin[i] == begin[j])
                ):
                    return False
        return True

    cdef bint _selects_rows(self, tuple arguments, const fastnn_args *args) noexcept:
        """Return whether numbers that select rows of a table are some of its rows."""
        cdef const row_selection *selection = &self._selection
        cdef np.ndarray array = <np.ndarray>PyTuple_GET_ITEM(
            arguments, self._array[selection.array].position
        )
        cdef np.npy_intp size = np.PyArray_DIM(array, 0), columns
        cdef const void *data = np.PyArray_DATA(array)
        cdef int64_t count, column
        count = (
            args.scalar[selection.count_scalar].i if selection.count_dim < 0
            else args.dim[selection.count_dim]
        )
        if selection.column < 0:
            return _are_rows(<const int64_t *>data, size, count)
        columns, column = np.PyArray_DIM(array, 1), args.scalar[selection.column].i
        if column >= columns:
            return False
        if np.PyArray_TYPE(array) == np.NPY_DOUBLE:
            return _are_codes(<const double *>data + column, size, columns, count)
        return _are_codes(<const float *>data + column, size, columns, count)

    cdef int _refuse(
        self, int i, tuple arguments, const call_sizes *sizes, const int64_t *dim
    ) except -1:
        """Raise the error for an array that cannot be used."""
        cdef const array_argument *argument = &self._array[i]
        cdef str name = self._names[argument.position]
        cdef object value = arguments[argument.position]
        cdef int typenum = argument.typenum, dims = argument.dims
        if isinstance(value, np.ndarray):
            if _has_classes(argument, value):
                typenum, dims = np.NPY_INT64, 1
            if typenum < 0 and sizes.typenum == REAL:
                raise ArgumentTypeError(
                    f"{name} must be float32 or float64; got {_described(value)}"
                )
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
            elif kind == INTEGER or kind == BOOLEAN:
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
