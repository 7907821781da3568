// Weight penalties, and the health of an array.

typedef struct {
    double magnitude, square;  // Σ |p|, Σ p²
} FN(norms);

// Added up as sum.h does.
static FN(norms) FN(norms_of)(const real *p, int64_t n) {
    double magnitude[SUM_LANES] = {0}, square[SUM_LANES] = {0};
    int64_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int j = 0; j < SUM_LANES; j++) {
            const double w = (double)p[i + j];
            magnitude[j] += fabs(w);
            square[j] += w * w;
        }
    }
    FN(norms) norms = {sum_f64(magnitude, SUM_LANES), sum_f64(square, SUM_LANES)};
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

static double FN(sum_of_squares)(const real *x, int64_t begin, int64_t end) {
    return FN(norms_of)(x + begin, end - begin).square;
}

static double FN(count_nonfinite)(const real *x, int64_t begin, int64_t end) {
    int_real count = 0;  // as wide as real, so that vectors count; a chunk is far below 2^31
    for (int64_t i = begin; i < end; i++) count += !(x[i] - x[i] == 0);
    return (double)count;
}
