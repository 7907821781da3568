// The C interface, called by the Cython module and the executor.
#ifndef FASTNN_H
#define FASTNN_H

#include <stdint.h>

// Limits of one kernel.
enum {
    FASTNN_MAX_ARRAYS = 16,
    FASTNN_MAX_DIMS = 16,
    FASTNN_MAX_SCALARS = 16,
};

typedef enum {
    FASTNN_OK,
    FASTNN_BAD_SIZE,        // a negative dimension, or an array of 2**63 bytes and more
    FASTNN_BAD_ACTIVATION,  // not one of activations.def
    FASTNN_MISSING_Z,       // the activation's gradient needs the pre-activation
    FASTNN_BAD_LABEL,       // a class number outside [0, C); a single call has written nothing
    FASTNN_BAD_CODE,        // a row number outside an embedding's table; likewise
    FASTNN_BAD_GEOMETRY,    // windows or groups that the dimensions do not have
    FASTNN_DIVERGED,        // the loss or a gradient is not finite
    FASTNN_CUSTOM_RAISED,   // a function of the user raised an exception
} fastnn_status;

typedef enum { FASTNN_FLOAT32, FASTNN_FLOAT64, FASTNN_DTYPES } fastnn_dtype;

#define KERNEL(kind, name, ...) FASTNN_KERNEL_##name,
typedef enum {
#include "table/kernels.def"
    FASTNN_KERNEL_COUNT
} fastnn_kernel_id;
#undef KERNEL

#define ACTIVATION(name, needs_z) FASTNN_ACTIVATION_##name,
typedef enum {
#include "table/activations.def"
    FASTNN_ACTIVATION_COUNT
} fastnn_activation_id;
#undef ACTIVATION

static inline int activation_known(int64_t activation) {
    return activation >= 0 && activation < FASTNN_ACTIVATION_COUNT;
}

#define SOURCE(name, type) FASTNN_SOURCE_##name,
typedef enum {
#include "table/sources.def"
    FASTNN_SOURCE_COUNT
} fastnn_source_id;
#undef SOURCE

typedef union {
    double f;
    int64_t i;
    uint64_t u;
} fastnn_scalar;

// The uniform arguments of every kernel. kernels.def says which slot is which argument; arrays that
// are None are NULL, dimensions that a kernel does not have are 0.
typedef struct {
    void *array[FASTNN_MAX_ARRAYS];
    int64_t dim[FASTNN_MAX_DIMS];
    fastnn_scalar scalar[FASTNN_MAX_SCALARS];
    double result;
} fastnn_args;

typedef fastnn_status (*fastnn_kernel)(fastnn_args *);

typedef void (*fastnn_gather)(void *out, const void *from, const int64_t *order, int64_t first,
                              int64_t n, int64_t size, double scale);

// All kernels as compiled for one instruction set.
typedef struct {
    const char *isa;
    fastnn_kernel kernel[FASTNN_DTYPES][FASTNN_KERNEL_COUNT];
    fastnn_gather gather[FASTNN_DTYPES][FASTNN_SOURCE_COUNT];
} fastnn_table;

extern const char *const fastnn_kernel_names[FASTNN_KERNEL_COUNT];
extern const char *const fastnn_activation_names[FASTNN_ACTIVATION_COUNT];
extern const int fastnn_activation_needs_z[FASTNN_ACTIVATION_COUNT];
extern const char *const fastnn_source_names[FASTNN_SOURCE_COUNT];

// Sets the tables that this build has and this machine can run, slowest first; returns their
// number.
enum { FASTNN_MAX_TABLES = 3 };
int fastnn_usable_tables(const fastnn_table *tables[FASTNN_MAX_TABLES]);

// Checks the dimensions, sets the floating-point state, and calls the kernel.
fastnn_status fastnn_call(const fastnn_table *table, fastnn_dtype dtype, fastnn_kernel_id kernel,
                          fastnn_args *args);

// The dimensions of an array, as indices of fastnn_args.dim.
typedef struct {
    int dims;
    int dim[FASTNN_MAX_DIMS];
} fastnn_shape;

// How many dimensions a kernel has, and the shapes of its arrays, each once.
typedef struct {
    int dims, shapes;
    const fastnn_shape *shape;
} fastnn_sizes;

fastnn_sizes fastnn_kernel_sizes(fastnn_kernel_id kernel);

// Whether an array of 8 bytes an element can exist, or all those of a kernel.
int fastnn_shape_fits(const fastnn_shape *shape, const int64_t *dim);
int fastnn_sizes_fit(fastnn_kernel_id kernel, const int64_t *dim);

#endif
