// Weight penalties, and the health of an array.

// Returns Σ l1 |p| + ½ l2 p² and adds its gradient to dp (n,), which may be NULL.
static double FN(penalty)(real *dp, const real *p, double l1, double l2, int64_t begin,
                          int64_t end) {
    const real a = (real)l1, b = (real)l2;
    double sum = 0;
    for (int64_t at = begin; at < end; at += SUM_BLOCK) {
        const int64_t n = end - at < SUM_BLOCK ? end - at : SUM_BLOCK;
        double value[SUM_BLOCK];
        for (int64_t i = 0; i < n; i++) {
            const double w = (double)p[at + i];
            value[i] = l1 * fabs(w) + 0.5 * l2 * w * w;
        }
        sum += sum_f64(value, n);
        if (!dp) continue;
        ELEMENTWISE for (int64_t i = at; i < at + n; i++) {
            dp[i] += (p[i] < 0 ? -a : p[i] > 0 ? a : 0) + b * p[i];
        }
    }
    return sum;
}

static double FN(count_nonfinite)(const real *x, int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; i++) count += !(x[i] - x[i] == 0);
    return (double)count;
}
