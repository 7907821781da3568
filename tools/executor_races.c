// The executor under ThreadSanitizer, with teams of POSIX threads: a small network with an
// embedding, sample weights and class numbers, on batches of which many have weight 0. Teams must
// end, with the bits of one thread. tools/sanitize compiles and runs this.
#define fastnn_team_run fastnn_openmp_team_run
#include "parallel/team.c"
#undef fastnn_team_run

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "executor/executor.h"
#include "posix_team.h"

enum {
    ROWS = 64,
    COLUMNS = 3,  // of x: a code and two that are not read
    CODES = 7,
    WIDTH = 5,  // of the embedding
    UNITS = 16,
    CLASSES = 4,
    RUNS = 40,
};

// ------------------------------------------------ the functions of threads.c that teams call

int fastnn_team_is_forced(void) { return 1; }
int fastnn_team_limit(void) { return 1; }
void fastnn_team_begins(int threads) { (void)threads; }
void fastnn_team_ends(int threads) { (void)threads; }
int fastnn_processors_for(int threads) { return threads > 0; }
fastnn_contention *fastnn_own_contention(void) { return NULL; }
int64_t fastnn_now(void) { return 0; }
int64_t fastnn_processor_time(void) { return 0; }
uint64_t fastnn_fp_enter(void) { return 0; }
void fastnn_fp_leave(uint64_t state) { (void)state; }

static int team_threads = 1;

int fastnn_team_run(int threads, fastnn_interrupt_callback *interrupt_callback, void *context,
                    void (*body)(void *job), void *job) {
    (void)threads;
    team t = {.size = team_threads, .interrupt_callback = interrupt_callback, .context = context};
    run_posix_team(&t, body, job);
    return t.size;
}

// -------------------------------------------------------------------------------- the network

// table (CODES,WIDTH), w1 (WIDTH,UNITS), b1, w2 (UNITS,CLASSES), b2: elements of a region.
enum {
    TABLE = 0,
    W1 = TABLE + 48,
    B1 = W1 + WIDTH * UNITS,
    W2 = B1 + UNITS,
    B2 = W2 + UNITS * CLASSES,
    SIZE = B2 + 16,
};

// e, de (ROWS,WIDTH), y, dy (ROWS,UNITS), z (ROWS,CLASSES), which becomes its gradient.
enum {
    E = 0,
    DE = E + ROWS * WIDTH,
    Y = DE + ROWS * WIDTH,
    DY = Y + ROWS * UNITS,
    Z = DY + ROWS * UNITS,
    WORKSPACE_SIZE = Z + ROWS * CLASSES,
};

static fastnn_ref parameter(int64_t at) { return (fastnn_ref){FASTNN_PARAMETERS, 4 * at}; }
static fastnn_ref gradient(int64_t at) { return (fastnn_ref){FASTNN_GRADIENTS, 4 * at}; }
static fastnn_ref workspace(int64_t at) { return (fastnn_ref){FASTNN_WORKSPACE, 4 * at}; }
static fastnn_extent fixed(int64_t n) { return (fastnn_extent){0, n}; }
static fastnn_operand integer(int64_t i) {
    return (fastnn_operand){.kind = FASTNN_CONSTANT, .value = {.i = i}};
}
static fastnn_operand number(double f) {
    return (fastnn_operand){.kind = FASTNN_CONSTANT, .value = {.f = f}};
}

static const fastnn_extent rows = {1, 0};
static const fastnn_ref nowhere = {FASTNN_NOWHERE, 0};
static const fastnn_ref input = {FASTNN_INPUT, 0};
static const fastnn_ref target = {FASTNN_TARGET, 0};
static const fastnn_ref weight = {FASTNN_WEIGHT, 0};

