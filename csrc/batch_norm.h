// Normalisation of columns, by the statistics of a batch or by given ones.
//
// The unit of work is a strip of columns, all rows of it: no sum crosses a task. Rows of few
// columns are taken several at a time, as one longer row, whose parts are joined at the end.

// What is in hand of the columns [first, first + cols) of a matrix (rows, C): rows of `width`
// columns, `together` of the matrix in each.
typedef struct {
    int64_t first, cols, together, width;
    int64_t whole, rest;  // rows of that width, and elements that are left over
    int64_t stride;       // from one of these rows to the next
} FN(strip);

static int64_t FN(strip_count)(int64_t C) { return parts_of(C, NORM_COLUMNS); }

static FN(strip) FN(strip_at)(int64_t index, int64_t rows, int64_t C) {
    const int64_t parts = FN(strip_count)(C), first = part_start(C, parts, index);
    FN(strip) s = {.first = first, .cols = part_start(C, parts, index + 1) - first};
    s.together = s.cols == C ? NORM_COLUMNS / C : 1;
    s.width = s.together * s.cols;
    s.whole = rows / s.together;
    s.rest = rows % s.together * s.cols;
    s.stride = s.together * C;
    return s;
}

// Mean and sum of squared deviations of each column.
typedef struct {
    double mean[NORM_COLUMNS], square[NORM_COLUMNS];
} FN(moments);

// Joins n columns of `seen` rows with others of `more` rows (Chan, Golub, LeVeque, 1983).
static void FN(join_moments)(double *mean, double *square, int64_t seen, const double *mean_b,
                             const double *square_b, int64_t more, int64_t n) {
    const double share = (double)more / (double)(seen + more), both = share * (double)seen;
    ELEMENTWISE for (int64_t j = 0; j < n; j++) {
        const double step = mean_b[j] - mean[j];
        mean[j] += share * step;
        square[j] += square_b[j] + both * step * step;
    }
}

// sum (n,) = Σ d and square (n,) = Σ d² of 1 to NORM_ROWS rows, d = x - the first row.
static void FN(block_sums)(real *sum, real *square, const real *x, int64_t stride, int64_t rows,
                           int64_t n) {
    for (int64_t j = 0; j < n; j += LANES) {
        const int64_t part = n - j < LANES ? n - j : LANES;
        const FN(vec) origin = FN(load_part)(x + j, part);
        FN(vec) total = {0}, squares = {0};
        for (int64_t i = 1; i < rows; i++) {
            const FN(vec) d = FN(load_part)(x + i * stride + j, part) - origin;
            total += d;
            squares += d * d;
        }
        FN(store_part)(sum + j, total, part);
        FN(store_part)(square + j, squares, part);
    }
}

// Σ d² of a column in double, for numbers whose squares are beyond `real`; d as in `block_sums`.
static double FN(wide_square)(const real *x, int64_t stride, int64_t rows) {
    double square = 0;
    for (int64_t i = 1; i < rows; i++) {
        const double d = (double)x[i * stride] - (double)x[0];
        square += d * d;
    }
    return square;
}

// Adds a block of `rows` rows to the moments of n columns. Since the row that numbers are taken
// relative to is one of them, Σ d² - (Σ d)² / rows is at least Σ d² / rows: few digits can cancel.
static void FN(add_block)(FN(moments) *all, int64_t seen, const real *x, int64_t stride,
                          int64_t rows, int64_t n) {
    real sum[NORM_COLUMNS], square[NORM_COLUMNS];
    FN(moments) block;
    FN(block_sums)(sum, square, x, stride, rows, n);
    const double each = 1 / (double)rows;
    int finite = 1;
    ELEMENTWISE for (int64_t j = 0; j < n; j++) {
        const double total = (double)sum[j];
        block.mean[j] = (double)x[j] + total * each;
        block.square[j] = (double)square[j] - total * total * each;
        finite &= isfinite(square[j]) != 0;
    }
    for (int64_t j = 0; !finite && j < n; j++) {
        const double total = (double)sum[j];
        block.square[j] = FN(wide_square)(x + j, stride, rows) - total * total * each;
    }
    FN(join_moments)(all->mean, all->square, seen, block.mean, block.square, rows, n);
}

// Of all rows of a strip; x is its first element.
static void FN(strip_moments)(FN(moments) *all, const real *x, const FN(strip) *s) {
    memset(all, 0, sizeof *all);
    for (int64_t i = 0; i < s->whole; i += NORM_ROWS) {
        const int64_t rows = s->whole - i < NORM_ROWS ? s->whole - i : NORM_ROWS;
        FN(add_block)(all, i, x + i * s->stride, s->stride, rows, s->width);
    }
    if (s->rest) FN(add_block)(all, s->whole, x + s->whole * s->stride, s->stride, 1, s->rest);
    int64_t seen = s->whole + (s->rest > 0);
    for (int64_t at = s->cols; at < s->width; at += s->cols) {
        const int64_t more = s->whole + (at < s->rest);
        if (more == 0) break;
        FN(join_moments)(all->mean, all->square, seen, all->mean + at, all->square + at, more,
                         s->cols);
        seen += more;
    }
}

