// Softmax over the rows, and its cross-entropy with classes or class probabilities.
//
// Rows of few classes go together through the exponential, as many as fit into a block; rows longer
// than a block go through it in pieces. A row's bits do not depend on what shares its block.

#define SOFTMAX_BLOCK 1024
#define SOFTMAX_ROWS 64

static inline int64_t FN(rows_together)(int64_t C) {
    const int64_t rows = C < SOFTMAX_BLOCK ? SOFTMAX_BLOCK / C : 1;
    return rows < SOFTMAX_ROWS ? rows : SOFTMAX_ROWS;
}

static inline real FN(largest)(const real *z, int64_t n) {
    real most[SUM_LANES];
    for (int j = 0; j < SUM_LANES; j++) most[j] = z[j < n ? j : 0];
    for (int64_t i = SUM_LANES; i < n; i += SUM_LANES) {
        const real *next = z + (i + SUM_LANES <= n ? i : n - SUM_LANES);
        for (int j = 0; j < SUM_LANES; j++) most[j] = next[j] > most[j] ? next[j] : most[j];
    }
    real m = most[0];
    for (int j = 1; j < SUM_LANES; j++) m = most[j] > m ? most[j] : m;
    return m;
}

static void FN(largest_of_rows)(real *m, const real *z, int64_t rows, int64_t C) {
    for (int64_t i = 0; i < rows; i++) m[i] = FN(largest)(z + i * C, C);
}

// e (rows,C) = exp(z - m) and total (rows,) = Σ e over a row, with m (rows,) the largest of a row.
// e may be z; NULL where only the sums are wanted.
static void FN(exp_rows)(real *e, double *total, const real *z, const real *m, int64_t rows,
                         int64_t C) {
    for (int64_t i = 0; i < rows; i++) total[i] = 0;
    for (int64_t at = 0; at < C; at += SOFTMAX_BLOCK) {
        const int64_t n = C - at < SOFTMAX_BLOCK ? C - at : SOFTMAX_BLOCK;
        real scratch[SOFTMAX_BLOCK], *block = e ? e + at : scratch;  // (rows,n), rows > 1 if n = C
        for (int64_t i = 0; i < rows; i++) {
            const real *row = z + i * C + at, most = m[i];
            real *to = block + i * n;
            ELEMENTWISE for (int64_t j = 0; j < n; j++) to[j] = row[j] - most;
        }
        FN(activate)(block, block, rows * n, FASTNN_ACTIVATION_exp);
        for (int64_t i = 0; i < rows; i++) total[i] += FN(sum)(block + i * n, n);
    }
}

typedef struct {
    real *y;
    const real *z;
    int64_t C;
} FN(softmax_job);

// y, z (B,C); y may be z.
static void FN(softmax_rows)(void *job, int64_t begin, int64_t end) {
    const FN(softmax_job) *s = job;
    const int64_t C = s->C, together = FN(rows_together)(C);
    for (int64_t first = begin; first < end; first += together) {
        const int64_t rows = end - first < together ? end - first : together;
        real m[SOFTMAX_ROWS], *y = s->y + first * C;
        double total[SOFTMAX_ROWS];
        FN(largest_of_rows)(m, s->z + first * C, rows, C);
        FN(exp_rows)(y, total, s->z + first * C, m, rows, C);
        for (int64_t i = 0; i < rows; i++, y += C) {
            const real sum = (real)total[i];
            ELEMENTWISE for (int64_t j = 0; j < C; j++) y[j] /= sum;
        }
    }
}

static fastnn_status FN(softmax)(real *y, const real *z, int64_t B, int64_t C) {
    FN(softmax_job) job = {y, z, C};
    fastnn_for_chunks(C ? B : 0, row_grain(C), (double)B * (double)C, FN(softmax_rows), &job);
    return FASTNN_OK;
}

// Cross-entropy. Row i has the shares q = (1 - smoothing) target + smoothing / C; its loss is
// Σ q log(total) - Σ q (z - m), and dz = (Σ q) e / total - q, both times the row's factor.

// Labels may lie in an array of the user's, which another thread may change after any check. So
// each is read once where it is used, and one that is no class counts as the first.
static inline int64_t FN(label)(const FN(loss_job) *l, int64_t i) {
    const int64_t label = __atomic_load_n(l->labels + i, __ATOMIC_RELAXED);
    return label >= 0 && label < l->cols ? label : 0;
}

// How many of the labels [begin, end) are no class.
static double FN(wrong_labels)(void *job, int64_t begin, int64_t end) {
    const FN(loss_job) *l = job;
    int64_t wrong = 0;
    for (int64_t i = begin; i < end; i++) {
        const int64_t label = __atomic_load_n(l->labels + i, __ATOMIC_RELAXED);
        wrong += label < 0 || label >= l->cols;
    }
    return (double)wrong;
}

// q (n,): shares of row i, from column `at` on.
static void FN(shares)(double *q, const FN(loss_job) *l, int64_t i, int64_t at, int64_t n) {
    const double keep = 1 - l->parameter, even = l->parameter / (double)l->cols;
    if (l->labels) {
        const int64_t label = FN(label)(l, i) - at;
        for (int64_t j = 0; j < n; j++) q[j] = even;
        if (label >= 0 && label < n) q[label] += keep;
    } else {
        const real *t = l->target + i * l->cols + at;
        for (int64_t j = 0; j < n; j++) q[j] = keep * (double)t[j] + even;
    }
}

