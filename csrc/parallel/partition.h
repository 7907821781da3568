// Partition of kernels into tasks, by shapes alone: bits do not depend on the number of threads.
#ifndef FASTNN_PARTITION_H
#define FASTNN_PARTITION_H

#include <stdint.h>

// Smallest tasks: elements, elements of a loss, columns, and columns of a norm (wider, since it
// only streams rows).
enum { ELEMENT_GRAIN = 2048, LOSS_GRAIN = 1024, COLUMN_GRAIN = 128, UNIT_COLUMNS = 512 };

// Chunks of elements begin at multiples of ELEMENT_UNIT: whole vectors, blocks of random words and
// bytes of masks; those of rows at multiples of ROW_UNIT, unless they are short.
enum { ELEMENT_UNIT = 128, ROW_UNIT = 8 };

// Slopes of a dense layer: most columns and least elements of a task; elements of several rows that
// are summed side by side, in large tasks and in small ones.
enum { SLOPE_COLUMNS = 512, SLOPE_GRAIN = 8192, SLOPE_PASS = 1024, SLOPE_SHORT = 256 };

// Normalisation: columns of a task, and rows whose sums are kept in `real` before they are added to
// a double.
enum { NORM_COLUMNS = 64, NORM_ROWS = 16 };

static inline int64_t rows_of(int64_t grain, int64_t cols) {
    return cols < grain ? grain / (cols > 0 ? cols : 1) : 1;
}

static inline int64_t row_grain(int64_t cols) { return rows_of(ELEMENT_GRAIN, cols); }

// The number of parts of n, each at most `largest`, equal to within 1; at least one.
static inline int64_t parts_of(int64_t n, int64_t largest) {
    return n > largest ? 1 + (n - 1) / largest : 1;
}

static inline int64_t part_start(int64_t n, int64_t parts, int64_t index) {
    return n / parts * index + (index < n % parts ? index : n % parts);
}

#endif
