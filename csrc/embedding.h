// Rows of a table that numbers of the input select, and how such a table learns.

enum { FN(EMBEDDING_TASKS) = 8, FN(ROW_GRAIN) = 64, FN(RADIX) = 256 };

// A column of x (B,I), whose numbers select rows of w (N,D), and the columns of y or dy (B,O) from
// `at` on that hold them, as many as there are.
typedef struct {
    real *y;
    const real *x;
    real *w;
    int64_t *rows, *order;
    int64_t B, D, I, N, O, column, at, width;
} FN(embedding_job);

static int64_t FN(width_of)(int64_t D, int64_t O, int64_t at) {
    return at >= O ? 0 : D < O - at ? D : O - at;
}

static FN(embedding_job)
    FN(embedding)(const real *y, const real *x, const real *w, int64_t B, int64_t D, int64_t I,
                  int64_t N, int64_t O, int64_t column, int64_t at) {
    return (FN(embedding_job)){.y = (real *)y,
                               .x = x,
                               .w = (real *)w,
                               .B = B,
                               .D = D,
                               .I = I,
                               .N = N,
                               .O = O,
                               .column = column,
                               .at = at,
                               .width = FN(width_of)(D, O, at)};
}

// The row of the table that a number of x selects, the first where there is none. x may be an array
// of the user's, which another thread may change after any check: so it is read once for each use.
static inline int64_t FN(row_of)(const FN(embedding_job) *e, real x) {
    return x >= 0 && x < (real)e->N ? (int64_t)x : 0;
}

static inline real FN(number)(const FN(embedding_job) *e, int64_t i) {
    return *(const volatile real *)(e->x + i * e->I + e->column);
}

static inline int64_t FN(code)(const FN(embedding_job) *e, int64_t i) {
    return FN(row_of)(e, FN(number)(e, i));
}

// What a single call looks at before it writes anything. A team learns in one loop (embedding_rows)
// that some numbers are wrong: its members must not look at them one by one.
static fastnn_status FN(check_codes)(const FN(embedding_job) *e) {
    if (e->at < 0 || e->column < 0 || (e->B && e->column >= e->I)) return FASTNN_BAD_SIZE;
    if (fastnn_in_team()) return FASTNN_OK;
    int wrong = 0;
    for (int64_t i = 0; i < e->B; i++) {
        const real x = FN(number)(e, i);
        wrong |= (real)FN(row_of)(e, x) != x;
    }
    return wrong ? FASTNN_BAD_CODE : FASTNN_OK;
}

// Returns how many numbers select no row.
static double FN(embedding_rows)(void *job, int64_t begin, int64_t end) {
    const FN(embedding_job) *e = job;
    int64_t wrong = 0;
    for (int64_t i = begin; i < end; i++) {
        const real x = FN(number)(e, i);
        const int64_t row = FN(row_of)(e, x);
        wrong += (real)row != x;
        FN(copy_row)(e->y + i * e->O + e->at, e->w + row * e->D, e->width);
    }
    return (double)wrong;
}

static fastnn_status FN(embedding_fwd)(real *y, const real *x, const real *w, int64_t B, int64_t D,
                                       int64_t I, int64_t N, int64_t O, int64_t column,
                                       int64_t at) {
    FN(embedding_job) job = FN(embedding)(y, x, w, B, D, I, N, O, column, at);
    const fastnn_status status = FN(check_codes)(&job);
    if (status) return status;
    const double work = 5 * (double)B + 0.2 * (double)B * (double)D;
    const double wrong =
        fastnn_sum_chunks(job.width ? B : 0, row_grain(D), work, FN(embedding_rows), &job);
    return wrong > 0 ? FASTNN_BAD_CODE : FASTNN_OK;
}

// to (n,) += from (n,)
static inline void FN(add_row)(real *to, const real *from, int64_t n) {
    ELEMENTWISE for (int64_t j = 0; j < n; j++) to[j] += from[j];
}

