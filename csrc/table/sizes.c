// The shapes of a kernel's arrays, and whether such arrays can exist. Compiled for the baseline.
#include "table/fastnn.h"

#define LIST(...) __VA_ARGS__
#define SHAPE(...) {sizeof((int[]){__VA_ARGS__}) / sizeof(int), {__VA_ARGS__}},
#define KERNEL(kind, name, cost, dimensions, shapes, ...)                                \
    static fastnn_sizes sizes_of_##name(void) {                                          \
        enum { LIST dimensions, DIMENSIONS };                                            \
        static const fastnn_shape shape[] = {shapes};                                    \
        _Static_assert((int)DIMENSIONS <= (int)FASTNN_MAX_DIMS,                          \
                       "a kernel has too many dimensions");                              \
        return (fastnn_sizes){DIMENSIONS, (int)(sizeof shape / sizeof shape[0]), shape}; \
    }
#include "table/kernels.def"
#undef KERNEL

fastnn_sizes fastnn_kernel_sizes(fastnn_kernel_id kernel) {
#define KERNEL(kind, name, ...) sizes_of_##name,
    static fastnn_sizes (*const sizes_of[])(void) = {
#include "table/kernels.def"
    };
#undef KERNEL
    return sizes_of[kernel]();
}

// An empty array must have room for one of 1 in each empty dimension, as in NumPy.
int fastnn_shape_fits(const fastnn_shape *shape, const int64_t *dim) {
    int64_t bytes = 8;
    for (int i = 0; i < shape->dims; i++) {
        const int64_t n = dim[shape->dim[i]];
        if (n < 0 || __builtin_mul_overflow(bytes, n ? n : 1, &bytes)) return 0;
    }
    return 1;
}

int fastnn_sizes_fit(fastnn_kernel_id kernel, const int64_t *dim) {
    const fastnn_sizes sizes = fastnn_kernel_sizes(kernel);
    for (int i = 0; i < sizes.shapes; i++) {
        if (!fastnn_shape_fits(&sizes.shape[i], dim)) return 0;
    }
    return 1;
}
