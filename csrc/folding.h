// A normalisation by given statistics folded into the weights of the dense layer beside it.

// What becomes of a column: scale x + shift.
typedef struct {
    double scale, shift;
} FN(column_map);

typedef struct {
    real *wf, *bf;
    const real *w, *b, *mean, *variance, *gamma, *beta;
    int64_t C, I, O;
    double eps;
} FN(fold_job);

static inline FN(column_map) FN(column_map_of)(const FN(fold_job) *f, int64_t c) {
    const double gamma = f->gamma ? (double)f->gamma[c] : 1;
    const double scale = gamma / sqrt((double)f->variance[c] + f->eps);
    return (FN(column_map)){scale, (f->beta ? (double)f->beta[c] : 0) - (double)f->mean[c] * scale};
}

// Columns of w that one task does: at most COLUMN_GRAIN.
static int64_t FN(fold_tasks)(int64_t O) { return O ? parts_of(O, COLUMN_GRAIN) : 0; }

static void FN(fold_output_columns)(void *job, int64_t index) {
    const FN(fold_job) *f = job;
    const int64_t parts = FN(fold_tasks)(f->O), first = part_start(f->O, parts, index);
    const int64_t n = part_start(f->O, parts, index + 1) - first;
    real scale[COLUMN_GRAIN];
    for (int64_t j = 0; j < n; j++) {
        const FN(column_map) map = FN(column_map_of)(f, first + j);
        const double bias = f->b ? (double)f->b[first + j] : 0;
        scale[j] = (real)map.scale;
        f->bf[first + j] = (real)(bias * map.scale + map.shift);
    }
    for (int64_t i = 0; i < f->I; i++) {
        const real *from = f->w + i * f->O + first;
        real *to = f->wf + i * f->O + first;
        ELEMENTWISE for (int64_t j = 0; j < n; j++) to[j] = from[j] * scale[j];
    }
}

// wf, w (I,O)  the others (O,); b, gamma and beta may be NULL.
static fastnn_status FN(dense_fold_output)(real *wf, real *bf, const real *w, const real *b,
                                           const real *mean, const real *variance,
                                           const real *gamma, const real *beta, int64_t I,
                                           int64_t O, double eps) {
    FN(fold_job) job = {wf, bf, w, b, mean, variance, gamma, beta, O, I, O, eps};
    fastnn_for(FN(fold_tasks)(O), 0.3 * (double)I * (double)O, FN(fold_output_columns), &job);
    return FASTNN_OK;
}

static void FN(fold_input_columns)(void *job, int64_t index) {
    const FN(fold_job) *f = job;
    const int64_t parts = FN(fold_tasks)(f->O), first = part_start(f->O, parts, index);
    const int64_t n = part_start(f->O, parts, index + 1) - first;
    double bias[COLUMN_GRAIN];
    for (int64_t j = 0; j < n; j++) bias[j] = f->b ? (double)f->b[first + j] : 0;
    for (int64_t i = 0; i < f->I; i++) {
        const FN(column_map) map = FN(column_map_of)(f, i % f->C);
        const real scale = (real)map.scale, *from = f->w + i * f->O + first;
        real *to = f->wf + i * f->O + first;
        ELEMENTWISE for (int64_t j = 0; j < n; j++) bias[j] += map.shift * (double)from[j];
        ELEMENTWISE for (int64_t j = 0; j < n; j++) to[j] = from[j] * scale;
    }
    for (int64_t j = 0; j < n; j++) f->bf[first + j] = (real)bias[j];
}

// wf, w (I,O)  bf, b (O,)  the others (C,), for input i number i mod C; b, gamma, beta may be NULL.
static fastnn_status FN(dense_fold_input)(real *wf, real *bf, const real *w, const real *b,
                                          const real *mean, const real *variance, const real *gamma,
                                          const real *beta, int64_t C, int64_t I, int64_t O,
                                          double eps) {
    FN(fold_job) job = {wf, bf, w, b, mean, variance, gamma, beta, C, I, O, eps};
    if (C == 0) return FASTNN_BAD_SIZE;
    fastnn_for(FN(fold_tasks)(O), 0.5 * (double)I * (double)O, FN(fold_input_columns), &job);
    return FASTNN_OK;
}