// A range of the table: every task looks at all codes and adds what falls into its own, in the
// order of the rows.
static void FN(embedding_gradient_task)(void *job, int64_t index) {
    const FN(embedding_job) *e = job;
    const int64_t begin = part_start(e->N, FN(EMBEDDING_TASKS), index);
    const int64_t end = part_start(e->N, FN(EMBEDDING_TASKS), index + 1);
    memset(e->w + begin * e->D, 0, (size_t)((end - begin) * e->D) * sizeof(real));
    for (int64_t i = 0; i < e->B; i++) {
        const int64_t code = FN(code)(e, i);
        if (code < begin || code >= end) continue;
        FN(add_row)(e->w + code * e->D, e->y + i * e->O + e->at, e->width);
    }
}

// dw (N,D) = Σ of the rows of dy (B,O) that x (B,I) assigns to it.
static fastnn_status FN(embedding_bwd)(real *dw, const real *dy, const real *x, int64_t B,
                                       int64_t D, int64_t I, int64_t N, int64_t O, int64_t column,
                                       int64_t at) {
    FN(embedding_job) job = FN(embedding)(dy, x, dw, B, D, I, N, O, column, at);
    const fastnn_status status = FN(check_codes)(&job);
    if (status) return status;
    fastnn_for(FN(EMBEDDING_TASKS), 5 * (double)B + 0.2 * (double)(B + N) * (double)D,
               FN(embedding_gradient_task), &job);
    return FASTNN_OK;
}

// ------------------------------------------------------------------- gradients of few rows alone

// to (n,) = from (n,), stably sorted by the byte of the code at `shift`. A key is a code above 32
// bits of position.
static void FN(sort_by_byte)(int64_t *to, const int64_t *from, int64_t n, int shift) {
    int64_t start[FN(RADIX)] = {0}, total = 0;
    for (int64_t i = 0; i < n; i++) start[from[i] >> shift & (FN(RADIX) - 1)]++;
    for (int b = 0; b < FN(RADIX); b++) {
        const int64_t count = start[b];
        start[b] = total;
        total += count;
    }
    for (int64_t i = 0; i < n; i++) to[start[from[i] >> shift & (FN(RADIX) - 1)]++] = from[i];
}

// order (B,): rows of x by code, those of one code in order. rows (B,): the code where it first
// stands, -1 where it is repeated.
static void FN(sort_codes)(void *job, int64_t index) {
    const FN(embedding_job) *e = job;
    int64_t *keys = e->rows, *other = e->order;
    for (int64_t i = 0; i < e->B; i++) keys[i] = FN(code)(e, i) << 32 | i;
    for (int shift = 32; shift < 63 && (e->N - 1) >> (shift - 32) > 0; shift += 8) {
        FN(sort_by_byte)(other, keys, e->B, shift);
        int64_t *sorted = other;
        other = keys;
        keys = sorted;
    }
    for (int64_t i = e->B - 1; i >= 0; i--) {  // from the end, since keys are overwritten
        const int64_t code = keys[i] >> 32, before = i ? keys[i - 1] >> 32 : -1;
        const int64_t position = keys[i] & 0xFFFFFFFF;
        e->rows[i] = code == before ? -1 : code;
        e->order[i] = position;
    }
}

static void FN(sum_sorted)(void *job, int64_t begin, int64_t end) {
    const FN(embedding_job) *e = job;
    for (int64_t i = begin; i < end; i++) memset(e->w + i * e->D, 0, (size_t)e->D * sizeof(real));
    for (int64_t i = begin; i < end; i++) {
        if (e->rows[i] < 0) continue;
        int64_t k = i;
        do {
            const real *dy = e->y + e->order[k] * e->O + e->at;
            FN(add_row)(e->w + i * e->D, dy, e->width);
        } while (++k < e->B && e->rows[k] < 0);
    }
}

// dw (B,D): the sums of embedding_bwd where a code first stands in the sorted order, else 0.
static fastnn_status FN(embedding_sparse_bwd)(real *dw, int64_t *rows, int64_t *order,
                                              const real *dy, const real *x, int64_t B, int64_t D,
                                              int64_t I, int64_t O, int64_t count, int64_t column,
                                              int64_t at) {
    FN(embedding_job) job = FN(embedding)(dy, x, dw, B, D, I, count, O, column, at);
    job.rows = rows;
    job.order = order;
    const fastnn_status status = FN(check_codes)(&job);
    if (status) return status;
    fastnn_for(B ? 1 : 0, 10 * (double)B, FN(sort_codes), &job);
    fastnn_for_chunks(B, row_grain(D), 5 * (double)B + 0.3 * (double)B * (double)D, FN(sum_sorted),
                      &job);
    return FASTNN_OK;
}

