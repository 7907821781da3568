// Matrix product C (M,N) = A (M,K) · B (K,N), with bias, activation and dropout while C is warm.
//
// After Goto, van de Geijn: Anatomy of high-performance matrix multiplication. ACM TOMS 34, 2008.
//
// A. A task is a band of up to GEMM_ROWS rows times a group of up to GEMM_PANELS panels of C.
// B. It copies the panels of B to its stack, up to GEMM_DEPTH rows at a time, padded with zeros to
//    whole vectors: no heap, one layout for all three products, no tails in the microkernel.
// C. The microkernel keeps up to TILE_ROWS rows of a panel's part of C in registers. A is read one
//    element at a time, so both orders of A cost the same, and fetched into the cache one tile
//    ahead. It is read in place, but for rows that lie a multiple of 4 KiB apart, and would all
//    fall into the same few places of the cache: those are copied for the panels of the group.
// D. Tiles that are not whole vectors, and those that are not finished by the sum, go by way of the
//    stack.
// E. An element of C is the sum over k in ascending order within a depth block (or LANES such sums,
//    see gemm_dot.h), the blocks added in ascending order. Cuts depend on M, N and K alone: the
//    bits do not know the number of threads.

// A tile of C on its way: rows by panel->width on the stack.
typedef struct {
    const FN(gemm_panel) *panel;
    int64_t i0, rows;
    real *buffer;
} FN(gemm_part);

// The tile to or from its place in a matrix shaped as C.
static void FN(put)(const FN(gemm_job) *g, const FN(gemm_part) *t, real *to) {
    const FN(gemm_panel) *p = t->panel;
    if (g->transposed) {
        FN(transpose)(to + p->j0 * g->M + t->i0, g->M, t->buffer, p->width, t->rows, p->cols);
    } else if (p->width == g->N) {
        FN(copy_row)(to + t->i0 * g->N, t->buffer, t->rows * g->N);
    } else {
        for (int64_t i = 0; i < t->rows; i++) {
            FN(copy_row)(to + (t->i0 + i) * g->N + p->j0, t->buffer + i * p->width, p->cols);
        }
    }
}

static void FN(take)(const FN(gemm_job) *g, const FN(gemm_part) *t) {
    const FN(gemm_panel) *p = t->panel;
    if (g->transposed) {
        FN(transpose)(t->buffer, p->width, g->c + p->j0 * g->M + t->i0, g->M, p->cols, t->rows);
        return;
    }
    for (int64_t i = 0; i < t->rows; i++) {
        FN(copy_row)(t->buffer + i * p->width, g->c + (t->i0 + i) * g->N + p->j0, p->cols);
    }
}

// Whether what the microkernel stores is what C is to hold.
static int FN(sum_finishes)(const FN(gemm_job) *g) {
    const int known =
        g->activation == FASTNN_ACTIVATION_identity || g->activation == FASTNN_ACTIVATION_relu;
    return known && !g->z && !g->mask;
}

// Dropout on the way of a finished tile to C.
static void FN(put_kept)(const FN(gemm_job) *g, const FN(gemm_part) *t) {
    const FN(gemm_panel) *p = t->panel;
    const int contiguous = p->width == g->N;
    const int64_t pieces = contiguous ? 1 : t->rows, n = contiguous ? t->rows * g->N : p->cols;
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t at = (t->i0 + i) * g->N + p->j0;
        FN(apply_mask)(g->c + at, g->mask, at, t->buffer + i * p->width, g->scale, n);
    }
}

static void FN(finish)(const FN(gemm_job) *g, const FN(gemm_part) *t) {
    if (g->z) FN(put)(g, t, g->z);
    FN(activate)(t->buffer, t->buffer, t->rows * t->panel->width, g->activation);
    if (g->mask) {
        FN(put_kept)(g, t);
    } else {
        FN(put)(g, t, g->c);
    }
}

// The product of a tile's rows and a panel, into C; `t` says where a lies.
static void FN(gemm_tile)(const FN(gemm_job) *g, const FN(gemm_block) *block,
                          const FN(gemm_panel) *p, FN(tile) *t, int64_t i0, int64_t rows) {
    real buffer[TILE_ROWS * GEMM_COLS] __attribute__((aligned(64)));
    const FN(gemm_part) part = {p, i0, rows, buffer};
    const int whole = !g->transposed && !p->dot && p->cols == p->width;
    const int direct = whole && !(block->last && !FN(sum_finishes)(g));
    real *c = g->c + i0 * g->N + p->j0;
    t->b = p->b;
    t->b_row = p->b_row;
    t->depth = block->depth;
    const int relu = g->activation == FASTNN_ACTIVATION_relu;
    t->least = direct && block->last && relu ? 0 : -(real)INFINITY;
    t->c = direct ? c : buffer;
    t->c_row = direct ? g->N : p->width;
    if (block->first) {
        t->from = p->start;
        t->from_row = 0;
    } else if (whole) {
        t->from = c;
        t->from_row = g->N;
    } else {
        FN(take)(g, &part);
        t->from = buffer;
        t->from_row = p->width;
    }
    if (p->dot) {
        FN(dots)[p->cols - 1](t, rows);
    } else {
        FN(tiles)[g->a_col != 1][p->vectors][rows - 1](t);
    }
    if (direct) return;
    if (block->last) {
        FN(finish)(g, &part);
    } else {
        FN(put)(g, &part, g->c);
    }
}