// The common case: q is 1 at the label and 0 elsewhere.
static inline int FN(one_hot)(const FN(loss_job) *l) { return l->labels && l->parameter == 0; }

typedef struct {
    double q_sum, q_dot_z;  // Σ q, Σ q (z - m)
} FN(row_target);

static FN(row_target) FN(sum_shares)(const FN(loss_job) *l, int64_t i, const real *z, real m) {
    if (FN(one_hot)(l)) return (FN(row_target)){1, (double)(z[FN(label)(l, i)] - m)};
    FN(row_target) row = {0, 0};
    for (int64_t at = 0; at < l->cols; at += SUM_BLOCK) {
        const int64_t n = l->cols - at < SUM_BLOCK ? l->cols - at : SUM_BLOCK;
        double q[SUM_BLOCK], q_z[SUM_BLOCK];
        FN(shares)(q, l, i, at, n);
        for (int64_t j = 0; j < n; j++) q_z[j] = q[j] * (double)(z[at + j] - m);
        row.q_sum += sum_f64(q, n);
        row.q_dot_z += sum_f64(q_z, n);
    }
    return row;
}

// dz (C,) holds e of row i and becomes its gradient.
static void FN(cross_entropy_gradient)(real *dz, const FN(loss_job) *l, int64_t i, double q_sum,
                                       double total, double factor) {
    const double scale = q_sum * factor / total;
    if (FN(one_hot)(l)) {
        real *at_label = dz + FN(label)(l, i);
        const real difference = (real)(((double)*at_label / total - 1) * factor);
        const real narrow = (real)scale;
        ELEMENTWISE for (int64_t j = 0; j < l->cols; j++) dz[j] *= narrow;
        *at_label = difference;
        return;
    }
    for (int64_t at = 0; at < l->cols; at += SUM_BLOCK) {
        const int64_t n = l->cols - at < SUM_BLOCK ? l->cols - at : SUM_BLOCK;
        double q[SUM_BLOCK];
        FN(shares)(q, l, i, at, n);
        ELEMENTWISE for (int64_t j = 0; j < n; j++) {
            dz[at + j] = (real)(scale * (double)dz[at + j] - q[j] * factor);
        }
    }
}

// dz, z (B,C); dz may be z, so what is needed of z is read before its block becomes e.
static double FN(softmax_cross_entropy_rows)(void *job, int64_t begin, int64_t end) {
    const FN(loss_job) *l = job;
    const int64_t C = l->cols, together = FN(rows_together)(C);
    double loss = 0;
    for (int64_t first = begin; first < end; first += together) {
        const int64_t rows = end - first < together ? end - first : together;
        const real *z = l->y + first * C;
        real m[SOFTMAX_ROWS], *dz = l->dy ? l->dy + first * C : 0;
        double total[SOFTMAX_ROWS];
        FN(row_target) target[SOFTMAX_ROWS];
        FN(largest_of_rows)(m, z, rows, C);
        for (int64_t i = 0; i < rows; i++) {
            target[i] = FN(sum_shares)(l, first + i, z + i * C, m[i]);
        }
        FN(exp_rows)(dz, total, z, m, rows, C);
        for (int64_t i = 0; i < rows; i++) {
            const double factor = FN(row_factor)(l, first + i), q_sum = target[i].q_sum;
            loss += (q_sum * log(total[i]) - target[i].q_dot_z) * factor;
            if (!dz) continue;
            FN(cross_entropy_gradient)(dz + i * C, l, first + i, q_sum, total[i], factor);
        }
    }
    return l->labels && FN(wrong_labels)(job, begin, end) > 0 ? NAN : loss;
}

// One of target (B,C) and labels (B,) is NULL. A single call looks at the labels before it writes
// anything; a team learns from the loss, in one loop, that some are wrong.
static fastnn_status FN(softmax_cross_entropy)(real *dz, const real *z, const real *target,
                                               const int64_t *labels, const real *weight, int64_t B,
                                               int64_t C, double label_smoothing, double *loss) {
    const double total = FN(total_weight)(weight, B);
    FN(loss_job) job = {dz, z, target, labels, weight, C, total, label_smoothing, 0};
    if (labels && !fastnn_in_team() && FN(wrong_labels)(&job, 0, B) > 0) return FASTNN_BAD_LABEL;
    *loss = fastnn_sum_chunks(C ? B : 0, row_grain(C), 1.5 * (double)B * (double)C,
                              FN(softmax_cross_entropy_rows), &job);
    if (!labels || !isnan(*loss)) return FASTNN_OK;
    const double wrong = fastnn_sum_chunks(B, row_grain(C), (double)B, FN(wrong_labels), &job);
    return wrong > 0 ? FASTNN_BAD_LABEL : FASTNN_OK;
}

#undef SOFTMAX_BLOCK
#undef SOFTMAX_ROWS
