// Sums in double, in one order for every instruction set.
enum { SUM_BLOCK = 64, SUM_LANES = 8 };

// Eight partial sums, so that the additions need not wait for each other.
static inline double sum_block(const double value[SUM_BLOCK]) {
    double lane[SUM_LANES] = {0};
    for (int i = 0; i < SUM_BLOCK; i += SUM_LANES) {
        for (int j = 0; j < SUM_LANES; j++) lane[j] += value[i + j];
    }
    double total = 0;
    for (int j = 0; j < SUM_LANES; j++) total += lane[j];
    return total;
}
