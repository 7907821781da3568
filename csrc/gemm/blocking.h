// Blocking of the matrix product, in the letters of the literature: a microtile of MR by NR, depth
// blocks of KC, at most MC rows and NC columns of C per task. A microtile takes all but the last
// few of the 32 (AVX-512) or 16 vector registers; NC columns of B by KC fill 128 KiB of the L2
// cache.
#define GEMM_MC 1024
#define GEMM_KC 256
#define GEMM_NR (2 * LANES)
#define GEMM_NC ((int64_t)(131072 / GEMM_KC / sizeof(stored)))
#define GEMM_PANELS (GEMM_NC / GEMM_NR)
#define GEMM_SPLIT_K_RATIO 8  // K is split if it exceeds this multiple of max(M, N)
#define GEMM_SPLIT ((int64_t)(FASTNN_SCRATCH / GEMM_TASKS / sizeof(stored)))  // elements of C
#define GEMM_TASKS 8           // most tasks of a product, unless they exceed MC by NC
#define GEMM_TASK_SIZE 131072  // multiplications per task
#define GEMM_IN_PLACE 24576    // largest B that is read without packing, in elements
#define GEMM_IN_PLACE_ALIASING 8192
#define GEMM_ALIASING_STRIDE 512  // bytes
#define GEMM_PAGE_STRIDE 4096     // bytes
#define GEMM_ROWS_AHEAD 8         // rows of B that are fetched before they are packed
#define GEMM_DEEP 64              // depth from which a tile of C is fetched ahead of its sums
#define DOT_TILE_ROWS 8
#define CACHE_LINE ((int64_t)(64 / sizeof(stored)))

// Elements of a column of A in the copy of a tile: whole vectors where columns are copied at all.
#define GEMM_COPY (VEC_BYTES == 64 ? GEMM_MR : (GEMM_MR + LANES - 1) / LANES * LANES)

#define FOR_2(F) F(1) F(2)
#define FOR_4(F) FOR_2(F) F(3) F(4)
#define FOR_6(F) FOR_4(F) F(5) F(6)
#define FOR_8(F) FOR_6(F) F(7) F(8)
#define FOR_12(F) FOR_8(F) F(9) F(10) F(11) F(12)
#define FOR_14(F) FOR_12(F) F(13) F(14)
#if VEC_BYTES == 64
#define GEMM_MR 14
#define FOR_MR FOR_14
#define FOR_DOT_COLS_f32 FOR_12
#define FOR_DOT_COLS_f64 FOR_8
#elif VEC_BYTES == 32
#define GEMM_MR 6
#define FOR_MR FOR_6
#define FOR_DOT_COLS_f32 FOR_8
#define FOR_DOT_COLS_f64 FOR_4
#else
#define GEMM_MR 6
#define FOR_MR FOR_6
#define FOR_DOT_COLS_f32 FOR_4
#define FOR_DOT_COLS_f64 FOR_2
#endif
