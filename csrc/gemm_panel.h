// What a matrix product is given, and its operands as the microkernels want them.

typedef struct {
    const real *a;  // a(i, k) = a[i * a_row + k * a_col]; one of the strides is 1
    int64_t a_row, a_col;
    const real *b;  // b(k, j) = b[k * b_row + j * b_col]; one of the strides is 1
    int64_t b_row, b_col;
    real *c;  // (M,N) row-major
    int64_t M, N, K;
    const real *bias;  // (N,) or NULL
    real *z;           // (M,N), takes C + bias before the activation, or NULL
    int64_t activation;
    const uint8_t *mask;  // of dropout after the activation, a bit for each element of C; or NULL
    real scale;           // of what dropout keeps
    int transposed;       // c is (N,M)
    // Tasks: groups of that many columns, times bands of rows; or chunks of K.
    int64_t group, bands, chunks, tasks;
    real *sums;  // (chunks, M, N), where there are several chunks
} FN(gemm_job);

// A range of k. The blocks of a product are added in ascending order.
typedef struct {
    int64_t start, depth;
    int first, last;
} FN(gemm_block);

_Static_assert(GEMM_GROUP % (2 * GEMM_COLS) == 0, "half a group is whole panels");

// Up to GEMM_COLS columns of B, for one block.
typedef struct {
    int64_t j0, cols, vectors;  // 0 vectors are half a one
    int dot;        // b is (cols, GEMM_DEPTH) for gemm_dot.h, otherwise (depth, vectors * LANES)
    int64_t width;  // columns of a tile of C on the stack
    const real *b;
    int64_t b_row;
    real start[GEMM_COLS];  // what the first block adds to: bias or zeros, repeated for gemm_dot.h
    real packed[GEMM_DEPTH * GEMM_COLS] __attribute__((aligned(64)));
} FN(gemm_panel);

// Vector operations for a row of A against all of B, either way; adding up lanes costs about 4.
static int FN(dot_pays)(const FN(gemm_job) *g) {
    return g->a_col == 1 && g->N <= DOT_COLS && g->N * (parts_of(g->K, LANES) + 4) < g->K;
}

// The panel from column j0 on, of those before column `end`.
static void FN(set_panel)(FN(gemm_panel) *p, const FN(gemm_job) *g, int64_t j0, int64_t end) {
    p->j0 = j0;
    p->cols = end - j0 < GEMM_COLS ? end - j0 : GEMM_COLS;
    p->vectors = p->cols > LANES ? 2 : p->cols > LANES / 2;
    p->dot = FN(dot_pays)(g);
    p->width = p->dot ? p->cols : p->vectors ? p->vectors * LANES : LANES / 2;
    memset(p->start, 0, sizeof p->start);
    if (!g->bias) return;
    const int64_t copies = p->dot ? LANES / p->cols : 1;
    for (int64_t i = 0; i < copies; i++) {
        FN(copy_row)(p->start + i * p->cols, g->bias + j0, p->cols);
    }
}

// to (depth, width) = b (depth, cols) with zeros to the right; b is read by rows.
static void FN(pack_rows)(FN(gemm_panel) *p, const real *b, int64_t b_row, int64_t depth) {
    for (int64_t k = 0; k < depth; k++) {
        FN(copy_padded)(p->packed + k * p->width, b + k * b_row, p->cols);
    }
}

// The same from b (cols, depth).
static void FN(pack_columns)(FN(gemm_panel) *p, const real *b, int64_t b_col, int64_t depth) {
    for (int64_t j = 0; j < p->width; j += LANES) {
        const int64_t cols = p->cols - j < LANES ? p->cols - j : LANES;
        for (int64_t k = 0; k < depth; k += LANES) {
            FN(transpose_block)(p->packed + k * p->width + j, p->width, LANES, b + j * b_col + k,
                                b_col, cols, depth - k < LANES ? depth - k : LANES);
        }
    }
}

// For gemm_dot.h: to (cols, GEMM_DEPTH) = bᵀ, each row padded with zeros to whole vectors.
static void FN(pack_dot)(FN(gemm_panel) *p, const FN(gemm_job) *g, const real *b, int64_t depth) {
    for (int64_t k = 0; k < depth; k += LANES) {
        const int64_t n = depth - k < LANES ? depth - k : LANES;
        if (g->b_col == 1) {
            FN(transpose_block)(p->packed + k, GEMM_DEPTH, LANES, b + k * g->b_row, g->b_row, n,
                                p->cols);
            continue;
        }
        for (int64_t j = 0; j < p->cols; j++) {
            FN(copy_padded)(p->packed + j * GEMM_DEPTH + k, b + j * g->b_col + k, n);
        }
    }
}

// Small matrices, and those for few rows, are read in place: packing would cost more than it saves.
// Less so where rows lie a power of two apart, and share the same few places of the cache.
static int FN(in_place)(const FN(gemm_job) *g) {
    const int crowded = g->b_row * (int64_t)sizeof(real) % GEMM_CROWDED_STRIDE == 0;
    const int64_t most = crowded ? GEMM_IN_PLACE_CROWDED : GEMM_IN_PLACE;
    return g->K * g->N <= most || g->M <= 2 * TILE_ROWS;
}

static void FN(pack)(FN(gemm_panel) *p, const FN(gemm_job) *g, const FN(gemm_block) *block) {
    const real *b = g->b + block->start * g->b_row + p->j0 * g->b_col;
    p->b = p->packed;
    p->b_row = p->width;
    if (p->dot) {
        p->b_row = GEMM_DEPTH;
        FN(pack_dot)(p, g, b, block->depth);
    } else if (g->b_col != 1) {
        FN(pack_columns)(p, b, g->b_col, block->depth);
    } else if (p->cols == p->width && FN(in_place)(g)) {
        p->b = b;
        p->b_row = g->b_row;
    } else {
        FN(pack_rows)(p, b, g->b_row, block->depth);
    }
}
