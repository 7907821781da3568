// Fully connected layers.

// y (B,O) = activation(x (B,I) · w (I,O) + b (O,)), z (B,O) the same before the activation.
static fastnn_status FN(dense_fwd)(real *y, const real *x, const real *w, const real *b, real *z,
                                   int64_t B, int64_t I, int64_t O, int64_t activation) {
    if (!activation_known(activation)) return FASTNN_BAD_ACTIVATION;
    FN(gemm_job) job = {.a = x,
                        .a_row = I,
                        .a_col = 1,
                        .b = w,
                        .b_row = O,
                        .b_col = 1,
                        .c = y,
                        .M = B,
                        .N = O,
                        .K = I,
                        .bias = b,
                        .z = z,
                        .activation = activation};
    FN(gemm)(&job);
    return FASTNN_OK;
}

typedef struct {
    real *db;
    const real *dz;
    int64_t B, O;
} FN(column_sum_job);

// db[begin..end) (O,) = Σ dz (B,O) over the rows, in their order.
static void FN(column_sum)(void *job, int64_t begin, int64_t end) {
    const FN(column_sum_job) *s = job;
    memset(s->db + begin, 0, (size_t)(end - begin) * sizeof(real));
    for (int64_t i = 0; i < s->B; i++) {
        const real *row = s->dz + i * s->O;
        ELEMENTWISE for (int64_t j = begin; j < end; j++) s->db[j] += row[j];
    }
}

// dy becomes dz (B,O); dw (I,O) = xᵀ · dz, db (O,) = Σ dz, dx (B,I) = dz · wᵀ.
static fastnn_status FN(dense_bwd)(real *dx, real *dw, real *db, real *dy, const real *y,
                                   const real *x, const real *w, const real *z, int64_t B,
                                   int64_t I, int64_t O, int64_t activation) {
    const fastnn_status status = FN(activation_bwd)(dy, dy, y, z, B * O, activation);
    if (status) return status;
    if (db) {
        FN(column_sum_job) job = {db, dy, B, O};
        fastnn_for_chunks(O, COLUMN_GRAIN, 0.3 * (double)B * (double)O, FN(column_sum), &job);
    }
    FN(gemm_job) weights = {.a = x,
                            .a_row = 1,
                            .a_col = I,
                            .b = dy,
                            .b_row = O,
                            .b_col = 1,
                            .c = dw,
                            .M = I,
                            .N = O,
                            .K = B};
    FN(gemm)(&weights);
    if (dx) {
        FN(gemm_job) inputs = {.a = dy,
                               .a_row = O,
                               .a_col = 1,
                               .b = w,
                               .b_row = 1,
                               .b_col = O,
                               .c = dx,
                               .M = B,
                               .N = I,
                               .K = O};
        FN(gemm)(&inputs);
    }
    return FASTNN_OK;
}