static int FN(copy_pays)(const FN(gemm_job) *g, int64_t panels) {
    return panels > 1 && g->a_col == 1 && g->a_row * (int64_t)sizeof(real) % GEMM_BAD_STRIDE == 0;
}

// Tasks that a product is worth.
static int64_t FN(gemm_wanted)(const FN(gemm_job) *g) {
    const double worth = (double)g->M * (double)g->N * (double)g->K / GEMM_TASK_SIZE;
    return worth < GEMM_TASKS ? 1 + (int64_t)worth : GEMM_TASKS;
}

// A matrix summed over a long batch is cut finer, down to a vector by four rows, or K is cut.
static int FN(is_long)(const FN(gemm_job) *g) {
    return g->K > GEMM_LONG * (g->M > g->N ? g->M : g->N);
}

// Cuts the product into tasks. The panels of a group stay in the second-level cache.
static void FN(cut)(FN(gemm_job) *g) {
    const int64_t most = g->K * g->N < GEMM_LARGE ? GEMM_GROUP / 2 : GEMM_GROUP;
    const int64_t wanted = FN(gemm_wanted)(g), lines = FN(is_long)(g) ? 4 : 4 * TILE_ROWS;
    const int64_t share = LANES * parts_of(parts_of(g->N, wanted), LANES);
    g->group = FN(is_long)(g) && share < most ? share : most;
    const int64_t groups = parts_of(g->N, g->group), needed = parts_of(g->M, GEMM_ROWS);
    const int64_t bands = parts_of(wanted, groups), sensible = g->M / lines;
    g->bands = bands < sensible ? bands : sensible;
    if (g->bands < needed) g->bands = needed;
    g->tasks = g->M > 0 && g->N > 0 ? groups * g->bands : 0;
}

// Cuts K where copies of C are small enough. Bias and activation would have to wait for the sum:
// products that have them are not cut this way.
static void FN(split)(FN(gemm_job) *g) {
    const int plain = !g->bias && !g->z && !g->mask;
    g->chunks = 1;
    if (!plain || g->activation != FASTNN_ACTIVATION_identity) return;
    if (!FN(is_long)(g) || g->tasks == 0) return;
    if (g->M * g->N > GEMM_SPLIT || g->N > GEMM_GROUP) return;
    const int64_t wanted = FN(gemm_wanted)(g), sensible = parts_of(g->K, GEMM_DEPTH);
    g->chunks = wanted < sensible ? wanted : sensible;
    if (g->chunks == 1) return;
    g->group = GEMM_GROUP;
    g->bands = 1;
    g->tasks = g->chunks;
}

// A tile's rows of A times all panels of the group, while those of the next tile are fetched.
// `copy` is where rows are put that lie badly, or NULL.
static void FN(gemm_row)(const FN(gemm_job) *g, const FN(gemm_block) *block,
                         const FN(gemm_panel) *panel, int64_t panels, int64_t i0, int64_t rows,
                         real *copy) {
    const real *a = g->a + i0 * g->a_row + block->start * g->a_col;
    FN(tile) t = {.a = a, .a_stride = g->a_col == 1 ? g->a_row : g->a_col, .next = a};
    if (i0 + 2 * rows <= g->M) {
        t.next = g->a_col == 1 ? a + rows * g->a_row : a + 2 * rows - 1;
        t.next_row = g->a_row;
    }
    if (copy) {
        for (int64_t i = 0; i < rows; i++) {
            FN(copy_row)(copy + i * GEMM_DEPTH, a + i * g->a_row, block->depth);
        }
        t.a = copy;
        t.a_stride = GEMM_DEPTH;
    }
    for (int64_t n = 0; n < panels; n++) FN(gemm_tile)(g, block, panel + n, &t, i0, rows);
}

