// Normalisation of rows by their own statistics.

// Lanes of vectors in four sums, so that additions need not wait for each other.
enum { FN(ROW_SUMS) = 4 };

static inline double FN(sum_of_lanes)(const FN(vec) *sums) {
    FN(vec) v = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    UNROLL for (int n = LANES; n > 1; n /= 2) v = FN(zip_low)(v, v) + FN(zip_high)(v, v);
    return (double)v[0];
}

// Lanes from number n on become 0.
static inline FN(vec) FN(first_lanes)(FN(vec) v, int64_t n) {
    real lanes[LANES];
    FN(store)(lanes, v);
    return FN(load_part)(lanes, n);
}

typedef struct {
    real *y, *mean, *rstd;
    const real *x, *gamma, *beta;
    int64_t C;
    double eps;
} FN(layer_norm_job);

// Elements whose sum is taken in `real`; blocks of them are joined in double.
enum { FN(ROW_BLOCK) = 16 * FN(ROW_SUMS) *LANES };

// Σ (x - origin) of x (n,), n <= ROW_BLOCK, or Σ (x - origin)².
static ALWAYS_INLINE double FN(block_sum)(const real *x, double origin, int64_t n,
                                          const int squared) {
    const FN(vec) middle = (FN(vec)){0} + (real)origin;
    FN(vec) sums[FN(ROW_SUMS)] = {{0}};
    int64_t i = 0;
    for (; i + FN(ROW_SUMS) *LANES <= n; i += FN(ROW_SUMS) *LANES) {
        UNROLL for (int k = 0; k < FN(ROW_SUMS); k++) {
            const FN(vec) d = FN(load)(x + i + k * LANES) - middle;
            sums[k] += squared ? d * d : d;
        }
    }
    for (; i < n; i += LANES) {
        const int64_t part = n - i < LANES ? n - i : LANES;
        const FN(vec) d = FN(first_lanes)(FN(load_part)(x + i, part) - middle, part);
        sums[0] += squared ? d * d : d;
    }
    return FN(sum_of_lanes)(sums);
}

// The same of any number of elements.
static ALWAYS_INLINE double FN(row_sum)(const real *x, double origin, int64_t n,
                                        const int squared) {
    double sum = 0;
    for (int64_t i = 0; i < n; i += FN(ROW_BLOCK)) {
        const int64_t part = n - i < FN(ROW_BLOCK) ? n - i : FN(ROW_BLOCK);
        sum += FN(block_sum)(x + i, origin, part, squared);
    }
    return sum;
}

// Mean and √(variance + ε) of a row; `wide` says that its differences, or their squares, are beyond
// `real`.
typedef struct {
    double mean, deviation;
    int wide;
} FN(row_statistics);

// What numbers are multiplied by so that double holds their squares.
static const double FN(WIDE_UNIT) = sizeof(real) == sizeof(double) ? 0x1p-600 : 1;

static FN(row_statistics) FN(wide_statistics)(const real *x, int64_t n, double eps) {
    const double unit = FN(WIDE_UNIT);
    double sum = 0, square = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)x[j] * unit;
    const double mean = sum / (double)n;
    for (int64_t j = 0; j < n; j++) {
        const double d = (double)x[j] * unit - mean;
        square += d * d;
    }
    const double deviation = hypot(sqrt(square / (double)n) / unit, sqrt(eps));
    return (FN(row_statistics)){mean / unit, deviation, 1};
}

// The mean that numbers are taken relative to is rounded, and its rest r adds r² to the variance.
static FN(row_statistics) FN(statistics_of_row)(const real *x, int64_t n, double eps) {
    const double mean = (double)x[0] + FN(row_sum)(x, (double)x[0], n, 0) / (double)n;
    const double rest = mean - (double)(real)mean;
    const double square = FN(row_sum)(x, mean, n, 1) / (double)n - rest * rest;
    if (!isfinite(square)) return FN(wide_statistics)(x, n, eps);
    return (FN(row_statistics)){mean, sqrt((square > 0 ? square : 0) + eps), 0};
}

