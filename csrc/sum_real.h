// Σ x (n,) in double, added as sum_block does.
static inline double FN(sum)(const real *x, int64_t n) {
    double total = 0;
    for (int64_t at = 0; at < n; at += SUM_BLOCK) {
        const int64_t count = n - at < SUM_BLOCK ? n - at : SUM_BLOCK;
        double value[SUM_BLOCK];
        for (int64_t i = 0; i < count; i++) value[i] = (double)x[at + i];
        total += sum_block(value, count);
    }
    return total;
}