static void FN(gemm_region)(const FN(gemm_job) *g, int64_t index) {
    const int64_t groups = parts_of(g->N, g->group);
    const int64_t top = part_start(g->M, g->bands, index / groups);
    const int64_t height = part_start(g->M, g->bands, index / groups + 1) - top;
    const int64_t j0 = index % groups * g->group;
    const int64_t cols = g->N - j0 < g->group ? g->N - j0 : g->group;
    const int64_t panels = parts_of(cols, GEMM_COLS), blocks = parts_of(g->K, GEMM_DEPTH);
    FN(gemm_panel) panel[GEMM_PANELS];
    for (int64_t n = 0; n < panels; n++) FN(set_panel)(panel + n, g, j0 + n * GEMM_COLS, j0 + cols);
    real copy[TILE_ROWS * GEMM_DEPTH] __attribute__((aligned(64)));
    const int copies = FN(copy_pays)(g, panels);

    const int64_t tiles = parts_of(height, panel->dot ? DOT_TILE_ROWS : TILE_ROWS);
    for (int64_t n = 0; n < blocks; n++) {
        FN(gemm_block) block = {.start = part_start(g->K, blocks, n), .first = n == 0};
        block.depth = part_start(g->K, blocks, n + 1) - block.start;
        block.last = n == blocks - 1;
        for (int64_t m = 0; m < panels; m++) FN(pack)(panel + m, g, &block);
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t i0 = top + part_start(height, tiles, t);
            const int64_t rows = top + part_start(height, tiles, t + 1) - i0;
            FN(gemm_row)(g, &block, panel, panels, i0, rows, copies ? copy : 0);
        }
    }
}

static void FN(gemm_chunk)(const FN(gemm_job) *g, int64_t index) {
    const int64_t start = part_start(g->K, g->chunks, index);
    FN(gemm_job) chunk = *g;
    chunk.a += start * g->a_col;
    chunk.b += start * g->b_row;
    chunk.c = g->sums + index * g->M * g->N;
    chunk.K = part_start(g->K, g->chunks, index + 1) - start;
    FN(gemm_region)(&chunk, 0);
}

static void FN(gemm_task)(void *job, int64_t index) {
    const FN(gemm_job) *g = job;
    if (g->chunks > 1) {
        FN(gemm_chunk)(g, index);
    } else {
        FN(gemm_region)(g, index);
    }
}

// A single task: C is small.
static void FN(add_chunks)(void *job, int64_t index) {
    const FN(gemm_job) *g = job;
    FN(add_parts)(g->c, g->sums, g->chunks, g->M * g->N);
    (void)index;
}

static void FN(join)(FN(gemm_job) *g) {
    if (g->chunks > 1) fastnn_for(1, (double)(g->chunks * g->M * g->N), FN(add_chunks), g);
}

// Nanoseconds on one core.
static double FN(gemm_work)(const FN(gemm_job) *g) {
    return (double)g->M * (double)g->N * (double)g->K / (3.0 * LANES);
}

// A few columns are computed as a few rows: Cᵀ = Bᵀ · Aᵀ fills the vectors, where A is read by
// columns and B by rows.
static void FN(turn)(FN(gemm_job) *g) {
    const int fits = g->a_row == 1 && g->b_col == 1 && !g->bias && FN(sum_finishes)(g);
    if (!fits || 4 * g->N * parts_of(g->M, LANES) > 3 * g->M * parts_of(g->N, LANES)) return;
    const FN(gemm_job) as_given = *g;
    g->a = as_given.b;
    g->b = as_given.a;
    g->a_col = as_given.b_row;
    g->b_row = as_given.a_col;
    g->M = as_given.N;
    g->N = as_given.M;
    g->transposed = 1;
}

// `own` has room for FASTNN_SCRATCH bytes. Of a pair of products, one at most is split: the sum of
// each would have to be longer than the other's matrix is large.
static void FN(prepare)(FN(gemm_job) *g, void *own) {
    FN(turn)(g);
    FN(cut)(g);
    FN(split)(g);
    g->sums = fastnn_team_scratch(own);
}

static void FN(gemm)(FN(gemm_job) *g) {
    char own[FASTNN_SCRATCH] __attribute__((aligned(64)));
    FN(prepare)(g, own);
    fastnn_for(g->tasks, FN(gemm_work)(g), FN(gemm_task), g);
    FN(join)(g);
}

// Task `index` of two products; the tasks of one are spread evenly among those of the other.
static void FN(gemm_pair_task)(void *job, int64_t index) {
    FN(gemm_job) *product = job;
    const int64_t first = product[0].tasks, all = first + product[1].tasks;
    const int64_t before = index * first / all;
    if ((index + 1) * first / all > before) {
        FN(gemm_task)(product, before);
    } else {
        FN(gemm_task)(product + 1, index - before);
    }
}

// Two products that do not wait for each other.
static void FN(gemm_pair)(FN(gemm_job) product[2]) {
    char own[FASTNN_SCRATCH] __attribute__((aligned(64)));
    FN(prepare)(product, own);
    FN(prepare)(product + 1, own);
    fastnn_for(product[0].tasks + product[1].tasks,
               FN(gemm_work)(product) + FN(gemm_work)(product + 1), FN(gemm_pair_task), product);
    FN(join)(product);
    FN(join)(product + 1);
}
