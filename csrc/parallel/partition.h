// How kernels cut their work into tasks: by shapes alone, so that bits do not depend on threads.
#ifndef FASTNN_PARTITION_H
#define FASTNN_PARTITION_H

#include <stdint.h>

// What is worth a task of its own. Norms of columns read more of each row at once: they have
// nothing else to wait for.
enum { ELEMENT_GRAIN = 8192, COLUMN_GRAIN = 128, UNIT_COLUMNS = 512 };

// Normalisation: columns of a task, and rows that are summed in `real` before double takes over.
enum { NORM_COLUMNS = 64, NORM_ROWS = 16 };

static inline int64_t row_grain(int64_t cols) {
    return cols < ELEMENT_GRAIN ? ELEMENT_GRAIN / (cols > 0 ? cols : 1) : 1;
}

// Cuts n into the fewest parts of at most `largest`, equal to within 1; at least one part.
static inline int64_t parts_of(int64_t n, int64_t largest) {
    return n > largest ? 1 + (n - 1) / largest : 1;
}

static inline int64_t part_start(int64_t n, int64_t parts, int64_t index) {
    return n / parts * index + (index < n % parts ? index : n % parts);
}

#endif
