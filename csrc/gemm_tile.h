// The microkernels of the matrix product: a tile of C, at most TILE_ROWS rows by two vectors.

// What every microkernel computes: c = max(from + a · b, least), for as many rows as its name says.
typedef struct {
    const real *a;
    int64_t a_stride;  // from row to row, or from column to column where a is read by columns
    const real *b;
    int64_t b_row;
    int64_t depth;
    const real *from;  // c itself, a block of zeros, or the bias with from_row 0
    int64_t from_row;
    real least;  // of an element of c: 0 where relu follows, else -inf
    real *c;
    int64_t c_row;
    const real
        *next;  // where the next tile reads a: fetched into the cache while k runs, at each k
    int64_t next_row;  // a line of each column, or one of 16 lines of a row before the next row
} FN(tile);

// Rows of a that are addressed from one pointer: more would need a register for each distance.
#define ROWS_OF_POINTER 4

#define PART(name) FN(name)
#define PART_LANES LANES
#include "gemm_kernel.h"
#undef PART
#undef PART_LANES

#define PART(name) FN(half_##name)
#define PART_LANES (LANES / 2)
#include "gemm_kernel.h"
#undef PART
#undef PART_LANES

typedef void FN(microkernel)(const FN(tile) *);

// tile_r<rows>_<vectors> reads a by rows (column stride 1), tile_c<rows>_<vectors> by columns; 0
// vectors are half a one.
#define TILE(order, rows, vectors, by_columns)                          \
    static void FN(tile_##order##rows##_##vectors)(const FN(tile) *t) { \
        if (vectors == 0) {                                             \
            FN(half_multiply)(t, rows, 1, by_columns);                  \
        } else {                                                        \
            FN(multiply)(t, rows, vectors, by_columns);                 \
        }                                                               \
    }
#define TILES(rows)     \
    TILE(r, rows, 0, 0) \
    TILE(r, rows, 1, 0) \
    TILE(r, rows, 2, 0) \
    TILE(c, rows, 0, 1) \
    TILE(c, rows, 1, 1) \
    TILE(c, rows, 2, 1)
FOR_TILE_ROWS(TILES)
#undef TILES
#undef TILE

// [a by columns][vectors][rows - 1]
#define TILE_R0(rows) FN(tile_r##rows##_0),
#define TILE_R1(rows) FN(tile_r##rows##_1),
#define TILE_R2(rows) FN(tile_r##rows##_2),
#define TILE_C0(rows) FN(tile_c##rows##_0),
#define TILE_C1(rows) FN(tile_c##rows##_1),
#define TILE_C2(rows) FN(tile_c##rows##_2),
static FN(microkernel) *const FN(tiles)[2][3][TILE_ROWS] = {
    {{FOR_TILE_ROWS(TILE_R0)}, {FOR_TILE_ROWS(TILE_R1)}, {FOR_TILE_ROWS(TILE_R2)}},
    {{FOR_TILE_ROWS(TILE_C0)}, {FOR_TILE_ROWS(TILE_C1)}, {FOR_TILE_ROWS(TILE_C2)}},
};
#undef TILE_R0
#undef TILE_R1
#undef TILE_R2
#undef TILE_C0
#undef TILE_C1
#undef TILE_C2
#undef ROWS_OF_POINTER