// y = (x - centre) scale + shift
typedef struct {
    real centre[NORM_COLUMNS], scale[NORM_COLUMNS], shift[NORM_COLUMNS];
} FN(affine);

// Of a column with this mean and variance; what rounding takes from the mean goes into the shift.
static inline void FN(set_affine)(FN(affine) *a, int64_t j, double mean, double variance,
                                  double gamma, double beta, double eps) {
    const double scale = gamma / sqrt(variance + eps);
    a->centre[j] = (real)mean;
    a->scale[j] = (real)scale;
    a->shift[j] = (real)(beta - (mean - (double)a->centre[j]) * scale);
}

// The same for each of the rows that are taken together.
static void FN(repeat)(real *column, const FN(strip) *s) {
    for (int64_t j = s->cols; j < s->width; j++) column[j] = column[j - s->cols];
}

static void FN(repeat_affine)(FN(affine) *a, const FN(strip) *s) {
    FN(repeat)(a->centre, s);
    FN(repeat)(a->scale, s);
    FN(repeat)(a->shift, s);
}

static inline void FN(affine_row)(real *y, const real *x, const FN(affine) *a, int64_t n) {
    ELEMENTWISE for (int64_t j = 0; j < n; j++) {
        y[j] = (x[j] - a->centre[j]) * a->scale[j] + a->shift[j];
    }
}

// Rows [begin, end) of the strip, of which the last may be what is left over.
static void FN(apply_affine)(real *y, const real *x, const FN(affine) *a, const FN(strip) *s,
                             int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        FN(affine_row)(y + i * s->stride, x + i * s->stride, a, i < s->whole ? s->width : s->rest);
    }
}

typedef struct {
    real *y, *mean, *variance;
    const real *x, *gamma, *beta;
    int64_t B, C;
    double eps;
} FN(norm_job);

static void FN(batch_norm_strip)(void *job, int64_t index) {
    const FN(norm_job) *n = job;
    const FN(strip) s = FN(strip_at)(index, n->B, n->C);
    FN(moments) moments;
    FN(affine) a;
    FN(strip_moments)(&moments, n->x + s.first, &s);
    for (int64_t j = 0; j < s.cols; j++) {
        const int64_t c = s.first + j;
        const double variance = n->B ? moments.square[j] / (double)n->B : 0;
        n->mean[c] = (real)moments.mean[j];
        n->variance[c] = (real)variance;
        FN(set_affine)(&a, j, moments.mean[j], variance, n->gamma ? (double)n->gamma[c] : 1,
                       n->beta ? (double)n->beta[c] : 0, n->eps);
    }
    FN(repeat_affine)(&a, &s);
    FN(apply_affine)(n->y + s.first, n->x + s.first, &a, &s, 0, s.whole + (s.rest > 0));
}

// y, x (B,C)  mean, variance, gamma, beta (C,); gamma and beta may be NULL.
static fastnn_status FN(batch_norm_fwd)(real *y, real *mean, real *variance, const real *x,
                                        const real *gamma, const real *beta, int64_t B, int64_t C,
                                        double eps) {
    FN(norm_job) job = {y, mean, variance, x, gamma, beta, B, C, eps};
    fastnn_for(C ? FN(strip_count)(C) : 0, 0.3 * (double)B * (double)C, FN(batch_norm_strip), &job);
    return FASTNN_OK;
}

typedef struct {
    real *dx, *dgamma, *dbeta;
    const real *dy, *x, *mean, *variance, *gamma;
    int64_t B, C;
    double eps;
} FN(norm_gradient_job);

// shift += Σ dy and slope += Σ dy (x - centre) over rows of n columns, at most NORM_ROWS of them.
static void FN(add_products)(double *shift, double *slope, const real *dy, const real *x,
                             const real *centre, int64_t stride, int64_t rows, int64_t n) {
    real sum[NORM_COLUMNS], product[NORM_COLUMNS];
    for (int64_t j = 0; j < n; j += LANES) {
        const int64_t part = n - j < LANES ? n - j : LANES;
        const FN(vec) middle = FN(load_part)(centre + j, part);
        FN(vec) sums = {0}, products = {0};
        for (int64_t i = 0; i < rows; i++) {
            const FN(vec) d = FN(load_part)(dy + i * stride + j, part);
            sums += d;
            products += d * (FN(load_part)(x + i * stride + j, part) - middle);
        }
        FN(store_part)(sum + j, sums, part);
        FN(store_part)(product + j, products, part);
    }
    ELEMENTWISE for (int64_t j = 0; j < n; j++) shift[j] += (double)sum[j];
    ELEMENTWISE for (int64_t j = 0; j < n; j++) slope[j] += (double)product[j];
}

static void FN(strip_products)(double *shift, double *slope, const real *dy, const real *x,
                               const real *centre, const FN(strip) *s) {
    for (int64_t i = 0; i < s->whole; i += NORM_ROWS) {
        const int64_t rows = s->whole - i < NORM_ROWS ? s->whole - i : NORM_ROWS;
        const int64_t at = i * s->stride;
        FN(add_products)(shift, slope, dy + at, x + at, centre, s->stride, rows, s->width);
    }
    const int64_t at = s->whole * s->stride;
    FN(add_products)(shift, slope, dy + at, x + at, centre, s->stride, 1, s->rest);
    for (int64_t j = s->cols; j < s->width; j++) {
        shift[j % s->cols] += shift[j];
        slope[j % s->cols] += slope[j];
    }
}

