// Softmax over the rows, and its cross-entropy with classes or class probabilities.

static inline real FN(largest)(const real *z, int64_t n) {
    real m = z[0];
    for (int64_t j = 1; j < n; j++) m = z[j] > m ? z[j] : m;
    return m;
}

typedef struct {
    real *y;
    const real *z;
    int64_t C;
} FN(softmax_job);

// y, z (B,C); y may be z.
static void FN(softmax_rows)(void *job, int64_t begin, int64_t end) {
    const FN(softmax_job) *s = job;
    for (int64_t i = begin; i < end; i++) {
        const real *z = s->z + i * s->C, m = FN(largest)(z, s->C);
        real *y = s->y + i * s->C;
        double total = 0;
        for (int64_t j = 0; j < s->C; j++) total += (double)(y[j] = FN(exp)(z[j] - m));
        ELEMENTWISE for (int64_t j = 0; j < s->C; j++) y[j] /= (real)total;
    }
}

static fastnn_status FN(softmax)(real *y, const real *z, int64_t B, int64_t C) {
    FN(softmax_job) job = {y, z, C};
    fastnn_for_chunks(C ? B : 0, row_grain(C), 4.0 * (double)B * (double)C, FN(softmax_rows), &job);
    return FASTNN_OK;
}

// q (C,) = (1 - smoothing) target + smoothing / C of row i, element j.
static inline double FN(share)(const FN(loss_job) *l, int64_t i, int64_t j) {
    const double t = l->labels ? (double)(l->labels[i] == j) : (double)l->target[i * l->cols + j];
    return (1 - l->parameter) * t + l->parameter / (double)l->cols;
}

// dz, z (B,C); dz may be z, so a row is read before it is written.
static double FN(softmax_cross_entropy_rows)(void *job, int64_t begin, int64_t end) {
    const FN(loss_job) *l = job;
    const int64_t C = l->cols;
    double loss = 0;
    for (int64_t i = begin; i < end; i++) {
        const real *z = l->y + i * C, m = FN(largest)(z, C);
        real *dz = l->dy ? l->dy + i * C : 0;
        const double factor = FN(row_factor)(l, i);
        double total = 0, q_sum = 0, q_dot_z = 0;
        for (int64_t j = 0; j < C; j++) {
            const real shifted = z[j] - m, e = FN(exp)(shifted);
            const double q = FN(share)(l, i, j);
            q_sum += q;
            q_dot_z += q * (double)shifted;
            total += (double)e;
            if (dz) dz[j] = e;
        }
        loss += (q_sum * log(total) - q_dot_z) * factor;
        for (int64_t j = 0; dz && j < C; j++) {
            dz[j] = (real)((q_sum * ((double)dz[j] / total) - FN(share)(l, i, j)) * factor);
        }
    }
    return loss;
}

// One of target (B,C) and labels (B,) is NULL.
static fastnn_status FN(softmax_cross_entropy)(real *dz, const real *z, const real *target,
                                               const int64_t *labels, const real *weight, int64_t B,
                                               int64_t C, double label_smoothing, double *loss) {
    for (int64_t i = 0; labels && i < B; i++) {
        if (labels[i] < 0 || labels[i] >= C) return FASTNN_BAD_LABEL;
    }
    const double total = FN(total_weight)(weight, B);
    FN(loss_job) job = {dz, z, target, labels, weight, C, total, label_smoothing, 0};
    *loss = fastnn_sum_chunks(C ? B : 0, row_grain(C), 8.0 * (double)B * (double)C,
                              FN(softmax_cross_entropy_rows), &job);
    return FASTNN_OK;
}
