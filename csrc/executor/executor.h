// The executor: runs the ops of a plan over many batches in one call.
#ifndef FASTNN_EXECUTOR_H
#define FASTNN_EXECUTOR_H

#include "table/fastnn.h"
#include "parallel/team.h"
#include "parallel/tuning.h"

// fastnn/ir describes plans; fastnn/execution/native_encoding.py lays them out as these structures.

typedef enum {
    FASTNN_NOWHERE,  // an argument that is None
    FASTNN_PARAMETERS,
    FASTNN_GRADIENTS,
    FASTNN_SLOTS,
    FASTNN_BUFFERS,
    FASTNN_WORKSPACE,
    FASTNN_INPUT,
    FASTNN_TARGET,
    FASTNN_WEIGHT,
    FASTNN_REGIONS
} fastnn_region;

typedef struct {
    int64_t region, offset;  // bytes
} fastnn_ref;

// Rows of the batch times `per_row`, plus `fixed`.
typedef struct {
    int64_t per_row, fixed;
} fastnn_extent;

typedef enum {
    FASTNN_CONSTANT,
    FASTNN_SEED,
    FASTNN_PER_STEP,          // from the table of steps, in the column that the value names
    FASTNN_CLIPPED_TO,        // the factor that brings the gradients' norm down to the value
    FASTNN_ARRAY_CLIPPED_TO,  // the same for the norm of one gradient
    FASTNN_PER_WEIGHT,        // the value divided by the sum of the batch's sample weights
} fastnn_operand_kind;

typedef struct {
    int64_t kind;
    fastnn_scalar value;
} fastnn_operand;

typedef enum {
    FASTNN_NO_RESULT,
    FASTNN_LOSS,
    FASTNN_NONFINITE,
    FASTNN_SQUARED_NORM,
    FASTNN_ARRAY_SQUARED_NORM,  // of the latest op, not accumulated
    FASTNN_RESULTS
} fastnn_result;

typedef struct {
    int64_t kernel;
    int64_t result;
    int64_t arrays, dims, scalars;  // that the kernel takes
    double factor;                  // of the result in its sum
    fastnn_ref array[FASTNN_MAX_ARRAYS];
    fastnn_extent dim[FASTNN_MAX_DIMS];
    fastnn_operand scalar[FASTNN_MAX_SCALARS];
} fastnn_op;

typedef enum {
    FASTNN_PREPARE,
    FASTNN_FORWARD,
    FASTNN_PREDICT,
    FASTNN_LOSS_STAGE,
    FASTNN_BACKWARD,
    FASTNN_PENALTY,
    FASTNN_CHECK,
    FASTNN_UPDATE,
    FASTNN_STAGES
} fastnn_stage;

typedef struct {
    fastnn_dtype dtype;
    const fastnn_op *op;
    int64_t begin[FASTNN_STAGES + 1];  // ops of stage s: [begin[s], begin[s + 1])
    fastnn_ref prediction;             // (rows, outputs)
    int64_t outputs;
} fastnn_plan;

// A function of rows, compiled at run time (fastnn/kernels/numba/rows.py): writes rows [begin,
// end) of `out` from those of x, which has `rows` of them, and cannot fail.
typedef void fastnn_row_function(void *out, const void *x, int64_t begin, int64_t end, int64_t rows,
                                 const void *settings, uint64_t seed, uint64_t offset);

// One augmentation of a batch: a function from its rows to other rows.
typedef struct {
    fastnn_row_function *function;
    const void *settings;
    int64_t column;  // of the table of steps, with the offset of its random numbers
    void *out;       // (batch_rows, size), apart from its input
    double cost;     // nanoseconds for a row
} fastnn_transform;

// One of the user's arrays, whose rows make the batch.
typedef struct {
    const void *rows;  // (n, size) of the source's type, or NULL
    // Of a sparse matrix: `rows` holds its elements, of the batch's type, row i those from
    // starts[i] to starts[i + 1]. `columns` are of int32, or of int64 if they are wide.
    const void *columns;
    const int64_t *starts;
    int64_t wide_columns;
    int64_t source;  // fastnn_source_id, or FASTNN_COPY where the type is that of the batch
    int64_t size;    // elements of a row
    int64_t item;    // bytes of an element of the batch
    double scale;
    void *batch;  // (batch_rows, size), or NULL where the user's rows are read in place
    const fastnn_transform *transform;  // applied to the batch in order
    int64_t transforms;
} fastnn_input;

enum { FASTNN_COPY = -1 };

typedef struct {
    const fastnn_table *table;
    const fastnn_plan *plan;
    void *base[FASTNN_REGIONS];  // the executor sets those of the batch
    fastnn_input input, target, weight;
    const int64_t *order;  // (n,) rows in the order to visit, or NULL
    int64_t rows, batch_rows;
    int64_t train;        // forward to update, or forward to loss only
    int64_t batch, stop;  // batches [batch, stop) remain; `batch` advances
    uint64_t seed, step;  // `step` advances
    // (steps, columns) Numbers that depend on the step alone. The first row belongs to the update
    // after `first_step`; inference uses it throughout.
    const fastnn_scalar *per_step;
    int64_t columns;
    uint64_t first_step;
    double *losses;     // (batches,)
    char *predictions;  // (rows kept, outputs), in the order of visit, or NULL
    int64_t kept_from;  // first batch whose predictions are kept
    fastnn_tuning *tuning;
    fastnn_interrupt_callback *interrupt_callback;
    void *context;
} fastnn_run;

// Runs batches until `stop`, or until the callback requests the end. On FASTNN_DIVERGED, `batch` is
// the one whose loss or gradient is not finite; its update is not made.
fastnn_status fastnn_execute(fastnn_run *run);

#endif
