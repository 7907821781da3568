// Losses: weighted mean over the batch and its gradient, in one pass.
//
// Formulas as in fastnn/kernels/reference/loss.py; `a` is the loss's parameter (delta,
// label smoothing, or the q of its output).

#define ELEMENT(name) static inline real FN(name)(real y, real t, real a)

ELEMENT(smoothed) { return (1 - a) * t + HALF * a; }
ELEMENT(sigmoid_cross_entropy_value) { return FN(softplus_value)(y) - FN(smoothed)(y, t, a) * y; }
ELEMENT(sigmoid_cross_entropy_slope) { return FN(sigmoid_value)(y) - FN(smoothed)(y, t, a); }

ELEMENT(mean_squared_error_value) { return (y - t) * (y - t); }
ELEMENT(mean_squared_error_slope) { return 2 * (y - t); }

// e < 0 and e > 0 are both false for NaN, which must reach the gradient.
ELEMENT(mean_absolute_error_value) { return FN(abs)(y - t); }
ELEMENT(mean_absolute_error_slope) { return y < t ? -1 : y > t ? 1 : y - t; }

ELEMENT(huber_slope) {
    const real e = y - t;
    return e < -a ? -a : e > a ? a : e;
}
ELEMENT(huber_value) {
    const real g = FN(huber_slope)(y, t, a);
    return g * ((y - t) - HALF * g);
}

ELEMENT(poisson_value) {
    const real t_log_t = t > 0 ? t * FN(log)(t) : t * 0;
    return (FN(exp)(y) - t) - t * y + t_log_t;
}
ELEMENT(poisson_slope) { return FN(exp)(y) - t; }

ELEMENT(quantile_slope) { return y < t ? -a : y > t ? 1 - a : 0; }
ELEMENT(quantile_value) { return FN(quantile_slope)(y, t, a) * (y - t); }

#undef ELEMENT

typedef struct FN(loss_job) {
    real *dy;                // (B,O) or NULL; may be y
    const real *y, *target;  // (B,O)
    const int64_t *labels;   // (B,), instead of target
    const real *weight;      // (B,) or NULL
    int64_t cols;
    double total;        // Σ w times the number of outputs that share it
    double parameter;    // of all outputs
    const real *levels;  // (O,): of each output, in place of it
} FN(loss_job);

static double FN(total_weight)(const real *weight, int64_t rows) {
    return weight ? FN(sum)(weight, rows) : (double)rows;
}

// What row i counts: its share of the whole weight, 0 in a batch without any.
static inline double FN(row_factor)(const FN(loss_job) *l, int64_t i) {
    return l->total > 0 ? (l->weight ? (double)l->weight[i] : 1) / l->total : 0;
}

// factor (n,): what the elements from `first` on count, each as much as its row.
static void FN(element_factors)(double *factor, const FN(loss_job) *l, int64_t first, int64_t n) {
    const double unit = l->total > 0 ? 1 / l->total : 0;
    if (!l->weight) {
        for (int64_t i = 0; i < n; i++) factor[i] = unit;
        return;
    }
    int64_t row = first / l->cols, col = first % l->cols;
    for (int64_t i = 0; i < n; i++) {
        factor[i] = (double)l->weight[row] * unit;
        if (++col == l->cols) {
            col = 0;
            row++;
        }
    }
}

// level (n,): that of the output of each element from `first` on.
static void FN(element_levels)(real *level, const FN(loss_job) *l, int64_t first, int64_t n) {
    for (int64_t i = 0, col = first % l->cols; i < n; i++) {
        level[i] = l->levels[col];
        if (++col == l->cols) col = 0;
    }
}

