// Optimizers: one pass over flat arrays p, dp and slots, all (n,). Weight decay is decoupled.
//
// What depends on the step alone is worked out in double, before the loop.

// What dp is not yet: a penalty's gradient added, the whole scaled.
typedef struct {
    real l1, l2, scale;
} FN(completion);

static inline FN(completion) FN(complete)(double l1, double l2, double scale) {
    return (FN(completion)){(real)l1, (real)l2, (real)scale};
}

// scale (dp + l1 sign(p) + l2 p)
static inline real FN(whole_gradient)(real p, real dp, FN(completion) c) {
    return c.scale * (dp + (p < 0 ? -c.l1 : p > 0 ? c.l1 : 0) + c.l2 * p);
}

static void FN(sgd_step)(real *p, const real *dp, double lr, double weight_decay, double l1,
                         double l2, double scale, int64_t begin, int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay);
    const FN(completion) c = FN(complete)(l1, l2, scale);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        p[i] = p[i] - decay * p[i] - rate * FN(whole_gradient)(p[i], dp[i], c);
    }
}

static void FN(momentum_step)(real *p, const real *dp, real *v, double lr, double momentum,
                              int64_t nesterov, double weight_decay, double l1, double l2,
                              double scale, int64_t begin, int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay), mu = (real)momentum;
    // Nesterov's step is momentum v - lr g, the plain one v itself.
    const real keep = nesterov ? mu : 1, look_ahead = nesterov ? rate : 0;
    const FN(completion) c = FN(complete)(l1, l2, scale);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(p[i], dp[i], c);
        const real velocity = mu * v[i] - rate * g;
        v[i] = velocity;
        p[i] = p[i] - decay * p[i] + (keep * velocity - look_ahead * g);
    }
}

static void FN(rmsprop_step)(real *p, const real *dp, real *s, double lr, double rho, double eps,
                             double weight_decay, double l1, double l2, double scale, int64_t begin,
                             int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay), epsilon = (real)eps;
    const real keep = (real)rho, blend = (real)(1 - rho);
    const FN(completion) c = FN(complete)(l1, l2, scale);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(p[i], dp[i], c);
        const real square = keep * s[i] + blend * (g * g);
        s[i] = square;
        p[i] = p[i] - decay * p[i] - rate * g / (FN(sqrt)(square) + epsilon);
    }
}

typedef struct {
    real *p, *m, *v;
    const real *dp;
    real keep1, blend1, keep2, blend2, step, root, epsilon, decay;
    FN(completion) c;
} FN(adam_job);

static void FN(adam_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(adam_job) a = *(const FN(adam_job) *)job;
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(a.p[i], a.dp[i], a.c);
        const real mean = a.keep1 * a.m[i] + a.blend1 * g;
        const real square = a.keep2 * a.v[i] + a.blend2 * (g * g);
        a.m[i] = mean;
        a.v[i] = square;
        a.p[i] =
            a.p[i] - a.decay * a.p[i] - a.step * mean / (FN(sqrt)(square) * a.root + a.epsilon);
    }
}

// A call of its own kind: the powers cost as much as some hundred elements, once and not per chunk.
static fastnn_status FN(adam_step)(real *p, const real *dp, real *m, real *v, int64_t n, double lr,
                                   double beta1, double beta2, double eps, int64_t t,
                                   double weight_decay, double l1, double l2, double scale) {
    FN(adam_job) job = {
        .p = p,
        .m = m,
        .v = v,
        .dp = dp,
        .keep1 = (real)beta1,
        .blend1 = (real)(1 - beta1),
        .keep2 = (real)beta2,
        .blend2 = (real)(1 - beta2),
        .step = (real)(lr / (1 - pow(beta1, (double)t))),
        .root = (real)(1 / sqrt(1 - pow(beta2, (double)t))),
        .epsilon = (real)eps,
        .decay = (real)(lr * weight_decay),
        .c = FN(complete)(l1, l2, scale),
    };
    fastnn_for_chunks(n, ELEMENT_GRAIN, 0.4 * (double)n, FN(adam_chunk), &job);
    return FASTNN_OK;
}
