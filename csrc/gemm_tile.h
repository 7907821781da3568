// The microkernels of the matrix product: a tile of C, at most TILE_ROWS rows by two vectors.

// c (rows, vectors * LANES) = or += a (rows, depth) · panel (depth, vectors * LANES). Inlined where
// rows, vectors and one stride of a are constants; it calls nothing, so the sums stay in registers.
static ALWAYS_INLINE void FN(multiply)(const int rows, const int vectors, const real *a,
                                       int64_t a_row, int64_t a_col, const real *panel,
                                       int64_t depth, real *c, int64_t c_row, int add) {
    FN(vec) sum[TILE_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (FN(vec)){0};
    }
    for (int64_t k = 0; k < depth; k++, a += a_col, panel += vectors * LANES) {
        FN(vec) b[2];
        UNROLL for (int v = 0; v < vectors; v++) b[v] = FN(load)(panel + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += a[i * a_row] * b[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++, c += c_row) {
        UNROLL for (int v = 0; v < vectors; v++) {
            real *to = c + v * LANES;
            FN(store)(to, add ? FN(load)(to) + sum[i][v] : sum[i][v]);
        }
    }
}

typedef void FN(tile)(const real *a, int64_t stride, const real *panel, int64_t depth, real *c,
                      int64_t c_row, int add);

// tile_r<rows>_<vectors> reads a by rows (column stride 1), tile_c<rows>_<vectors> by columns.
#define TILE(order, rows, vectors, a_row, a_col)                                              \
    static void FN(tile_##order##rows##_##vectors)(const real *a, int64_t stride,             \
                                                   const real *panel, int64_t depth, real *c, \
                                                   int64_t c_row, int add) {                  \
        FN(multiply)(rows, vectors, a, a_row, a_col, panel, depth, c, c_row, add);            \
    }
#define TILES(rows)             \
    TILE(r, rows, 1, stride, 1) \
    TILE(r, rows, 2, stride, 1) \
    TILE(c, rows, 1, 1, stride) \
    TILE(c, rows, 2, 1, stride)
FOR_TILE_ROWS(TILES)
#undef TILES
#undef TILE

// [a by columns][vectors - 1][rows - 1]
#define TILE_R1(rows) FN(tile_r##rows##_1),
#define TILE_R2(rows) FN(tile_r##rows##_2),
#define TILE_C1(rows) FN(tile_c##rows##_1),
#define TILE_C2(rows) FN(tile_c##rows##_2),
static FN(tile) *const FN(tiles)[2][2][TILE_ROWS] = {
    {{FOR_TILE_ROWS(TILE_R1)}, {FOR_TILE_ROWS(TILE_R2)}},
    {{FOR_TILE_ROWS(TILE_C1)}, {FOR_TILE_ROWS(TILE_C2)}},
};
#undef TILE_R1
#undef TILE_R2
#undef TILE_C1
#undef TILE_C2