// The share of rows [begin, end) in the loss, and their gradient. `a` is the setting of element i,
// once `settings` has made it for the n elements from `at` on.
#define OUTPUTWISE(name, settings, a)                                                         \
    static double FN(name##_rows)(void *job, int64_t begin, int64_t end) {                    \
        const FN(loss_job) *l = job;                                                          \
        double sum = 0;                                                                       \
        for (int64_t at = begin * l->cols; at < end * l->cols; at += SUM_BLOCK) {             \
            const int64_t left = end * l->cols - at, n = left < SUM_BLOCK ? left : SUM_BLOCK; \
            const real *y = l->y + at, *t = l->target + at;                                   \
            double value[SUM_BLOCK], factor[SUM_BLOCK];                                       \
            real slope[SUM_BLOCK]; /* beside the value: they share their exponentials */      \
            FN(element_factors)(factor, l, at, n);                                            \
            settings;                                                                         \
            ELEMENTWISE for (int64_t i = 0; i < n; i++) {                                     \
                value[i] = (double)FN(name##_value)(y[i], t[i], a) * factor[i];               \
                slope[i] = FN(name##_slope)(y[i], t[i], a) * (real)factor[i];                 \
            }                                                                                 \
            if (l->dy) memcpy(l->dy + at, slope, (size_t)n * sizeof(real));                   \
            sum += sum_f64(value, n);                                                         \
        }                                                                                     \
        return sum;                                                                           \
    }
#define ONE const real parameter = (real)l->parameter
#define EACH                \
    real levels[SUM_BLOCK]; \
    FN(element_levels)(levels, l, at, n)
OUTPUTWISE(sigmoid_cross_entropy, ONE, parameter)
OUTPUTWISE(mean_squared_error, ONE, parameter)
OUTPUTWISE(mean_absolute_error, ONE, parameter)
OUTPUTWISE(huber, ONE, parameter)
OUTPUTWISE(poisson, ONE, parameter)
OUTPUTWISE(quantile, EACH, levels[i])
#undef ONE
#undef EACH
#undef OUTPUTWISE

// dy, y, target (B,O), weight (B,).
static fastnn_status FN(outputwise)(double (*rows)(void *, int64_t, int64_t), real *dy,
                                    const real *y, const real *target, const real *weight,
                                    int64_t B, int64_t O, double parameter, const real *levels,
                                    double *loss) {
    const double total = FN(total_weight)(weight, B) * (double)O;
    FN(loss_job) job = {dy, y, target, 0, weight, O, total, parameter, levels};
    *loss = fastnn_sum_chunks(O ? B : 0, row_grain(O), 1.5 * (double)B * (double)O, rows, &job);
    return FASTNN_OK;
}

static fastnn_status FN(sigmoid_cross_entropy)(real *dz, const real *z, const real *target,
                                               const real *weight, int64_t B, int64_t O,
                                               double label_smoothing, double *loss) {
    return FN(outputwise)(FN(sigmoid_cross_entropy_rows), dz, z, target, weight, B, O,
                          label_smoothing, 0, loss);
}

static fastnn_status FN(mean_squared_error)(real *dy, const real *y, const real *target,
                                            const real *weight, int64_t B, int64_t O,
                                            double *loss) {
    return FN(outputwise)(FN(mean_squared_error_rows), dy, y, target, weight, B, O, 0, 0, loss);
}

static fastnn_status FN(mean_absolute_error)(real *dy, const real *y, const real *target,
                                             const real *weight, int64_t B, int64_t O,
                                             double *loss) {
    return FN(outputwise)(FN(mean_absolute_error_rows), dy, y, target, weight, B, O, 0, 0, loss);
}

static fastnn_status FN(huber)(real *dy, const real *y, const real *target, const real *weight,
                               int64_t B, int64_t O, double delta, double *loss) {
    return FN(outputwise)(FN(huber_rows), dy, y, target, weight, B, O, delta, 0, loss);
}

static fastnn_status FN(poisson)(real *dz, const real *z, const real *target, const real *weight,
                                 int64_t B, int64_t O, double *loss) {
    return FN(outputwise)(FN(poisson_rows), dz, z, target, weight, B, O, 0, 0, loss);
}

static fastnn_status FN(quantile)(real *dy, const real *y, const real *target, const real *weight,
                                  const real *q, int64_t B, int64_t O, double *loss) {
    return FN(outputwise)(FN(quantile_rows), dy, y, target, weight, B, O, 0, q, loss);
}
