// Blocking of the matrix product. A tile takes all but the last few of the 32 (AVX-512) or 16
// vector registers; the panels of a group fill 128 KiB, and stay in the second-level cache.
#define GEMM_ROWS 1024
#define GEMM_DEPTH 256
#define GEMM_COLS (2 * LANES)
#define GEMM_GROUP ((int64_t)(131072 / GEMM_DEPTH / sizeof(stored)))
#define GEMM_PANELS (GEMM_GROUP / GEMM_COLS)
#define GEMM_SPLIT_K_RATIO 8  // times longer than C is large: a sum over a long batch
#define GEMM_SPLIT ((int64_t)(FASTNN_SCRATCH / GEMM_TASKS / sizeof(stored)))  // elements of C
#define GEMM_LARGE 1048576     // elements of a B whose panels come in whole groups, not in halves
#define GEMM_TASKS 8           // of a product, if it has rows enough
#define GEMM_TASK_SIZE 524288  // multiplications that are worth a task
#define SLOPE_TASK_SIZE 65536  // elements of dz that are
#define GEMM_IN_PLACE 24576    // elements of a B that is not packed
#define GEMM_IN_PLACE_ALIASING 8192
#define GEMM_ALIASING_STRIDE 512  // bytes
#define GEMM_PAGE_STRIDE 4096     // bytes
#define DOT_TILE_ROWS 8
#define CACHE_LINE ((int64_t)(64 / sizeof(stored)))

#define FOR_2(F) F(1) F(2)
#define FOR_4(F) FOR_2(F) F(3) F(4)
#define FOR_6(F) FOR_4(F) F(5) F(6)
#define FOR_8(F) FOR_6(F) F(7) F(8)
#define FOR_12(F) FOR_8(F) F(9) F(10) F(11) F(12)
#define FOR_14(F) FOR_12(F) F(13) F(14)
#if VEC_BYTES == 64
#define TILE_ROWS 14
#define FOR_TILE_ROWS FOR_14
#define FOR_DOT_COLS_f32 FOR_12
#define FOR_DOT_COLS_f64 FOR_8
#elif VEC_BYTES == 32
#define TILE_ROWS 6
#define FOR_TILE_ROWS FOR_6
#define FOR_DOT_COLS_f32 FOR_8
#define FOR_DOT_COLS_f64 FOR_4
#else
#define TILE_ROWS 6
#define FOR_TILE_ROWS FOR_6
#define FOR_DOT_COLS_f32 FOR_4
#define FOR_DOT_COLS_f64 FOR_2
#endif
