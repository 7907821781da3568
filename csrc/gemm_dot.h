// Products with few columns: vectors run along k, where rows of a are contiguous, so that no lanes
// are wasted on columns that C does not have.

// How many rows share a vector of results.
#define DOT_ROWS(cols) (LANES / (cols) < 4 ? (int)(LANES / (cols)) : 4)

// c (rows, cols) = from + a (rows, depth) · bᵀ, b (cols, b_row) padded with zeros to whole vectors.
// c and from are contiguous, with room for a whole vector behind; rows past the last repeat it.
static ALWAYS_INLINE void FN(dot)(const FN(tile) *t, int64_t rows, const int cols) {
    const int group = DOT_ROWS(cols);
    for (int64_t i = 0; i < rows; i += group) {
        const real *a[4];
        UNROLL for (int r = 0; r < group; r++) {
            a[r] = t->a + (i + r < rows ? i + r : rows - 1) * t->a_stride;
        }
        FN(vec) sum[LANES];
        UNROLL for (int s = 0; s < LANES; s++) sum[s] = (FN(vec)){0};
        int64_t k = 0;
        for (; k + LANES <= t->depth; k += LANES) {
            UNROLL for (int r = 0; r < group; r++) {
                const FN(vec) row = FN(load)(a[r] + k);
                UNROLL for (int j = 0; j < cols; j++) {
                    sum[r * cols + j] += row * FN(load)(t->b + j * t->b_row + k);
                }
            }
        }
        if (k < t->depth) {
            UNROLL for (int r = 0; r < group; r++) {
                const FN(vec) row = FN(load_part)(a[r] + k, t->depth - k);
                UNROLL for (int j = 0; j < cols; j++) {
                    sum[r * cols + j] += row * FN(load)(t->b + j * t->b_row + k);
                }
            }
        }
        const FN(vec) from = FN(load)(t->from + i * t->from_row);
        FN(store)(t->c + i * cols, from + FN(sums)(sum));
    }
}

#define DOT(cols) \
    static void FN(dot_##cols)(const FN(tile) *t, int64_t rows) { FN(dot)(t, rows, cols); }
FN(FOR_DOT_COLS)(DOT)
#undef DOT

// [cols - 1]
#define DOT(cols) FN(dot_##cols),
    static void (*const FN(dots)[])(const FN(tile) *, int64_t rows) = {FN(FOR_DOT_COLS)(DOT)};
#undef DOT
#define DOT_COLS ((int64_t)(sizeof FN(dots) / sizeof FN(dots)[0]))
