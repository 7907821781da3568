// Functions of the user, compiled to machine code at run time (fastnn/kernels/functions.py).
//
// They are called on blocks whose cut depends on shapes alone, and return 1 where the user's code
// raised an exception; what they then leave in `out` means nothing. All members of a team must come
// to know of it, so it goes the way of sums.

#define CUSTOM_BLOCK 512  // elements
#define CUSTOM_ROWS 64
#define CUSTOM_COST 2.0  // nanoseconds per element, of a function that nobody knows

// out (n,) = f(x), or f(x, y).
typedef int32_t FN(element_function)(real *out, const real *x, const real *y, int64_t n);

// out (rows, width): a double per row, or a real per output; output, target (rows, cols).
typedef int32_t FN(row_function)(void *out, int64_t width, const real *output, const real *target,
                                 int64_t rows, int64_t cols);

typedef struct {
    real *out;
    const real *dy, *y, *z;
    FN(element_function) *function;
} FN(custom_activation_job);

static double FN(custom_fwd_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(custom_activation_job) *j = job;
    const real *z = j->z + begin;
    return j->function(j->out + begin, z, z, end - begin);
}

// The slopes stand in memory of their own: dz may be dy, and what may overlap is not vectorised.
static double FN(custom_bwd_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(custom_activation_job) *j = job;
    int32_t raised = 0;
    for (int64_t at = begin; at < end; at += CUSTOM_BLOCK) {
        const int64_t n = end - at < CUSTOM_BLOCK ? end - at : CUSTOM_BLOCK;
        real slope[CUSTOM_BLOCK], *dz = j->out + at;
        const real *dy = j->dy + at;
        raised |= j->function(slope, j->z + at, j->y + at, n);
        ELEMENTWISE for (int64_t i = 0; i < n; i++) dz[i] = dy[i] * slope[i];
    }
    return raised;
}

// y (n,) = function(z).
static fastnn_status FN(custom_activation_fwd)(real *y, const real *z, int64_t n,
                                               uint64_t function) {
    FN(custom_activation_job)
    job = {.out = y, .z = z, .function = (FN(element_function) *)(uintptr_t)function};
    const double raised =
        fastnn_sum_chunks(n, ELEMENT_GRAIN, CUSTOM_COST * (double)n, FN(custom_fwd_chunk), &job);
    return raised > 0 ? FASTNN_CUSTOM_RAISED : FASTNN_OK;
}

// dz (n,) = dy * derivative(z, y).
static fastnn_status FN(custom_activation_bwd)(real *dz, const real *dy, const real *y,
                                               const real *z, int64_t n, uint64_t derivative) {
    FN(custom_activation_job)
    job = {dz, dy, y, z, (FN(element_function) *)(uintptr_t)derivative};
    const double raised =
        fastnn_sum_chunks(n, ELEMENT_GRAIN, CUSTOM_COST * (double)n, FN(custom_bwd_chunk), &job);
    return raised > 0 ? FASTNN_CUSTOM_RAISED : FASTNN_OK;
}

typedef struct {
    FN(loss_job) batch;
    FN(row_function) *loss, *gradient;
    int counting;  // the chunks that raised, instead of the loss
} FN(custom_loss_job);

static double FN(custom_loss_rows)(void *job, int64_t begin, int64_t end) {
    const FN(custom_loss_job) *l = job;
    const FN(loss_job) *b = &l->batch;
    const int64_t cols = b->cols;
    int32_t raised = 0;
    double sum = 0;
    for (int64_t at = begin; at < end; at += CUSTOM_ROWS) {
        const int64_t rows = end - at < CUSTOM_ROWS ? end - at : CUSTOM_ROWS;
        const real *y = b->y + at * cols, *target = b->target + at * cols;
        real *dy = b->dy ? b->dy + at * cols : NULL;
        double value[CUSTOM_ROWS] = {0};
        raised |= l->loss(value, 1, y, target, rows, cols);
        if (dy) {
            memset(dy, 0, (size_t)(rows * cols) * sizeof(real));
            raised |= l->gradient(dy, cols, y, target, rows, cols);
        }
        for (int64_t i = 0; i < rows; i++) {
            const double factor = FN(row_factor)(b, at + i);
            value[i] *= factor;
            for (int64_t k = i * cols; dy && k < (i + 1) * cols; k++) dy[k] *= (real)factor;
        }
        sum += sum_f64(value, rows);
    }
    if (l->counting) return raised;
    return raised ? NAN : sum;
}

// dy, y, target (B,O), weight (B,). Only a loss that is NaN is worth the question whether a
// function raised, which costs the pass once more.
static fastnn_status FN(custom_loss)(real *dy, const real *y, const real *target,
                                     const real *weight, int64_t B, int64_t O, uint64_t loss,
                                     uint64_t gradient, double *mean) {
    FN(custom_loss_job)
    job = {
        .batch = {.dy = dy, .y = y, .target = target, .weight = weight, .cols = O},
        .loss = (FN(row_function) *)(uintptr_t)loss,
        .gradient = (FN(row_function) *)(uintptr_t)gradient,
    };
    job.batch.total = FN(total_weight)(weight, B);
    const double work = 2 * CUSTOM_COST * (double)B * (double)O;
    *mean = fastnn_sum_chunks(B, row_grain(O), work, FN(custom_loss_rows), &job);
    if (!isnan(*mean)) return FASTNN_OK;
    job.counting = 1;
    const double raised = fastnn_sum_chunks(B, row_grain(O), work, FN(custom_loss_rows), &job);
    return raised > 0 ? FASTNN_CUSTOM_RAISED : FASTNN_OK;
}

#undef CUSTOM_BLOCK
#undef CUSTOM_ROWS
#undef CUSTOM_COST
