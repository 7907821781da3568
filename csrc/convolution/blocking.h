// Blocking of convolutions. A microtile has MR pixels (or rows of the weights' gradient) by NR
// output channels, as in gemm/blocking.h.
#define CONV_MR GEMM_MR
#define CONV_NR GEMM_NR
#define CONV_KC 1024  // most terms of a sum between two stores of it
#define CONV_BAND ((int64_t)(131072 / sizeof(stored)))  // elements of a padded copy
#define CONV_GATHER_ROW (CONV_KC + LANES)               // not a multiple of 4 KiB
// Elements of a task's copy; vectors of channels may reach beyond the last pixel.
#define CONV_COPY_SIZE \
    (CONV_BAND + LANES > CONV_GATHER_ROW * CONV_MR ? CONV_BAND + LANES : CONV_GATHER_ROW * CONV_MR)
#define CONV_CHUNKS 8  // most chunks of images whose gradients are added
#define CONV_CHUNK ((int64_t)(FASTNN_SCRATCH / CONV_CHUNKS / sizeof(stored)))  // elements of each
#define CONV_TASK_TILES 11      // tiles of the weights' gradient for which a task reads all images
#define CONV_WEIGHT_TASKS 8     // most tasks of that gradient
#define CONV_TASKS 32           // most tasks of a call
#define CONV_TASK_SIZE 1048576  // multiplications per task

// Short lines of terms that share a tile of the weights' gradient, which would have too few sums to
// hide the latency of an addition: F(terms of a line, lines), and the most lines by terms of each.
#if CONV_MR >= 14
#define CONV_FOR_LINES(F) \
    F(1, 2) F(1, 3) F(1, 4) F(2, 2) F(2, 3) F(2, 4) F(3, 2) F(3, 3) F(3, 4) F(4, 2) F(4, 3) F(5, 2)
#define CONV_MOST_LINES {1, 4, 4, 4, 3, 2}
#else
#define CONV_FOR_LINES(F) F(1, 2) F(1, 3) F(1, 4) F(2, 2) F(2, 3) F(3, 2)
#define CONV_MOST_LINES {1, 4, 3, 2}
#endif