// dx = scale dy - lean (x - centre) - offset
static void FN(norm_gradient_row)(real *dx, const real *dy, const real *x, const real *scale,
                                  const real *lean, const real *centre, const real *offset,
                                  int64_t n) {
    ELEMENTWISE for (int64_t j = 0; j < n; j++) {
        dx[j] = scale[j] * dy[j] - lean[j] * (x[j] - centre[j]) - offset[j];
    }
}

static void FN(batch_norm_gradient_strip)(void *job, int64_t index) {
    const FN(norm_gradient_job) *n = job;
    const FN(strip) s = FN(strip_at)(index, n->B, n->C);
    const real *dy = n->dy + s.first, *x = n->x + s.first;
    double shift[NORM_COLUMNS] = {0}, slope[NORM_COLUMNS] = {0};
    real centre[NORM_COLUMNS], scale[NORM_COLUMNS], lean[NORM_COLUMNS], offset[NORM_COLUMNS];
    memcpy(centre, n->mean + s.first, (size_t)s.cols * sizeof(real));
    FN(repeat)(centre, &s);
    FN(strip_products)(shift, slope, dy, x, centre, &s);
    for (int64_t j = 0; j < s.cols; j++) {
        const int64_t c = s.first + j;
        const double rstd = 1 / sqrt((double)n->variance[c] + n->eps);
        const double each = (n->gamma ? (double)n->gamma[c] : 1) * rstd;
        if (n->dgamma) n->dgamma[c] = (real)(slope[j] * rstd);
        if (n->dbeta) n->dbeta[c] = (real)shift[j];
        scale[j] = (real)each;
        lean[j] = (real)(each * rstd * rstd * slope[j] / (double)n->B);
        offset[j] = (real)(each * shift[j] / (double)n->B);
    }
    if (!n->dx) return;
    FN(repeat)(scale, &s);
    FN(repeat)(lean, &s);
    FN(repeat)(offset, &s);
    for (int64_t i = 0; i < s.whole + (s.rest > 0); i++) {
        const int64_t at = i * s.stride;
        FN(norm_gradient_row)(n->dx + s.first + at, dy + at, x + at, scale, lean, centre, offset,
                              i < s.whole ? s.width : s.rest);
    }
}

// dx, dy, x (B,C), the others (C,); dx may be dy; dx, dgamma, dbeta and gamma may be NULL.
static fastnn_status FN(batch_norm_bwd)(real *dx, real *dgamma, real *dbeta, const real *dy,
                                        const real *x, const real *mean, const real *variance,
                                        const real *gamma, int64_t B, int64_t C, double eps) {
    FN(norm_gradient_job) job = {dx, dgamma, dbeta, dy, x, mean, variance, gamma, B, C, eps};
    fastnn_for(C ? FN(strip_count)(C) : 0, 0.4 * (double)B * (double)C,
               FN(batch_norm_gradient_strip), &job);
    return FASTNN_OK;
}

// Rows [begin, end), which are `together` of the matrix each where a strip has all its columns.
static void FN(standardize_rows)(void *job, int64_t begin, int64_t end) {
    const FN(norm_job) *n = job;
    for (int64_t index = 0; index < FN(strip_count)(n->C); index++) {
        const FN(strip) s = FN(strip_at)(index, n->B, n->C);
        FN(affine) a;
        for (int64_t j = 0; j < s.cols; j++) {
            const int64_t c = s.first + j;
            FN(set_affine)(&a, j, (double)n->mean[c], (double)n->variance[c],
                           n->gamma ? (double)n->gamma[c] : 1, n->beta ? (double)n->beta[c] : 0,
                           n->eps);
        }
        FN(repeat_affine)(&a, &s);
        FN(apply_affine)(n->y + s.first, n->x + s.first, &a, &s, begin, end);
    }
}

// y, x (B,C); y may be x.
static fastnn_status FN(standardize_fwd)(real *y, const real *x, const real *mean,
                                         const real *variance, const real *gamma, const real *beta,
                                         int64_t B, int64_t C, double eps) {
    if (C == 0) return FASTNN_OK;
    FN(norm_job) job = {y, (real *)mean, (real *)variance, x, gamma, beta, B, C, eps};
    const FN(strip) s = FN(strip_at)(0, B, C);
    fastnn_for_chunks(s.whole + (s.rest > 0), row_grain(s.stride), 0.3 * (double)B * (double)C,
                      FN(standardize_rows), &job);
    return FASTNN_OK;
}

// average, value (n,). A steady value is the limit exactly, however close momentum is to 1.
static void FN(moving_average_step)(real *average, const real *value, double momentum,
                                    int64_t begin, int64_t end) {
    const real blend = (real)(1 - momentum);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        average[i] += blend * (value[i] - average[i]);
    }
}