#define OP(name, where, ...) \
    {.kernel = FASTNN_KERNEL_##name, .result = where, .factor = 1, __VA_ARGS__}

// One row for each op, as fastnn/execution/native_encoding.py lays out a plan.
static void lay_out(fastnn_op op[], int64_t begin[FASTNN_STAGES + 1]) {
    const int64_t relu = FASTNN_ACTIVATION_relu, identity = FASTNN_ACTIVATION_identity;
    const fastnn_op ops[] = {
        OP(embedding_fwd, FASTNN_NO_RESULT, .arrays = 3, .dims = 5, .scalars = 2,
           .array = {workspace(E), input, parameter(TABLE)},
           .dim = {rows, fixed(WIDTH), fixed(COLUMNS), fixed(CODES), fixed(WIDTH)},
           .scalar = {integer(0), integer(0)}),
        OP(dense_fwd, FASTNN_NO_RESULT, .arrays = 5, .dims = 3, .scalars = 1,
           .array = {workspace(Y), workspace(E), parameter(W1), parameter(B1), nowhere},
           .dim = {rows, fixed(UNITS), fixed(WIDTH)}, .scalar = {integer(relu)}),
        OP(dense_fwd, FASTNN_NO_RESULT, .arrays = 5, .dims = 3, .scalars = 1,
           .array = {workspace(Z), workspace(Y), parameter(W2), parameter(B2), nowhere},
           .dim = {rows, fixed(CLASSES), fixed(UNITS)}, .scalar = {integer(identity)}),
        OP(softmax_cross_entropy, FASTNN_LOSS, .arrays = 5, .dims = 2, .scalars = 1,
           .array = {workspace(Z), workspace(Z), nowhere, target, weight},
           .dim = {rows, fixed(CLASSES)}, .scalar = {number(0)}),
        OP(dense_bwd, FASTNN_NO_RESULT, .arrays = 8, .dims = 3, .scalars = 1,
           .array = {workspace(DY), gradient(W2), gradient(B2), workspace(Z), workspace(Z),
                     workspace(Y), parameter(W2), nowhere},
           .dim = {rows, fixed(UNITS), fixed(CLASSES)}, .scalar = {integer(identity)}),
        OP(dense_bwd, FASTNN_NO_RESULT, .arrays = 8, .dims = 3, .scalars = 1,
           .array = {workspace(DE), gradient(W1), gradient(B1), workspace(DY), workspace(Y),
                     workspace(E), parameter(W1), nowhere},
           .dim = {rows, fixed(WIDTH), fixed(UNITS)}, .scalar = {integer(relu)}),
        OP(embedding_bwd, FASTNN_NO_RESULT, .arrays = 3, .dims = 5, .scalars = 2,
           .array = {gradient(TABLE), workspace(DE), input},
           .dim = {fixed(CODES), fixed(WIDTH), rows, fixed(WIDTH), fixed(COLUMNS)},
           .scalar = {integer(0), integer(0)}),
        OP(count_nonfinite, FASTNN_NONFINITE, .arrays = 1, .dims = 1, .array = {gradient(0)},
           .dim = {fixed(SIZE)}),
        // A penalty that each batch divides by its weight.
        OP(sgd_step, FASTNN_NO_RESULT, .arrays = 2, .dims = 1, .scalars = 6,
           .array = {parameter(0), gradient(0)}, .dim = {fixed(SIZE)},
           .scalar = {{.kind = FASTNN_PER_STEP, .value = {.u = 0}},
                      number(0),
                      number(0),
                      {.kind = FASTNN_PER_WEIGHT, .value = {.f = 1e-3}},
                      number(1),
                      number(INFINITY)}),
    };
    const int64_t ends[FASTNN_STAGES] = {0, 3, 3, 4, 7, 7, 8, 9};
    memcpy(op, ops, sizeof ops);
    memcpy(begin + 1, ends, sizeof ends);
}

enum { OPS = 9 };

// ------------------------------------------------------------------------------------ the runs

typedef struct {
    float x[ROWS][COLUMNS], weight[ROWS];
    int64_t labels[ROWS], order[ROWS];
    fastnn_scalar learning_rate[ROWS];  // the table of steps
    float x_batch[ROWS][COLUMNS], weight_batch[ROWS];
    int64_t label_batch[ROWS];
    float parameters[SIZE], gradients[SIZE], workspace[WORKSPACE_SIZE];
    double losses[ROWS];
} memory;

static uint32_t next(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static void fill(memory *m, uint32_t seed, int wrong_code) {
    memset(m, 0, sizeof *m);
    for (int i = 0; i < ROWS; i++) {
        m->x[i][0] = (float)(next(&seed) >> 8 & 0xff) / 256 * CODES;
        m->x[i][0] = (float)(int)m->x[i][0];
        m->labels[i] = next(&seed) >> 8 & (CLASSES - 1);
        m->weight[i] = (float)(next(&seed) >> 8 & 1);
        m->order[i] = (i * 37 + (int)(seed >> 8 & 63)) % ROWS;
        m->learning_rate[i].f = 0.1;
    }
    const int64_t last = m->order[ROWS - 1];
    m->weight[last] = 1;
    if (wrong_code) m->x[last][0] = CODES;
    for (int i = 0; i < SIZE; i++) m->parameters[i] = (float)(next(&seed) >> 8) / (1 << 24) - 0.5f;
}

// Trains for one pass over the rows, gathered in their order or read where they lie.
static fastnn_status train(memory *m, int64_t batch_rows, int gathered) {
    static fastnn_op op[OPS];
    const fastnn_table *tables[FASTNN_MAX_TABLES];
    fastnn_usable_tables(tables);
    fastnn_plan plan = {.dtype = FASTNN_FLOAT32, .op = op, .outputs = CLASSES};
    lay_out(op, plan.begin);
    fastnn_tuning tuning = {0};
    fastnn_run run = {
        .table = tables[0],
        .plan = &plan,
        .base = {[FASTNN_PARAMETERS] = m->parameters,
                 [FASTNN_GRADIENTS] = m->gradients,
                 [FASTNN_WORKSPACE] = m->workspace},
        .input = {.rows = m->x, .source = FASTNN_COPY, .size = COLUMNS, .item = 4, .scale = 1},
        .target = {.rows = m->labels, .source = FASTNN_COPY, .size = 1, .item = 8, .scale = 1},
        .weight = {.rows = m->weight, .source = FASTNN_COPY, .size = 1, .item = 4, .scale = 1},
        .rows = ROWS,
        .batch_rows = batch_rows,
        .train = 1,
        .stop = (ROWS + batch_rows - 1) / batch_rows,
        .per_step = m->learning_rate,
        .columns = 1,
        .losses = m->losses,
        .tuning = &tuning,
    };
    if (gathered) {
        run.order = m->order;
        run.input.batch = m->x_batch;
        run.target.batch = m->label_batch;
        run.weight.batch = m->weight_batch;
    }
    return fastnn_execute(&run);
}

int main(void) {
    static memory alone, together;
    for (uint32_t i = 0; i < RUNS; i++) {
        const int64_t batch_rows = 1 + i % 3;
        const int gathered = i % 4 != 3, wrong_code = i % 5 == 4;
        fill(&alone, i, wrong_code);
        fill(&together, i, wrong_code);
        team_threads = 1;
        const fastnn_status expected = train(&alone, batch_rows, gathered);
        team_threads = 2 + (int)i % (MAX_THREADS - 1);
        const fastnn_status got = train(&together, batch_rows, gathered);
        if (expected != (wrong_code ? FASTNN_BAD_CODE : FASTNN_OK)) return 3;
        if (got != expected || memcmp(&alone, &together, sizeof alone)) return 1;
    }
    return 0;
}
