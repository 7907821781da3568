# The kernels: their arguments, checked and put in place. Included by _native.pyx.


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
    args.array[1] = _matrix(dw, "dw", t, WRITE | OPTIONAL, I, O)
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
    args.array[1] = _matrix(dw, "dw", t, WRITE | OPTIONAL, I, O)
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


cdef int _masked(
    fastnn_args *args, object out, str out_name, object mask, int access, object source, str name
) except -1:
    """Fills in the arrays of a dropout, and returns their type."""
    cdef np.ndarray first = _real(source, name)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp n = np.PyArray_SIZE(first)
    memset(args, 0, sizeof(args[0]))
    args.array[0] = _like(out, out_name, t, WRITE, first)
    args.array[1] = _vector(mask, "mask", np.NPY_UINT8, access, (n + 7) // 8)
    args.array[2] = _like(source, name, t, READ, first)
    args.dim[0] = n
    return t


def dropout_fwd(y, mask, x, rate, seed, offset):
    cdef fastnn_args args
    cdef int t = _masked(&args, y, "y", mask, WRITE, x, "x")
    args.scalar[0].f, args.scalar[1].u, args.scalar[2].u = rate, seed, offset
    _run(FASTNN_KERNEL_dropout_fwd, t, &args)


def dropout_bwd(dx, mask, dy, rate):
    cdef fastnn_args args
    cdef int t = _masked(&args, dx, "dx", mask, READ, dy, "dy")
    args.scalar[0].f = rate
    _run(FASTNN_KERNEL_dropout_bwd, t, &args)


def alpha_dropout_fwd(y, mask, x, rate, seed, offset):
    cdef fastnn_args args
    cdef int t = _masked(&args, y, "y", mask, WRITE, x, "x")
    args.scalar[0].f, args.scalar[1].u, args.scalar[2].u = rate, seed, offset
    _run(FASTNN_KERNEL_alpha_dropout_fwd, t, &args)


def alpha_dropout_bwd(dx, mask, dy, rate):
    cdef fastnn_args args
    cdef int t = _masked(&args, dx, "dx", mask, READ, dy, "dy")
    args.scalar[0].f = rate
    _run(FASTNN_KERNEL_alpha_dropout_bwd, t, &args)


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
    double parameter=0, object levels=None,
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
    if kernel == FASTNN_KERNEL_quantile:
        args.array[4] = _vector(levels, "q", t, READ, args.dim[1])
    args.scalar[0].f = parameter
    _run(kernel, t, &args)
    return args.result


def sigmoid_cross_entropy(dz, z, target, weight, label_smoothing) -> float:
    return _outputwise_loss(
        FASTNN_KERNEL_sigmoid_cross_entropy, "z", dz, z, target, weight, label_smoothing
    )


def mean_squared_error(dy, y, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_mean_squared_error, "y", dy, y, target, weight)


def mean_absolute_error(dy, y, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_mean_absolute_error, "y", dy, y, target, weight)


def huber(dy, y, target, weight, delta) -> float:
    return _outputwise_loss(FASTNN_KERNEL_huber, "y", dy, y, target, weight, delta)


def poisson(dz, z, target, weight) -> float:
    return _outputwise_loss(FASTNN_KERNEL_poisson, "z", dz, z, target, weight)


def quantile(dy, y, target, weight, q) -> float:
    return _outputwise_loss(FASTNN_KERNEL_quantile, "y", dy, y, target, weight, 0, q)


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


def max_norm(p, limit):
    cdef fastnn_args args
    cdef np.ndarray first = _real(p, "p", 2)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(p, "p", np.PyArray_TYPE(first), WRITE, first)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), np.PyArray_DIM(first, 1)
    args.scalar[0].f = limit
    _run(FASTNN_KERNEL_max_norm, np.PyArray_TYPE(first), &args)


def scale(x, factor):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(x, "x", t, WRITE, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].f = factor
    _run(FASTNN_KERNEL_scale, t, &args)


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