typedef struct {
    real *table, *values;
    const int64_t *rows;
    int64_t D, N;
} FN(rows_job);

static inline int FN(is_row)(const FN(rows_job) *r, int64_t i) {
    return r->rows[i] >= 0 && r->rows[i] < r->N;
}

static void FN(gather_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(rows_job) *r = job;
    for (int64_t i = begin; i < end; i++) {
        real *to = r->values + i * r->D;
        if (FN(is_row)(r, i)) {
            FN(copy_row)(to, r->table + r->rows[i] * r->D, r->D);
        } else {
            memset(to, 0, (size_t)r->D * sizeof(real));
        }
    }
}

static void FN(scatter_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(rows_job) *r = job;
    for (int64_t i = begin; i < end; i++) {
        if (FN(is_row)(r, i)) {
            FN(copy_row)(r->table + r->rows[i] * r->D, r->values + i * r->D, r->D);
        }
    }
}

// values (B,D) = the rows (B,) of table (N,D), 0 where there is none.
static fastnn_status FN(gather_rows)(real *values, const real *table, const int64_t *rows,
                                     int64_t B, int64_t D, int64_t N) {
    FN(rows_job) job = {(real *)table, values, rows, D, N};
    fastnn_for_chunks(D ? B : 0, row_grain(D), 5 * (double)B + 0.2 * (double)B * (double)D,
                      FN(gather_chunk), &job);
    return FASTNN_OK;
}

// The way back; no row occurs twice.
static fastnn_status FN(scatter_rows)(real *table, const real *values, const int64_t *rows,
                                      int64_t B, int64_t D, int64_t N) {
    FN(rows_job) job = {table, (real *)values, rows, D, N};
    fastnn_for_chunks(D ? B : 0, row_grain(D), 5 * (double)B + 0.2 * (double)B * (double)D,
                      FN(scatter_chunk), &job);
    return FASTNN_OK;
}

// y (B,O) from column `at` on = (x (B,I) from `column` on - mean (K,)) / √variance (K,), for as
// many of the K as there are.
typedef struct {
    real *y;
    const real *x, *mean, *variance;
    int64_t I, O, column, at, width;
} FN(columns_job);

static void FN(columns_rows)(void *job, int64_t begin, int64_t end) {
    const FN(columns_job) *c = job;
    real scale[COLUMN_GRAIN];
    for (int64_t first = 0; first < c->width; first += COLUMN_GRAIN) {
        const int64_t n = c->width - first < COLUMN_GRAIN ? c->width - first : COLUMN_GRAIN;
        const real *mean = c->mean + first;
        for (int64_t j = 0; j < n; j++) {
            scale[j] = (real)(1 / sqrt((double)c->variance[first + j]));
        }
        for (int64_t i = begin; i < end; i++) {
            const real *x = c->x + i * c->I + c->column + first;
            real *y = c->y + i * c->O + c->at + first;
            ELEMENTWISE for (int64_t j = 0; j < n; j++) y[j] = (x[j] - mean[j]) * scale[j];
        }
    }
}

static fastnn_status FN(standardize_columns_fwd)(real *y, const real *x, const real *mean,
                                                 const real *variance, int64_t B, int64_t I,
                                                 int64_t K, int64_t O, int64_t column, int64_t at) {
    if (column < 0 || at < 0) return FASTNN_BAD_SIZE;
    const int64_t width = FN(width_of)(FN(width_of)(K, I, column), O, at);
    FN(columns_job) job = {y, x, mean, variance, I, O, column, at, width};
    fastnn_for_chunks(width ? B : 0, row_grain(width), 5 * (double)B + 0.2 * (double)(B * width),
                      FN(columns_rows), &job);
    return FASTNN_OK;
}
