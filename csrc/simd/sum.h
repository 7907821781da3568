// Sums in double, in one order for every instruction set.
enum { SUM_BLOCK = 64, SUM_LANES = 8, NORM_LANES = 32 };

// Σ x (n,): eight independent partial sums over whole groups of eight, which hide the latency of
// additions; then their sum, then the remainder.
#define DEFINE_SUM(name, type)                                               \
    static inline double name(const type *x, int64_t n) {                    \
        double lane[SUM_LANES] = {0}, total = 0;                             \
        const int64_t whole = n - n % SUM_LANES;                             \
        for (int64_t i = 0; i < whole; i += SUM_LANES) {                     \
            for (int j = 0; j < SUM_LANES; j++) lane[j] += (double)x[i + j]; \
        }                                                                    \
        for (int j = 0; whole > 0 && j < SUM_LANES; j++) total += lane[j];   \
        for (int64_t i = whole; i < n; i++) total += (double)x[i];           \
        return total;                                                        \
    }
DEFINE_SUM(sum_f32, float)
DEFINE_SUM(sum_f64, double)
#undef DEFINE_SUM
