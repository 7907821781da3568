// Fully connected layers, alone or followed by dropout.

static FN(gemm_job) FN(dense_job)(real *y, const real *x, const real *w, const real *b, real *z,
                                  int64_t B, int64_t I, int64_t O, int64_t activation) {
    return (FN(gemm_job)){.a = x,
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
}

// y (B,O) = activation(x (B,I) · w (I,O) + b (O,)), z (B,O) the same before the activation.
static fastnn_status FN(dense_fwd)(real *y, const real *x, const real *w, const real *b, real *z,
                                   int64_t B, int64_t I, int64_t O, int64_t activation) {
    if (!activation_known(activation)) return FASTNN_BAD_ACTIVATION;
    FN(gemm_job) job = FN(dense_job)(y, x, w, b, z, B, I, O, activation);
    FN(gemm)(&job);
    return FASTNN_OK;
}

// mask (B,O) bits. It is drawn first: its bytes do not end where rows and tiles end.
static fastnn_status FN(dense_dropout_fwd)(real *y, uint8_t *mask, const real *x, const real *w,
                                           const real *b, real *z, int64_t B, int64_t I, int64_t O,
                                           int64_t activation, double rate, uint64_t seed,
                                           uint64_t offset) {
    if (!activation_known(activation)) return FASTNN_BAD_ACTIVATION;
    FN(draw_mask)(mask, B * O, rate, seed, offset);
    FN(gemm_job) job = FN(dense_job)(y, x, w, b, z, B, I, O, activation);
    job.mask = mask;
    job.scale = FN(dropout_scale)(rate);
    FN(gemm)(&job);
    return FASTNN_OK;
}

// From the gradient at the output to that before the activation.
typedef struct {
    real *dz;  // (B,O), dy before
    real *db;  // (O,) or NULL
    const real *y, *z;
    const uint8_t *mask;  // of dropout behind the activation, or NULL
    real scale;           // of what it keeps
    int64_t B, O, activation;
    int64_t chunks;  // of rows, where columns are too few for several tasks
    real *sums;      // (chunks, O): db of each
} FN(slope_job);

// Elements [at, at + n) of dz, n <= 2 * COLUMN_GRAIN.
static void FN(slope_block)(const FN(slope_job) *g, int64_t at, int64_t n) {
    real *dz = g->dz + at;
    const real *y = g->y + at;
    real kept[2 * COLUMN_GRAIN];
    if (g->mask) {  // where y was dropped, dz is 0 whatever the slope
        FN(apply_mask)(dz, g->mask, at, dz, g->scale, n);
        ELEMENTWISE for (int64_t i = 0; i < n; i++) kept[i] = y[i] / g->scale;
        y = kept;
    }
    if (g->activation == FASTNN_ACTIVATION_identity) return;
    FN(multiply_slope)(dz, dz, y, g->z ? g->z + at : 0, n, g->activation);
}

// Rows [begin, end), columns [j0, j0 + cols): dz, and their part of db as long as dz is warm. Rows
// of few columns are summed several at a time, as one longer row that is folded at the end.
static void FN(slope_region)(const FN(slope_job) *g, int64_t begin, int64_t end, int64_t j0,
                             int64_t cols, real *db) {
    const int64_t together = cols == g->O ? 1 + (COLUMN_GRAIN - 1) / cols : 1;
    const int64_t width = together * cols;
    real sum[2 * COLUMN_GRAIN] = {0};
    for (int64_t i = begin; i < end; i += together) {
        const int64_t n = end - i < together ? (end - i) * cols : width;
        const int64_t at = i * g->O + j0;
        FN(slope_block)(g, at, n);
        ELEMENTWISE for (int64_t j = 0; j < n; j++) sum[j] += g->dz[at + j];
    }
    for (int64_t i = 1; i < together && i < end - begin; i++) {
        ELEMENTWISE for (int64_t j = 0; j < cols; j++) sum[j] += sum[i * cols + j];
    }
    if (db) memcpy(db + j0, sum, (size_t)cols * sizeof(real));
}

static void FN(slope_task)(void *job, int64_t index) {
    const FN(slope_job) *g = job;
    const int64_t parts = parts_of(g->O, COLUMN_GRAIN), part = index % parts;
    const int64_t chunk = index / parts, j0 = part_start(g->O, parts, part);
    FN(slope_region)(g, part_start(g->B, g->chunks, chunk), part_start(g->B, g->chunks, chunk + 1),
                     j0, part_start(g->O, parts, part + 1) - j0,
                     g->db && g->chunks > 1 ? g->sums + chunk * g->O : g->db);
}

// A single task.
static void FN(add_db)(void *job, int64_t index) {
    const FN(slope_job) *g = job;
    FN(add_parts)(g->db, g->sums, g->chunks, g->O);
    (void)index;
}

// dz, db. Both the number of tasks and the order of the sums are functions of B and O.
static void FN(slope)(FN(slope_job) *g) {
    char own[FASTNN_SCRATCH] __attribute__((aligned(64)));
    const int64_t parts = parts_of(g->O, COLUMN_GRAIN), most = GEMM_TASKS / parts;
    const int64_t worth = 1 + g->B * g->O / SLOPE_TASK_SIZE;
    g->chunks = most < 1 ? 1 : worth < most ? worth : most;
    g->sums = fastnn_team_scratch(own);
    fastnn_for(parts * g->chunks, 0.5 * (double)g->B * (double)g->O, FN(slope_task), g);
    if (g->db && g->chunks > 1) fastnn_for(1, (double)(g->chunks * g->O), FN(add_db), g);
}

static fastnn_status FN(backward)(real *dx, real *dw, const real *x, const real *w, int64_t I,
                                  FN(slope_job) *g) {
    const int64_t B = g->B, O = g->O;
    if (!activation_known(g->activation)) return FASTNN_BAD_ACTIVATION;
    if (!g->z && fastnn_activation_needs_z[g->activation]) return FASTNN_MISSING_Z;
    if (O > 0 && (g->db || g->mask || g->activation != FASTNN_ACTIVATION_identity)) {
        FN(slope)(g);
    }
    FN(gemm_job) product[2] = {
        {.a = x,
         .a_row = 1,
         .a_col = I,
         .b = g->dz,
         .b_row = O,
         .b_col = 1,
         .c = dw,
         .M = dw ? I : 0,
         .N = O,
         .K = B},
        {.a = g->dz,
         .a_row = O,
         .a_col = 1,
         .b = w,
         .b_row = 1,
         .b_col = O,
         .c = dx,
         .M = dx ? B : 0,
         .N = I,
         .K = O},
    };
    FN(gemm_pair)(product);
    return FASTNN_OK;
}

// dy becomes dz (B,O); dw (I,O) = xᵀ · dz, db (O,) = Σ dz, dx (B,I) = dz · wᵀ. The latter three may
// be NULL.
static fastnn_status FN(dense_bwd)(real *dx, real *dw, real *db, real *dy, const real *y,
                                   const real *x, const real *w, const real *z, int64_t B,
                                   int64_t I, int64_t O, int64_t activation) {
    FN(slope_job) job = {
        .dz = dy, .db = db, .y = y, .z = z, .B = B, .O = O, .activation = activation};
    return FN(backward)(dx, dw, x, w, I, &job);
}

static fastnn_status FN(dense_dropout_bwd)(real *dx, real *dw, real *db, real *dy, const real *y,
                                           const uint8_t *mask, const real *x, const real *w,
                                           const real *z, int64_t B, int64_t I, int64_t O,
                                           int64_t activation, double rate) {
    FN(slope_job) job = {.dz = dy,
                         .db = db,
                         .y = y,
                         .z = z,
                         .mask = mask,
                         .scale = FN(dropout_scale)(rate),
                         .B = B,
                         .O = O,
                         .activation = activation};
    return FN(backward)(dx, dw, x, w, I, &job);
}
