// Optimizers: one pass over flat arrays p, dp and slots, all (n,). Weight decay is decoupled.
//
// What depends on the step alone is worked out in double, before the loop.

// What dp is not yet: a penalty's gradient added, the whole scaled, each element limited.
typedef struct {
    real l1, l2, scale, clip;
} FN(completion);

static inline FN(completion) FN(complete)(const fastnn_scalar rest[4]) {
    return (FN(completion)){(real)rest[0].f, (real)rest[1].f, (real)rest[2].f, (real)rest[3].f};
}

static inline real FN(sign)(real x) { return (real)(x > 0) - (real)(x < 0); }

// scale (dp + l1 sign(p) + l2 p), and where `limited`, brought into [-clip, clip]. The limit costs
// a fifth of a step, so loops over many elements have it as a constant where they are inlined.
static ALWAYS_INLINE real FN(whole_gradient)(real p, real dp, FN(completion) c, int limited) {
    const real g = c.scale * (dp + (p < 0 ? -c.l1 : p > 0 ? c.l1 : 0) + c.l2 * p);
    if (!limited) return g;
    return g < -c.clip ? -c.clip : g > c.clip ? c.clip : g;
}

static ALWAYS_INLINE int FN(is_limited)(FN(completion) c) { return c.clip < (real)INFINITY; }

static ALWAYS_INLINE void FN(sgd_loop)(real *p, const real *dp, real rate, real decay,
                                       FN(completion) c, int limited, int64_t begin, int64_t end) {
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        p[i] = p[i] - decay * p[i] - rate * FN(whole_gradient)(p[i], dp[i], c, limited);
    }
}

static void FN(sgd_step)(real *p, const real *dp, double lr, double weight_decay,
                         const fastnn_scalar *rest, int64_t begin, int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay);
    const FN(completion) c = FN(complete)(rest);
    if (FN(is_limited)(c)) {
        FN(sgd_loop)(p, dp, rate, decay, c, 1, begin, end);
    } else {
        FN(sgd_loop)(p, dp, rate, decay, c, 0, begin, end);
    }
}

typedef struct {
    real *p, *v;
    const real *dp;
    real rate, mu, decay;
    real keep, ahead;  // the step is keep v - ahead g
    FN(completion) c;
} FN(momentum_job);

static ALWAYS_INLINE void FN(momentum_loop)(FN(momentum_job) s, int limited, int64_t begin,
                                            int64_t end) {
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(s.p[i], s.dp[i], s.c, limited);
        const real velocity = s.mu * s.v[i] - s.rate * g;
        s.v[i] = velocity;
        s.p[i] = s.p[i] - s.decay * s.p[i] + (s.keep * velocity - s.ahead * g);
    }
}

static void FN(momentum_step)(real *p, const real *dp, real *v, double lr, double momentum,
                              int64_t nesterov, double weight_decay, const fastnn_scalar *rest,
                              int64_t begin, int64_t end) {
    const FN(momentum_job) job = {
        .p = p,
        .v = v,
        .dp = dp,
        .rate = (real)lr,
        .mu = (real)momentum,
        .decay = (real)(lr * weight_decay),
        // Nesterov's step is momentum v - lr g, the plain one v itself.
        .keep = nesterov ? (real)momentum : 1,
        .ahead = nesterov ? (real)lr : 0,
        .c = FN(complete)(rest),
    };
    if (FN(is_limited)(job.c)) {
        FN(momentum_loop)(job, 1, begin, end);
    } else {
        FN(momentum_loop)(job, 0, begin, end);
    }
}

static void FN(adagrad_step)(real *p, const real *dp, real *s, double lr, double eps,
                             double weight_decay, const fastnn_scalar *rest, int64_t begin,
                             int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay), epsilon = (real)eps;
    const FN(completion) c = FN(complete)(rest);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(p[i], dp[i], c, 1);
        const real square = s[i] + g * g;
        s[i] = square;
        p[i] = p[i] - decay * p[i] - rate * g / (FN(sqrt)(square) + epsilon);
    }
}

typedef struct {
    real *p, *s, *mean, *v;
    const real *dp;
    real rate, keep, blend, momentum, epsilon, decay;
    FN(completion) c;
} FN(rmsprop_job);

// `centred` and `moving` are constants where this is inlined.
static ALWAYS_INLINE void FN(rmsprop_loop)(FN(rmsprop_job) r, int centred, int moving,
                                           int64_t begin, int64_t end) {
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(r.p[i], r.dp[i], r.c, 1);
        real square = r.keep * r.s[i] + r.blend * (g * g);
        r.s[i] = square;
        if (centred) {
            const real mean = r.keep * r.mean[i] + r.blend * g;
            r.mean[i] = mean;
            const real variance = square - mean * mean;
            square = variance < 0 ? 0 : variance;
        }
        real step = r.rate * g / (FN(sqrt)(square) + r.epsilon);
        if (moving) {
            step -= r.momentum * r.v[i];
            r.v[i] = -step;
        }
        r.p[i] = r.p[i] - r.decay * r.p[i] - step;
    }
}

static void FN(rmsprop_step)(real *p, const real *dp, real *s, real *mean, real *v, double lr,
                             double rho, double momentum, double eps, double weight_decay,
                             const fastnn_scalar *rest, int64_t begin, int64_t end) {
    const FN(rmsprop_job) job = {
        .p = p,
        .s = s,
        .mean = mean,
        .v = v,
        .dp = dp,
        .rate = (real)lr,
        .keep = (real)rho,
        .blend = (real)(1 - rho),
        .momentum = (real)momentum,
        .epsilon = (real)eps,
        .decay = (real)(lr * weight_decay),
        .c = FN(complete)(rest),
    };
    if (mean && v) {
        FN(rmsprop_loop)(job, 1, 1, begin, end);
    } else if (mean) {
        FN(rmsprop_loop)(job, 1, 0, begin, end);
    } else if (v) {
        FN(rmsprop_loop)(job, 0, 1, begin, end);
    } else {
        FN(rmsprop_loop)(job, 0, 0, begin, end);
    }
}

static void FN(lion_step)(real *p, const real *dp, real *m, double lr, double beta1, double beta2,
                          double weight_decay, const fastnn_scalar *rest, int64_t begin,
                          int64_t end) {
    const real rate = (real)lr, decay = (real)(lr * weight_decay);
    const real keep1 = (real)beta1, blend1 = (real)(1 - beta1);
    const real keep2 = (real)beta2, blend2 = (real)(1 - beta2);
    const FN(completion) c = FN(complete)(rest);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        const real g = FN(whole_gradient)(p[i], dp[i], c, 1);
        const real mean = m[i];
        m[i] = keep2 * mean + blend2 * g;
        p[i] = p[i] - decay * p[i] - rate * FN(sign)(keep1 * mean + blend1 * g);
    }
}