static void FN(normalize_wide_row)(real *y, const real *x, const FN(row_statistics) *s,
                                   const real *gamma, const real *beta, int64_t n) {
    const double unit = FN(WIDE_UNIT), centre = s->mean * unit, deviation = s->deviation * unit;
    for (int64_t j = 0; j < n; j++) {
        const double normal = ((double)x[j] * unit - centre) / deviation;
        y[j] = (real)(normal * (gamma ? (double)gamma[j] : 1) + (beta ? (double)beta[j] : 0));
    }
}

static void FN(normalize_row)(real *y, const real *x, const FN(row_statistics) *s,
                              const real *gamma, const real *beta, int64_t n) {
    const real centre = (real)s->mean, scale = (real)(1 / s->deviation);
    const real rest = (real)((s->mean - (double)centre) / s->deviation);
    if (gamma && beta) {
        ELEMENTWISE for (int64_t j = 0; j < n; j++) {
            y[j] = ((x[j] - centre) * scale - rest) * gamma[j] + beta[j];
        }
        return;
    }
    ELEMENTWISE for (int64_t j = 0; j < n; j++) {
        const real normal = (x[j] - centre) * scale - rest;
        y[j] = gamma ? normal * gamma[j] : beta ? normal + beta[j] : normal;
    }
}

static void FN(layer_norm_rows)(void *job, int64_t begin, int64_t end) {
    const FN(layer_norm_job) *l = job;
    for (int64_t i = begin; i < end; i++) {
        const real *x = l->x + i * l->C;
        real *y = l->y + i * l->C;
        const FN(row_statistics) s = FN(statistics_of_row)(x, l->C, l->eps);
        if (l->mean) l->mean[i] = (real)s.mean;
        if (l->rstd) l->rstd[i] = (real)(1 / s.deviation);
        (s.wide ? FN(normalize_wide_row) : FN(normalize_row))(y, x, &s, l->gamma, l->beta, l->C);
    }
}

// y, x (B,C)  mean, rstd (B,)  gamma, beta (C,); all but y and x may be NULL.
static fastnn_status FN(layer_norm_fwd)(real *y, real *mean, real *rstd, const real *x,
                                        const real *gamma, const real *beta, int64_t B, int64_t C,
                                        double eps) {
    FN(layer_norm_job) job = {y, mean, rstd, x, gamma, beta, C, eps};
    fastnn_for_chunks(C ? B : 0, row_grain(C), 0.4 * (double)B * (double)C, FN(layer_norm_rows),
                      &job);
    return FASTNN_OK;
}

typedef struct {
    real *dx, *dgamma, *dbeta;
    const real *dy, *x, *mean, *rstd, *gamma;
    int64_t B, C;
} FN(layer_norm_gradient_job);

// Columns [first, first + n) of dgamma and dbeta, n <= NORM_COLUMNS.
static void FN(layer_norm_columns)(void *job, int64_t index) {
    const FN(layer_norm_gradient_job) *l = job;
    const int64_t parts = parts_of(l->C, NORM_COLUMNS), first = part_start(l->C, parts, index);
    const int64_t n = part_start(l->C, parts, index + 1) - first;
    double shift[NORM_COLUMNS] = {0}, slope[NORM_COLUMNS] = {0};
    for (int64_t i = 0; i < l->B; i += NORM_ROWS) {
        const int64_t rows = l->B - i < NORM_ROWS ? l->B - i : NORM_ROWS;
        real sum[NORM_COLUMNS] = {0}, product[NORM_COLUMNS] = {0};
        for (int64_t k = i; k < i + rows; k++) {
            const real *dy = l->dy + k * l->C + first, *x = l->x + k * l->C + first;
            const real centre = l->mean[k], scale = l->rstd[k];
            ELEMENTWISE for (int64_t j = 0; j < n; j++) {
                sum[j] += dy[j];
                product[j] += dy[j] * ((x[j] - centre) * scale);
            }
        }
        for (int64_t j = 0; j < n; j++) shift[j] += (double)sum[j];
        for (int64_t j = 0; j < n; j++) slope[j] += (double)product[j];
    }
    for (int64_t j = 0; l->dgamma && j < n; j++) l->dgamma[first + j] = (real)slope[j];
    for (int64_t j = 0; l->dbeta && j < n; j++) l->dbeta[first + j] = (real)shift[j];
}

