# The optimizers' steps: their arguments, checked and put in place. Included by _native.pyx.


cdef int _step(fastnn_args *args, object p, object dp, dict slots) except -1:
    """Fills in the arrays of an optimizer step and returns their type."""
    cdef np.ndarray first = _real(p, "p")
    cdef int t = np.PyArray_TYPE(first), place = 2
    memset(args, 0, sizeof(args[0]))
    args.array[0] = _like(p, "p", t, WRITE, first)
    args.array[1] = _like(dp, "dp", t, READ, first)
    for name, slot in slots.items():
        args.array[place] = _like(slot, name, t, WRITE, first)
        place += 1
    args.dim[0] = np.PyArray_SIZE(first)
    return t


cdef void _complete(fastnn_args *args, int at, double l1, double l2, double scale, double clip):
    """Fills in what makes a gradient whole, from scalar `at` on."""
    args.scalar[at].f, args.scalar[at + 1].f = l1, l2
    args.scalar[at + 2].f, args.scalar[at + 3].f = scale, clip


def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, {})
    args.scalar[0].f, args.scalar[1].f = lr, weight_decay
    _complete(&args, 2, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_sgd_step, t, &args)


def momentum_step(
    p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf
):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, {"v": v})
    args.scalar[0].f, args.scalar[1].f = lr, momentum
    args.scalar[2].i, args.scalar[3].f = bool(nesterov), weight_decay
    _complete(&args, 4, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_momentum_step, t, &args)


def adagrad_step(p, dp, s, lr, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, {"s": s})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, eps, weight_decay
    _complete(&args, 3, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_adagrad_step, t, &args)


def rmsprop_step(
    p, dp, s, mean, v, lr, rho, momentum, eps, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, {"s": s})
    args.array[3] = _like(mean, "mean", t, WRITE | OPTIONAL, p)
    args.array[4] = _like(v, "v", t, WRITE | OPTIONAL, p)
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, rho, momentum
    args.scalar[3].f, args.scalar[4].f = eps, weight_decay
    _complete(&args, 5, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_rmsprop_step, t, &args)


def lion_step(
    p, dp, m, lr, beta1, beta2, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf
):
    cdef fastnn_args args
    cdef int t = _step(&args, p, dp, {"m": m})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f = weight_decay
    _complete(&args, 4, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_lion_step, t, &args)


def adam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):
    cdef fastnn_args args
    cdef int typenum = _step(&args, p, dp, {"m": m, "v": v})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f, args.scalar[4].i, args.scalar[5].f = eps, t, weight_decay
    _complete(&args, 6, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_adam_step, typenum, &args)


def amsgrad_step(
    p, dp, m, v, largest, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):
    cdef fastnn_args args
    cdef int typenum = _step(&args, p, dp, {"m": m, "v": v, "largest": largest})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f, args.scalar[4].i, args.scalar[5].f = eps, t, weight_decay
    _complete(&args, 6, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_amsgrad_step, typenum, &args)


def nadam_step(
    p, dp, m, v, lr, beta1, beta2, momentum_decay, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):
    cdef fastnn_args args
    cdef int typenum = _step(&args, p, dp, {"m": m, "v": v})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f, args.scalar[4].f = momentum_decay, eps
    args.scalar[5].i, args.scalar[6].f = t, weight_decay
    _complete(&args, 7, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_nadam_step, typenum, &args)


def radam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):
    cdef fastnn_args args
    cdef int typenum = _step(&args, p, dp, {"m": m, "v": v})
    args.scalar[0].f, args.scalar[1].f, args.scalar[2].f = lr, beta1, beta2
    args.scalar[3].f, args.scalar[4].i, args.scalar[5].f = eps, t, weight_decay
    _complete(&args, 6, l1, l2, scale, clip)
    _run(FASTNN_KERNEL_radam_step, typenum, &args)
