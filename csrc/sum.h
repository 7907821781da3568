// Sums in double, in one order for every instruction set.
enum { SUM_BLOCK = 64, SUM_LANES = 8 };

// Of n <= SUM_BLOCK values; eight partial sums, so that the additions need not wait for each other.
static inline double sum_block(const double *value, int64_t n) {
    double lane[SUM_LANES] = {0};
    int64_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int j = 0; j < SUM_LANES; j++) lane[j] += value[i + j];
    }
    for (int j = 0; i + j < n; j++) lane[j] += value[i + j];
    double total = 0;
    for (int j = 0; j < SUM_LANES; j++) total += lane[j];
    return total;
}