// Σ g and Σ g x̂ of a row, g = γ dy and x̂ = (x - centre) scale.
typedef struct {
    double shift, slope;
} FN(row_products);

// Adds `part` columns to them; gamma may be NULL.
static ALWAYS_INLINE void FN(add_row_products)(FN(vec) *sum, FN(vec) *product, const real *dy,
                                               const real *x, const real *gamma, real centre,
                                               real scale, int64_t part) {
    FN(vec) g = FN(load_part)(dy, part);
    if (gamma) g *= FN(load_part)(gamma, part);
    *sum += g;
    *product += g * ((FN(load_part)(x, part) - centre) * scale);
}

static ALWAYS_INLINE FN(row_products)
    FN(row_gradient_sums)(const real *dy, const real *x, const real *gamma, real centre, real scale,
                          int64_t n) {
    FN(vec) sums[FN(ROW_SUMS)] = {{0}}, products[FN(ROW_SUMS)] = {{0}};
    int64_t i = 0;
    for (; i + FN(ROW_SUMS) *LANES <= n; i += FN(ROW_SUMS) *LANES) {
        UNROLL for (int k = 0; k < FN(ROW_SUMS); k++) {
            const int64_t at = i + k * LANES;
            FN(add_row_products)(&sums[k], &products[k], dy + at, x + at, gamma ? gamma + at : 0,
                                 centre, scale, LANES);
        }
    }
    for (; i < n; i += LANES) {
        FN(add_row_products)(&sums[0], &products[0], dy + i, x + i, gamma ? gamma + i : 0, centre,
                             scale, n - i < LANES ? n - i : LANES);
    }
    return (FN(row_products)){FN(sum_of_lanes)(sums), FN(sum_of_lanes)(products)};
}

static void FN(layer_norm_gradient_rows)(void *job, int64_t begin, int64_t end) {
    const FN(layer_norm_gradient_job) *l = job;
    const real *gamma = l->gamma;
    const int64_t C = l->C;
    for (int64_t i = begin; i < end; i++) {
        const real *dy = l->dy + i * C, *x = l->x + i * C, centre = l->mean[i], scale = l->rstd[i];
        real *dx = l->dx + i * C;
        const FN(row_products) sums = FN(row_gradient_sums)(dy, x, gamma, centre, scale, C);
        const real offset = (real)(sums.shift / (double)C), lean = (real)(sums.slope / (double)C);
        ELEMENTWISE for (int64_t j = 0; j < C; j++) {
            const real g = gamma ? gamma[j] * dy[j] : dy[j];
            dx[j] = scale * (g - lean * ((x[j] - centre) * scale) - offset);
        }
    }
}

// dx, dy, x (B,C)  mean, rstd (B,)  the others (C,); dx may be dy; dx, dgamma, dbeta and gamma may
// be NULL. The columns go first: they need dy.
static fastnn_status FN(layer_norm_bwd)(real *dx, real *dgamma, real *dbeta, const real *dy,
                                        const real *x, const real *mean, const real *rstd,
                                        const real *gamma, int64_t B, int64_t C) {
    FN(layer_norm_gradient_job) job = {dx, dgamma, dbeta, dy, x, mean, rstd, gamma, B, C};
    const double work = 0.4 * (double)B * (double)C;
    if (C && (dgamma || dbeta)) {
        fastnn_for(parts_of(C, NORM_COLUMNS), work, FN(layer_norm_columns), &job);
    }
    fastnn_for_chunks(C && dx ? B : 0, row_grain(C), work, FN(layer_norm_gradient_rows), &job);
    return FASTNN_OK;
}
