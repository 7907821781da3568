// Weight penalties and limits, and the health of an array.

typedef struct {
    double magnitude, square;  // Σ |p|, Σ p²
} FN(norms);

// Added up as sum.h does, in wider groups: two sums at once wait for each other's additions.
static FN(norms) FN(norms_of)(const real *p, int64_t n) {
    double magnitude[NORM_LANES] = {0}, square[NORM_LANES] = {0};
    int64_t i = 0;
    for (; i + NORM_LANES <= n; i += NORM_LANES) {
        for (int j = 0; j < NORM_LANES; j++) {
            const double w = (double)p[i + j];
            magnitude[j] += fabs(w);
            square[j] += w * w;
        }
    }
    FN(norms) norms = {sum_f64(magnitude, NORM_LANES), sum_f64(square, NORM_LANES)};
    for (; i < n; i++) {
        const double w = (double)p[i];
        norms.magnitude += fabs(w);
        norms.square += w * w;
    }
    return norms;
}

// Returns Σ l1 |p| + ½ l2 p² and adds its gradient to dp (n,), which may be NULL.
static double FN(penalty)(real *dp, const real *p, double l1, double l2, int64_t begin,
                          int64_t end) {
    const real a = (real)l1, b = (real)l2;
    if (dp) {
        ELEMENTWISE for (int64_t i = begin; i < end; i++) {
            dp[i] += (p[i] < 0 ? -a : p[i] > 0 ? a : 0) + b * p[i];
        }
    }
    const FN(norms) norms = FN(norms_of)(p + begin, end - begin);
    return l1 * norms.magnitude + 0.5 * l2 * norms.square;
}

typedef struct {
    real *p;  // (I,O)
    int64_t I, O;
    double limit;
} FN(limit_job);

// Scales the columns [j0, j0 + cols) that are longer than the limit, cols <= UNIT_COLUMNS.
static void FN(limit_columns)(const FN(limit_job) *m, int64_t j0, int64_t cols) {
    double square[UNIT_COLUMNS] = {0};
    for (int64_t i = 0; i < m->I; i++) {
        const real *row = m->p + i * m->O + j0;
        ELEMENTWISE for (int64_t j = 0; j < cols; j++) {
            square[j] += (double)row[j] * (double)row[j];
        }
    }
    real factor[UNIT_COLUMNS];
    int longer = 0;
    for (int64_t j = 0; j < cols; j++) {
        const double norm = sqrt(square[j]);
        longer |= norm > m->limit;
        factor[j] = norm > m->limit ? (real)(m->limit / norm) : 1;
    }
    for (int64_t i = 0; longer && i < m->I; i++) {
        real *row = m->p + i * m->O + j0;
        ELEMENTWISE for (int64_t j = 0; j < cols; j++) row[j] *= factor[j];
    }
}

static void FN(max_norm_task)(void *job, int64_t index) {
    const FN(limit_job) *m = job;
    const int64_t parts = parts_of(m->O, UNIT_COLUMNS), j0 = part_start(m->O, parts, index);
    FN(limit_columns)(m, j0, part_start(m->O, parts, index + 1) - j0);
}

// p (I,O): no column is longer than `limit` afterwards.
static fastnn_status FN(max_norm)(real *p, int64_t I, int64_t O, double limit) {
    FN(limit_job) job = {p, I, O, limit};
    const double work = 0.2 * (double)I * (double)O;
    fastnn_for(O > 0 ? parts_of(O, UNIT_COLUMNS) : 0, work, FN(max_norm_task), &job);
    return FASTNN_OK;
}

// x (n,)
static void FN(scale)(real *x, double factor, int64_t begin, int64_t end) {
    const real by = (real)factor;
    ELEMENTWISE for (int64_t i = begin; i < end; i++) x[i] *= by;
}

static double FN(sum_of_squares)(const real *x, int64_t begin, int64_t end) {
    return FN(norms_of)(x + begin, end - begin).square;
}

static double FN(count_nonfinite)(const real *x, int64_t begin, int64_t end) {
    int_real count = 0;  // as wide as real, so that vectors count; a chunk is far below 2^31
    for (int64_t i = begin; i < end; i++) count += !(x[i] - x[i] == 0);
    return (double)count;
}
