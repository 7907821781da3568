// Matrix product C (M,N) = A (M,K) · B (K,N), with bias and activation where it is warm.
//
// After Goto, van de Geijn: Anatomy of high-performance matrix multiplication. ACM TOMS 34, 2008.
//
// A. A task is up to GEMM_ROWS rows times a panel of GEMM_COLS columns (two vectors) of C.
// B. It copies B's panel to its stack, up to GEMM_DEPTH rows at a time, padded with zeros: no heap,
//    one layout for all three products, and column tails vanish until the store.
// C. The microkernel keeps up to TILE_ROWS x GEMM_COLS of C in registers. A is read in place, one
//    element broadcast at a time, so both orders of A cost the same.
// D. An element of C is the sum over k in ascending order within a depth block, the blocks added in
//    ascending order. Cuts depend on M, N and K alone: the bits do not know the number of threads.

typedef struct {
    const real *a;         // a(i, k) = a[i * a_row + k * a_col]; one of the strides is 1
    int64_t a_row, a_col;
    const real *b;         // b(k, j) = b[k * b_row + j * b_col]; one of the strides is 1
    int64_t b_row, b_col;
    real *c;               // (M,N) row-major
    int64_t M, N, K;
    const real *bias;      // (N,) or NULL
    real *z;               // (M,N), takes C + bias before the activation, or NULL
    int64_t activation;
} FN(gemm_job);

// panel (depth, GEMM_COLS) = b(k0.., j0..j0+cols), zeros beyond.
static void FN(pack)(real *panel, const FN(gemm_job) *g, int64_t k0, int64_t depth, int64_t j0,
                     int64_t cols) {
    const real *b = g->b + k0 * g->b_row + j0 * g->b_col;
    if (cols < GEMM_COLS) memset(panel, 0, (size_t)(depth * GEMM_COLS) * sizeof(real));
    if (g->b_col != 1) {
        for (int64_t j = 0; j < cols; j++) {
            for (int64_t k = 0; k < depth; k++) panel[k * GEMM_COLS + j] = b[k + j * g->b_col];
        }
    } else if (cols == GEMM_COLS) {
        for (int64_t k = 0; k < depth; k++) {
            memcpy(panel + k * GEMM_COLS, b + k * g->b_row, GEMM_COLS * sizeof(real));
        }
    } else {
        for (int64_t k = 0; k < depth; k++) {
            for (int64_t j = 0; j < cols; j++) panel[k * GEMM_COLS + j] = b[k * g->b_row + j];
        }
    }
}

// Writes or adds the first n (at least 1) lanes.
static inline void FN(put)(real *c, FN(vec) v, int64_t n, int add) {
    if (n >= LANES) {
        FN(store)(c, add ? FN(load)(c) + v : v);
    } else {
        FN(store_part)(c, add ? FN(load_part)(c, n) + v : v, n);
    }
}

// c (rows, cols) = or += a (rows, depth) · panel (depth, GEMM_COLS); `rows` is a constant.
static ALWAYS_INLINE void FN(tile)(const int rows, const real *a, int64_t a_row, int64_t a_col,
                                   const real *panel, int64_t depth, real *c, int64_t c_row,
                                   int64_t cols, int add) {
    FN(vec) sum[TILE_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (FN(vec)){0};
    for (int64_t k = 0; k < depth; k++, a += a_col, panel += GEMM_COLS) {
        const FN(vec) b0 = FN(load)(panel), b1 = FN(load)(panel + LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const real factor = a[i * a_row];
            sum[i][0] += factor * b0;
            sum[i][1] += factor * b1;
        }
    }
    UNROLL for (int i = 0; i < rows; i++, c += c_row) {
        FN(put)(c, sum[i][0], cols, add);
        if (cols > LANES) FN(put)(c + LANES, sum[i][1], cols - LANES, add);
    }
}

// Chooses the tile compiled for this number of rows.
static ALWAYS_INLINE void FN(tile_of)(int64_t rows, const real *a, int64_t a_row, int64_t a_col,
                                      const real *panel, int64_t depth, real *c, int64_t c_row,
                                      int64_t cols, int add) {
    switch (rows) {
#define TILE(n)                                                                 \
    case n:                                                                     \
        FN(tile)(n, a, a_row, a_col, panel, depth, c, c_row, cols, add);        \
        break;
        FOR_TILE_ROWS(TILE)
#undef TILE
    }
}

static void FN(finish)(const FN(gemm_job) *g, int64_t i0, int64_t rows, int64_t j0, int64_t cols) {
    if (!g->bias && !g->z && g->activation == FASTNN_ACTIVATION_identity) return;
    for (int64_t i = i0; i < i0 + rows; i++) {
        real *c = g->c + i * g->N + j0;
        if (g->bias) {
            for (int64_t j = 0; j < cols; j++) c[j] += g->bias[j0 + j];
        }
        if (g->z) memcpy(g->z + i * g->N + j0, c, (size_t)cols * sizeof(real));
        FN(activate)(c, c, cols, g->activation);
    }
}

static void FN(gemm_task)(void *job, int64_t index) {
    const FN(gemm_job) *g = job;
    const int64_t panels = parts_of(g->N, GEMM_COLS), bands = parts_of(g->M, GEMM_ROWS);
    const int64_t band = index / panels, j0 = index % panels * GEMM_COLS;
    const int64_t cols = g->N - j0 < GEMM_COLS ? g->N - j0 : GEMM_COLS;
    const int64_t top = part_start(g->M, bands, band);
    const int64_t height = part_start(g->M, bands, band + 1) - top;
    const int64_t tiles = parts_of(height, TILE_ROWS), blocks = parts_of(g->K, GEMM_DEPTH);
    real panel[GEMM_DEPTH * GEMM_COLS] __attribute__((aligned(64)));

    for (int64_t block = 0; block < blocks; block++) {
        const int64_t k0 = part_start(g->K, blocks, block);
        const int64_t depth = part_start(g->K, blocks, block + 1) - k0;
        FN(pack)(panel, g, k0, depth, j0, cols);
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t i0 = top + part_start(height, tiles, t);
            const int64_t rows = top + part_start(height, tiles, t + 1) - i0;
            const real *a = g->a + i0 * g->a_row + k0 * g->a_col;
            real *c = g->c + i0 * g->N + j0;
            // The constant 1 lets the compiler use fixed displacements.
            if (g->a_col == 1) {
                FN(tile_of)(rows, a, g->a_row, 1, panel, depth, c, g->N, cols, block > 0);
            } else {
                FN(tile_of)(rows, a, 1, g->a_col, panel, depth, c, g->N, cols, block > 0);
            }
            if (block == blocks - 1) FN(finish)(g, i0, rows, j0, cols);
        }
    }
}

static void FN(gemm)(FN(gemm_job) *g) {
    const double work = (double)g->M * (double)g->N * (double)g->K / (3 * LANES);
    const int64_t tasks = parts_of(g->M, GEMM_ROWS) * parts_of(g->N, GEMM_COLS);
    if (g->M > 0 && g->N > 0) fastnn_for(tasks, work, FN(gemm_task), g);
}
