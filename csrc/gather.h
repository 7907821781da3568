// Rows of the user's array, converted on their way into the batch.

// out (n, size) = scale · from[order[i]], or scale · from[first + i] without an order; from (…,
// size).
#define SOURCE(name, type)                                                                \
    static void FN(gather_##name)(void *out, const void *from, const int64_t *order,      \
                                  int64_t first, int64_t n, int64_t size, double scale) { \
        const real factor = (real)scale;                                                  \
        for (int64_t i = 0; i < n; i++) {                                                 \
            const type *row = (const type *)from + (order ? order[i] : first + i) * size; \
            real *to = (real *)out + i * size;                                            \
            ELEMENTWISE for (int64_t j = 0; j < size; j++) to[j] = (real)row[j] * factor; \
        }                                                                                 \
    }
#include "sources.def"
#undef SOURCE
