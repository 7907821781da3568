// The microkernel of the matrix product for one width of vectors: PART(vec) of PART_LANES elements.
// Included by gemm_tile.h for whole vectors and for halves.

// a (rows, depth), b (depth, vectors * PART_LANES), c (rows, vectors * PART_LANES). Inlined where
// rows, vectors and the order of a are constants; it calls nothing, so the sums stay in registers.
static ALWAYS_INLINE void PART(multiply)(const FN(tile) *t, const int rows, const int vectors,
                                         const int by_columns) {
    const int64_t a_row = by_columns ? 1 : t->a_stride, a_col = by_columns ? t->a_stride : 1;
    const int share = by_columns ? TILE_ROWS : ROWS_OF_POINTER;
    const real *a[TILE_ROWS];
    UNROLL for (int i = 0; i < rows; i += share) {
        a[i] = t->a + i * a_row;
        KEEP_APART(a[i]);
    }
    PART(vec) sum[TILE_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (PART(vec)){0};
    }
    const real *row = t->b, *next = t->next;
    const int64_t new_row = t->next_row - 15 * CACHE_LINE;
    const uint64_t depth = (uint64_t)t->depth;
    for (uint64_t k = 0; k < depth; k++, row += t->b_row) {
        PART(vec) b[2];
        __builtin_prefetch(next);
        next += by_columns ? a_col : k % 16 == 15 ? new_row : CACHE_LINE;
        UNROLL for (int v = 0; v < vectors; v++) b[v] = PART(load)(row + v * PART_LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const real factor = a[i - i % share][i % share * a_row];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += factor * b[v];
        }
        UNROLL for (int i = 0; i < rows; i += share) a[i] += a_col;
    }
    const real *from = t->from;
    real *c = t->c;
    const PART(vec) least = (PART(vec)){0} + t->least;
    UNROLL for (int i = 0; i < rows; i++, c += t->c_row, from += t->from_row) {
        UNROLL for (int v = 0; v < vectors; v++) {
            PART(store)(c + v * PART_LANES,
                        PART(at_least)(PART(load)(from + v * PART_LANES) + sum[i][v], least));
        }
    }
}
