# Kernels of embeddings, noise and normalisation, as _kernels.pxi has the others.


cdef int _lookup(
    fastnn_args *args, object y, str name, int access, object x, int columns_at
) except -1:
    """Fills in x and what it selects rows for; returns the type. `columns_at` is the dim of O."""
    cdef int t = np.PyArray_TYPE(_real(x, "x", 2))
    cdef np.npy_intp B = np.PyArray_DIM(x, 0), I = np.PyArray_DIM(x, 1)
    cdef np.npy_intp O = np.PyArray_DIM(_real(y, name, 2), 1)
    memset(args, 0, sizeof(args[0]))
    _matrix(x, "x", t, READ, B, I)
    _matrix(y, name, t, access, B, O)
    args.dim[0], args.dim[2], args.dim[columns_at] = B, I, O
    return t


def embedding_fwd(y, x, w, column, at):
    cdef fastnn_args args
    cdef int t = _lookup(&args, y, "y", WRITE, x, 4)
    cdef np.ndarray table = _real(w, "w", 2)
    args.dim[3], args.dim[1] = np.PyArray_DIM(table, 0), np.PyArray_DIM(table, 1)
    args.array[0], args.array[1] = np.PyArray_DATA(y), np.PyArray_DATA(x)
    args.array[2] = _matrix(w, "w", t, READ, args.dim[3], args.dim[1])
    args.scalar[0].i, args.scalar[1].i = column, at
    _run(FASTNN_KERNEL_embedding_fwd, t, &args)


def embedding_bwd(dw, dy, x, column, at):
    cdef fastnn_args args
    cdef int t = _lookup(&args, dy, "dy", READ, x, 4)
    cdef np.ndarray table = _real(dw, "dw", 2)
    args.dim[3], args.dim[1] = np.PyArray_DIM(table, 0), np.PyArray_DIM(table, 1)
    args.array[0] = _matrix(dw, "dw", t, WRITE, args.dim[3], args.dim[1])
    args.array[1], args.array[2] = np.PyArray_DATA(dy), np.PyArray_DATA(x)
    args.scalar[0].i, args.scalar[1].i = column, at
    _run(FASTNN_KERNEL_embedding_bwd, t, &args)


def embedding_sparse_bwd(dw, rows, order, dy, x, count, column, at):
    cdef fastnn_args args
    cdef int t = _lookup(&args, dy, "dy", READ, x, 3)
    args.dim[1] = np.PyArray_DIM(_real(dw, "dw", 2), 1)
    args.array[0] = _matrix(dw, "dw", t, WRITE, args.dim[0], args.dim[1])
    args.array[1] = _vector(rows, "rows", np.NPY_INT64, WRITE, args.dim[0])
    args.array[2] = _vector(order, "order", np.NPY_INT64, WRITE, args.dim[0])
    args.array[3], args.array[4] = np.PyArray_DATA(dy), np.PyArray_DATA(x)
    args.scalar[0].i, args.scalar[1].i, args.scalar[2].i = count, column, at
    _run(FASTNN_KERNEL_embedding_sparse_bwd, t, &args)


