// The microkernels of the matrix product: a tile of C, at most TILE_ROWS rows by two vectors.

// What every microkernel computes: c = from + a · b, for as many rows as its name says.
typedef struct {
    const real *a;
    int64_t a_stride;  // from row to row, or from column to column where a is read by columns
    const real *b;
    int64_t b_row;
    int64_t depth;
    const real *from;  // c itself, a block of zeros, or the bias with from_row 0
    int64_t from_row;
    real *c;
    int64_t c_row;
    const real
        *next;  // where the next tile reads a: fetched into the cache while k runs, at each k
    int64_t next_row;  // a line of each column, or one of 16 lines of a row before the next row
} FN(tile);

// Rows of a that are addressed from one pointer: more would need a register for each distance.
#define ROWS_OF_POINTER 4

// a (rows, depth), b (depth, vectors * LANES), c (rows, vectors * LANES). Inlined where rows,
// vectors and the order of a are constants; it calls nothing, so the sums stay in registers.
static ALWAYS_INLINE void FN(multiply)(const FN(tile) *t, const int rows, const int vectors,
                                       const int by_columns) {
    const int64_t a_row = by_columns ? 1 : t->a_stride, a_col = by_columns ? t->a_stride : 1;
    const int share = by_columns ? TILE_ROWS : ROWS_OF_POINTER;
    const real *a[TILE_ROWS];
    UNROLL for (int i = 0; i < rows; i += share) {
        a[i] = t->a + i * a_row;
        KEEP_APART(a[i]);
    }
    FN(vec) sum[TILE_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (FN(vec)){0};
    }
    const real *row = t->b, *next = t->next;
    const int64_t new_row = t->next_row - 15 * CACHE_LINE;
    const uint64_t depth = (uint64_t)t->depth;
    for (uint64_t k = 0; k < depth; k++, row += t->b_row) {
        FN(vec) b[2];
        __builtin_prefetch(next);
        next += by_columns ? a_col : k % 16 == 15 ? new_row : CACHE_LINE;
        UNROLL for (int v = 0; v < vectors; v++) b[v] = FN(load)(row + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const real factor = a[i - i % share][i % share * a_row];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += factor * b[v];
        }
        UNROLL for (int i = 0; i < rows; i += share) a[i] += a_col;
    }
    const real *from = t->from;
    real *c = t->c;
    UNROLL for (int i = 0; i < rows; i++, c += t->c_row, from += t->from_row) {
        UNROLL for (int v = 0; v < vectors; v++) {
            FN(store)(c + v * LANES, FN(load)(from + v * LANES) + sum[i][v]);
        }
    }
}

typedef void FN(microkernel)(const FN(tile) *);

// tile_r<rows>_<vectors> reads a by rows (column stride 1), tile_c<rows>_<vectors> by columns.
#define TILE(order, rows, vectors, by_columns)                          \
    static void FN(tile_##order##rows##_##vectors)(const FN(tile) *t) { \
        FN(multiply)(t, rows, vectors, by_columns);                     \
    }
#define TILES(rows)     \
    TILE(r, rows, 1, 0) \
    TILE(r, rows, 2, 0) \
    TILE(c, rows, 1, 1) \
    TILE(c, rows, 2, 1)
FOR_TILE_ROWS(TILES)
#undef TILES
#undef TILE

// [a by columns][vectors - 1][rows - 1]
#define TILE_R1(rows) FN(tile_r##rows##_1),
#define TILE_R2(rows) FN(tile_r##rows##_2),
#define TILE_C1(rows) FN(tile_c##rows##_1),
#define TILE_C2(rows) FN(tile_c##rows##_2),
static FN(microkernel) *const FN(tiles)[2][2][TILE_ROWS] = {
    {{FOR_TILE_ROWS(TILE_R1)}, {FOR_TILE_ROWS(TILE_R2)}},
    {{FOR_TILE_ROWS(TILE_C1)}, {FOR_TILE_ROWS(TILE_C2)}},
};
#undef TILE_R1
#undef TILE_R2
#undef TILE_C1
#undef TILE_C2
