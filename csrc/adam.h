// Adam and its descendants: one loop, with other numbers before it.
//
// They are calls of their own kind: the powers cost as much as some hundred elements, once and not
// per chunk. NAdam's and RAdam's numbers are those of fastnn/kernels/reference/adam.py.

#define NADAM_BASE 0.96
#define NADAM_TERMS 52
#define RADAM_LEAST 5.0

typedef struct {
    real *p, *m, *v;
    real *largest;  // or NULL
    const real *dp;
    real keep1, blend1, keep2, blend2, decay;
    real step, ahead, root, epsilon;  // (step m + ahead g) / (√v root + epsilon)
    FN(completion) c;
} FN(adam_job);

// Constants where this is inlined: whether the largest v takes the place of v, whether gradients
// are limited.
static ALWAYS_INLINE void FN(adam_loop)(FN(adam_job) a, int remembers, int limited, int64_t begin,
                                        int64_t end) {
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(a.p[i], a.dp[i], a.c, limited);
        const real mean = a.keep1 * a.m[i] + a.blend1 * g;
        real square = a.keep2 * a.v[i] + a.blend2 * (g * g);
        a.m[i] = mean;
        a.v[i] = square;
        if (remembers) {
            square = square < a.largest[i] ? a.largest[i] : square;
            a.largest[i] = square;
        }
        a.p[i] = a.p[i] - a.decay * a.p[i] -
                 (a.step * mean + a.ahead * g) / (FN(sqrt)(square) * a.root + a.epsilon);
    }
}

static void FN(adam_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(adam_job) a = *(const FN(adam_job) *)job;
    if (FN(is_limited)(a.c)) {
        FN(adam_loop)(a, 0, 1, begin, end);
    } else {
        FN(adam_loop)(a, 0, 0, begin, end);
    }
}

static void FN(amsgrad_chunk)(void *job, int64_t begin, int64_t end) {
    FN(adam_loop)(*(const FN(adam_job) *)job, 1, 1, begin, end);
}

// Adam's own numbers.
static FN(adam_job) FN(adam_numbers)(real *p, const real *dp, real *m, real *v, double lr,
                                     double beta1, double beta2, double eps, double t,
                                     double weight_decay, const fastnn_scalar *rest) {
    return (FN(adam_job)){
        .p = p,
        .m = m,
        .v = v,
        .dp = dp,
        .keep1 = (real)beta1,
        .blend1 = (real)(1 - beta1),
        .keep2 = (real)beta2,
        .blend2 = (real)(1 - beta2),
        .decay = (real)(lr * weight_decay),
        .step = (real)(lr / (1 - pow(beta1, t))),
        .ahead = 0,
        .root = (real)(1 / sqrt(1 - pow(beta2, t))),
        .epsilon = (real)eps,
        .c = FN(complete)(rest),
    };
}

static fastnn_status FN(adam_run)(FN(adam_job) job, int64_t n) {
    fastnn_for_chunks(n, ELEMENT_GRAIN, 0.4 * (double)n,
                      job.largest ? FN(amsgrad_chunk) : FN(adam_chunk), &job);
    return FASTNN_OK;
}

static fastnn_status FN(adam_step)(real *p, const real *dp, real *m, real *v, int64_t n, double lr,
                                   double beta1, double beta2, double eps, int64_t t,
                                   double weight_decay, const fastnn_scalar *rest) {
    return FN(adam_run)(
        FN(adam_numbers)(p, dp, m, v, lr, beta1, beta2, eps, (double)t, weight_decay, rest), n);
}

static fastnn_status FN(amsgrad_step)(real *p, const real *dp, real *m, real *v, real *largest,
                                      int64_t n, double lr, double beta1, double beta2, double eps,
                                      int64_t t, double weight_decay, const fastnn_scalar *rest) {
    FN(adam_job)
    job = FN(adam_numbers)(p, dp, m, v, lr, beta1, beta2, eps, (double)t, weight_decay, rest);
    job.largest = largest;
    return FN(adam_run)(job, n);
}

static double FN(nadam_momentum)(double beta1, double momentum_decay, double t) {
    return beta1 * (1 - 0.5 * pow(NADAM_BASE, momentum_decay * t));
}

// The product of the momenta up to t.
static double FN(nadam_product)(double beta1, double momentum_decay, double t) {
    const double rate = momentum_decay * log(NADAM_BASE);
    const double one_step = -expm1(rate), all_steps = -expm1(rate * t);
    double gap = one_step, whole = all_steps, half = 1, total = 0;
    for (int k = 1; k <= NADAM_TERMS; k++) {
        half /= 2;
        total += half / k * (1 - gap) * (gap > 0 ? whole / gap : t);
        gap += (1 - gap) * one_step;
        whole += (1 - whole) * all_steps;
    }
    return pow(beta1, t) * exp(-total);
}

static fastnn_status FN(nadam_step)(real *p, const real *dp, real *m, real *v, int64_t n, double lr,
                                    double beta1, double beta2, double momentum_decay, double eps,
                                    int64_t t, double weight_decay, const fastnn_scalar *rest) {
    const double momentum = FN(nadam_momentum)(beta1, momentum_decay, (double)t);
    const double following = FN(nadam_momentum)(beta1, momentum_decay, (double)t + 1);
    const double product = FN(nadam_product)(beta1, momentum_decay, (double)t);
    FN(adam_job)
    job = FN(adam_numbers)(p, dp, m, v, lr, beta1, beta2, eps, (double)t, weight_decay, rest);
    job.step = (real)(lr * following / (1 - product * following));
    job.ahead = (real)(lr * (1 - momentum) / (1 - product));
    return FN(adam_run)(job, n);
}

// 0 while the second moment is too young to be of use.
static double FN(radam_rectifier)(double beta2, double t) {
    const double final = 2 / (1 - beta2) - 1, power = pow(beta2, t);
    const double length = final - 2 * t * power / (1 - power);
    if (length <= RADAM_LEAST) return 0;
    return sqrt((length - 4) * (length - 2) * final / ((final - 4) * (final - 2) * length));
}

static fastnn_status FN(radam_step)(real *p, const real *dp, real *m, real *v, int64_t n, double lr,
                                    double beta1, double beta2, double eps, int64_t t,
                                    double weight_decay, const fastnn_scalar *rest) {
    const double rectifier = FN(radam_rectifier)(beta2, (double)t);
    FN(adam_job)
    job = FN(adam_numbers)(p, dp, m, v, lr, beta1, beta2, eps, (double)t, weight_decay, rest);
    if (rectifier > 0) {
        job.step = (real)(lr / (1 - pow(beta1, (double)t)) * rectifier);
    } else {  // nothing to divide by
        job.root = 0;
        job.epsilon = 1;
    }
    return FN(adam_run)(job, n);
}

#undef NADAM_BASE
#undef NADAM_TERMS
#undef RADAM_LEAST