cdef int _rows(
    fastnn_args *args, object table, int table_access, object values, int access, object rows
) except -1:
    """Fills in what moves between a table and some of its rows, but for the order of the arrays."""
    cdef np.ndarray first = _real(table, "table", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp B = _length(rows, "rows")
    memset(args, 0, sizeof(args[0]))
    args.dim[0], args.dim[1], args.dim[2] = B, np.PyArray_DIM(first, 1), np.PyArray_DIM(first, 0)
    _like(table, "table", t, table_access, first)
    _matrix(values, "values", t, access, B, args.dim[1])
    args.array[2] = _vector(rows, "rows", np.NPY_INT64, READ, B)
    return t


def gather_rows(values, table, rows):
    cdef fastnn_args args
    cdef int t = _rows(&args, table, READ, values, WRITE, rows)
    args.array[0], args.array[1] = np.PyArray_DATA(values), np.PyArray_DATA(table)
    _run(FASTNN_KERNEL_gather_rows, t, &args)


def scatter_rows(table, values, rows):
    cdef fastnn_args args
    cdef int t = _rows(&args, table, WRITE, values, READ, rows)
    args.array[0], args.array[1] = np.PyArray_DATA(table), np.PyArray_DATA(values)
    _run(FASTNN_KERNEL_scatter_rows, t, &args)


def standardize_columns_fwd(y, x, mean, variance, column, at):
    cdef fastnn_args args
    cdef int t = _lookup(&args, y, "y", WRITE, x, 3)
    cdef np.npy_intp I = args.dim[2], K = _length(mean, "mean")
    args.dim[1], args.dim[2] = I, K
    args.array[0], args.array[1] = np.PyArray_DATA(y), np.PyArray_DATA(x)
    args.array[2] = _vector(mean, "mean", t, READ, K)
    args.array[3] = _vector(variance, "variance", t, READ, K)
    args.scalar[0].i, args.scalar[1].i = column, at
    _run(FASTNN_KERNEL_standardize_columns_fwd, t, &args)


def gaussian_noise_fwd(y, x, stddev, seed, offset):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _like(x, "x", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].f, args.scalar[1].u, args.scalar[2].u = stddev, seed, offset
    _run(FASTNN_KERNEL_gaussian_noise_fwd, t, &args)


def batch_norm_fwd(y, mean, variance, x, gamma, beta, eps):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp C = np.PyArray_DIM(first, 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _vector(mean, "mean", t, WRITE, C)
    args.array[2] = _vector(variance, "variance", t, WRITE, C)
    args.array[3] = _like(x, "x", t, READ, first)
    args.array[4] = _vector(gamma, "gamma", t, OPTIONAL, C)
    args.array[5] = _vector(beta, "beta", t, OPTIONAL, C)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), C
    args.scalar[0].f = eps
    _run(FASTNN_KERNEL_batch_norm_fwd, t, &args)


cdef int _norm_gradients(
    fastnn_args *args, object dx, object dgamma, object dbeta, object dy, object x, object gamma
) except -1:
    """Fills in what the gradients of both normalisations share, and returns the arrays' type."""
    cdef np.ndarray first = _real(x, "x", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp C = np.PyArray_DIM(first, 1)
    memset(args, 0, sizeof(args[0]))
    args.array[0] = _like(dx, "dx", t, WRITE | OPTIONAL, first)
    args.array[1] = _vector(dgamma, "dgamma", t, WRITE | OPTIONAL, C)
    args.array[2] = _vector(dbeta, "dbeta", t, WRITE | OPTIONAL, C)
    args.array[3] = _like(dy, "dy", t, READ, first)
    args.array[4] = _like(x, "x", t, READ, first)
    args.array[7] = _vector(gamma, "gamma", t, OPTIONAL, C)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), C
    return t


def batch_norm_bwd(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps):
    cdef fastnn_args args
    cdef int t = _norm_gradients(&args, dx, dgamma, dbeta, dy, x, gamma)
    args.array[5] = _vector(mean, "mean", t, READ, args.dim[1])
    args.array[6] = _vector(variance, "variance", t, READ, args.dim[1])
    args.scalar[0].f = eps
    _run(FASTNN_KERNEL_batch_norm_bwd, t, &args)


def standardize_fwd(y, x, mean, variance, gamma, beta, eps):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp C = np.PyArray_DIM(first, 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _like(x, "x", t, READ, first)
    args.array[2] = _vector(mean, "mean", t, READ, C)
    args.array[3] = _vector(variance, "variance", t, READ, C)
    args.array[4] = _vector(gamma, "gamma", t, OPTIONAL, C)
    args.array[5] = _vector(beta, "beta", t, OPTIONAL, C)
    args.dim[0], args.dim[1] = np.PyArray_DIM(first, 0), C
    args.scalar[0].f = eps
    _run(FASTNN_KERNEL_standardize_fwd, t, &args)


cdef void _fold(
    fastnn_kernel_id kernel, object wf, object bf, object w, object b, object mean, object variance,
    object gamma, object beta, double eps,
) except *:
    """`dense_fold_output` and `dense_fold_input`, whose statistics are of columns of their own."""
    cdef fastnn_args args
    cdef np.ndarray first = _real(w, "w", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp I = np.PyArray_DIM(first, 0), O = np.PyArray_DIM(first, 1), C = O
    memset(&args, 0, sizeof(args))
    args.dim[0], args.dim[1] = I, O
    if kernel == FASTNN_KERNEL_dense_fold_input:
        C = _length(mean, "mean")
        args.dim[0], args.dim[1], args.dim[2] = C, I, O
    args.array[0] = _like(wf, "wf", t, WRITE, first)
    args.array[1] = _vector(bf, "bf", t, WRITE, O)
    args.array[2] = _like(w, "w", t, READ, first)
    args.array[3] = _vector(b, "b", t, OPTIONAL, O)
    args.array[4] = _vector(mean, "mean", t, READ, C)
    args.array[5] = _vector(variance, "variance", t, READ, C)
    args.array[6] = _vector(gamma, "gamma", t, OPTIONAL, C)
    args.array[7] = _vector(beta, "beta", t, OPTIONAL, C)
    args.scalar[0].f = eps
    _run(kernel, t, &args)


def dense_fold_output(wf, bf, w, b, mean, variance, gamma, beta, eps):
    _fold(FASTNN_KERNEL_dense_fold_output, wf, bf, w, b, mean, variance, gamma, beta, eps)


def dense_fold_input(wf, bf, w, b, mean, variance, gamma, beta, eps):
    _fold(FASTNN_KERNEL_dense_fold_input, wf, bf, w, b, mean, variance, gamma, beta, eps)


def moving_average_step(average, value, momentum):
    cdef fastnn_args args
    cdef np.ndarray first = _real(average, "average")
    cdef int t = np.PyArray_TYPE(first)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(average, "average", t, WRITE, first)
    args.array[1] = _like(value, "value", t, READ, first)
    args.dim[0] = np.PyArray_SIZE(first)
    args.scalar[0].f = momentum
    _run(FASTNN_KERNEL_moving_average_step, t, &args)


def layer_norm_fwd(y, mean, rstd, x, gamma, beta, eps):
    cdef fastnn_args args
    cdef np.ndarray first = _real(x, "x", 2)
    cdef int t = np.PyArray_TYPE(first)
    cdef np.npy_intp B = np.PyArray_DIM(first, 0), C = np.PyArray_DIM(first, 1)
    memset(&args, 0, sizeof(args))
    args.array[0] = _like(y, "y", t, WRITE, first)
    args.array[1] = _vector(mean, "mean", t, WRITE | OPTIONAL, B)
    args.array[2] = _vector(rstd, "rstd", t, WRITE | OPTIONAL, B)
    args.array[3] = _like(x, "x", t, READ, first)
    args.array[4] = _vector(gamma, "gamma", t, OPTIONAL, C)
    args.array[5] = _vector(beta, "beta", t, OPTIONAL, C)
    args.dim[0], args.dim[1] = B, C
    args.scalar[0].f = eps
    _run(FASTNN_KERNEL_layer_norm_fwd, t, &args)


def layer_norm_bwd(dx, dgamma, dbeta, dy, x, mean, rstd, gamma):
    cdef fastnn_args args
    cdef int t = _norm_gradients(&args, dx, dgamma, dbeta, dy, x, gamma)
    args.array[5] = _vector(mean, "mean", t, READ, args.dim[0])
    args.array[6] = _vector(rstd, "rstd", t, READ, args.dim[0])
    _run(FASTNN_KERNEL_layer_norm_bwd, t, &args)
