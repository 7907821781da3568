// Matrix product C (M,N) = A (M,K) · B (K,N), with bias and activation while C is warm.
//
// After Goto, van de Geijn: Anatomy of high-performance matrix multiplication. ACM TOMS 34, 2008.
//
// A. A task is a band of up to GEMM_ROWS rows times a panel of up to GEMM_COLS columns of C.
// B. It copies B's panel to its stack, up to GEMM_DEPTH rows at a time, padded with zeros to whole
//    vectors: no heap, one layout for all three products, no tails in the microkernel.
// C. The microkernel keeps up to TILE_ROWS rows of the panel's part of C in registers. A is read in
//    place, one element broadcast at a time, so both orders of A cost the same.
// D. An element of C is the sum over k in ascending order within a depth block, the blocks added in
//    ascending order. Cuts depend on M, N and K alone: the bits do not know the number of threads.

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
} FN(gemm_job);

// A block of B on the stack, and the place in the product where it counts.
typedef struct {
    int64_t j0, cols, vectors;
    int64_t k0, depth;
    real b[GEMM_DEPTH * GEMM_COLS] __attribute__((aligned(64)));
} FN(gemm_panel);

// panel (depth, vectors * LANES) = b(k0.., j0..j0+cols), zeros to the right.
static void FN(pack)(FN(gemm_panel) *p, const FN(gemm_job) *g) {
    const real *b = g->b + p->k0 * g->b_row + p->j0 * g->b_col;
    const int64_t width = p->vectors * LANES;
    if (p->cols < width) memset(p->b, 0, (size_t)(p->depth * width) * sizeof(real));
    if (g->b_col != 1) {
        for (int64_t j = 0; j < p->cols; j++) {
            for (int64_t k = 0; k < p->depth; k++) p->b[k * width + j] = b[k + j * g->b_col];
        }
        return;
    }
    for (int64_t k = 0; k < p->depth; k++) {
        if (p->cols == GEMM_COLS) {
            memcpy(p->b + k * GEMM_COLS, b + k * g->b_row, GEMM_COLS * sizeof(real));
        } else {
            for (int64_t j = 0; j < p->cols; j++) p->b[k * width + j] = b[k * g->b_row + j];
        }
    }
}

// C (rows, cols) at row i0 = or += a · panel; a narrow panel goes by way of a whole tile.
static void FN(gemm_tile)(const FN(gemm_job) *g, const FN(gemm_panel) *p, int64_t i0,
                          int64_t rows) {
    FN(tile) *tile = FN(tiles)[g->a_col != 1][p->vectors - 1][rows - 1];
    const int64_t stride = g->a_col != 1 ? g->a_col : g->a_row;
    const real *a = g->a + i0 * g->a_row + p->k0 * g->a_col;
    real *c = g->c + i0 * g->N + p->j0;
    const int add = p->k0 > 0;
    const int64_t width = p->vectors * LANES;
    if (p->cols == width) {
        tile(a, stride, p->b, p->depth, c, g->N, add);
        return;
    }
    real whole[TILE_ROWS * GEMM_COLS];
    tile(a, stride, p->b, p->depth, whole, width, 0);
    for (int64_t i = 0; i < rows; i++, c += g->N) {
        for (int64_t j = 0; j < p->cols; j++) {
            c[j] = add ? c[j] + whole[i * width + j] : whole[i * width + j];
        }
    }
}

// Bias, pre-activation and activation of a finished tile.
static void FN(finish)(const FN(gemm_job) *g, const FN(gemm_panel) *p, int64_t i0, int64_t rows) {
    if (!g->bias && !g->z && g->activation == FASTNN_ACTIVATION_identity) return;
    for (int64_t i = i0; i < i0 + rows; i++) {
        real *c = g->c + i * g->N + p->j0;
        if (g->bias) {
            ELEMENTWISE for (int64_t j = 0; j < p->cols; j++) c[j] += g->bias[p->j0 + j];
        }
        if (g->z) memcpy(g->z + i * g->N + p->j0, c, (size_t)p->cols * sizeof(real));
        FN(activate)(c, c, p->cols, g->activation);
    }
}

static void FN(gemm_task)(void *job, int64_t index) {
    const FN(gemm_job) *g = job;
    const int64_t panels = parts_of(g->N, GEMM_COLS), bands = parts_of(g->M, GEMM_ROWS);
    const int64_t top = part_start(g->M, bands, index / panels);
    const int64_t height = part_start(g->M, bands, index / panels + 1) - top;
    const int64_t tiles = parts_of(height, TILE_ROWS), blocks = parts_of(g->K, GEMM_DEPTH);
    FN(gemm_panel) p;
    p.j0 = index % panels * GEMM_COLS;
    p.cols = g->N - p.j0 < GEMM_COLS ? g->N - p.j0 : GEMM_COLS;
    p.vectors = p.cols > LANES ? 2 : 1;

    for (int64_t block = 0; block < blocks; block++) {
        p.k0 = part_start(g->K, blocks, block);
        p.depth = part_start(g->K, blocks, block + 1) - p.k0;
        FN(pack)(&p, g);
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t i0 = top + part_start(height, tiles, t);
            const int64_t rows = top + part_start(height, tiles, t + 1) - i0;
            FN(gemm_tile)(g, &p, i0, rows);
            if (block == blocks - 1) FN(finish)(g, &p, i0, rows);
        }
    }
}

static void FN(gemm)(FN(gemm_job) *g) {
    const double work = (double)g->M * (double)g->N * (double)g->K / (3.0 * LANES);
    const int64_t tasks = parts_of(g->M, GEMM_ROWS) * parts_of(g->N, GEMM_COLS);
    if (g->M > 0 && g->N > 0) fastnn_for(tasks, work, FN(gemm_task), g);
}
