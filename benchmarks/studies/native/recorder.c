// Records the loops that a training step would run, without running their tasks. Linked with the
// kernels of one instruction set, whose table is TABLE.

#include "executor/executor.h"
#include "executor/thread_state.h"

// The rule for chunks is that of team.c; what would run the loops goes by other names.
#define fastnn_for team_for
#define fastnn_for_chunks team_for_chunks
#define fastnn_sum_chunks team_sum_chunks
#define fastnn_once team_once
#define fastnn_in_team team_in_team
#include "parallel/team.c"
#undef fastnn_for
#undef fastnn_for_chunks
#undef fastnn_sum_chunks
#undef fastnn_once
#undef fastnn_in_team

enum { MAX_LOOPS = 64 };

typedef struct {
    int64_t tasks;
    double nanoseconds;  // the kernel's own estimate for one core
} loop;

extern const fastnn_table TABLE;

static loop recorded[MAX_LOOPS];
static int64_t loops;

#define ACTIVATION(name, needs_z) needs_z,
const int fastnn_activation_needs_z[FASTNN_ACTIVATION_COUNT] = {
#include "table/activations.def"
};
#undef ACTIVATION

void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job) {
    (void)task, (void)job;
    if (tasks > 0 && loops < MAX_LOOPS) recorded[loops++] = (loop){tasks, nanoseconds};
}

static void record_chunks(int64_t items, int64_t grain, double nanoseconds) {
    if (items <= 0) return;
    fastnn_for(1 + (items - 1) / chunk_size(items, grain), nanoseconds, NULL, NULL);
}

void fastnn_for_chunks(int64_t items, int64_t grain, double nanoseconds,
                       void (*chunk)(void *job, int64_t begin, int64_t end), void *job) {
    (void)chunk, (void)job;
    record_chunks(items, grain, nanoseconds);
}

double fastnn_sum_chunks(int64_t items, int64_t grain, double nanoseconds,
                         double (*chunk)(void *job, int64_t begin, int64_t end), void *job) {
    (void)chunk, (void)job;
    record_chunks(items, grain, nanoseconds);
    return 0;
}

double fastnn_once(double nanoseconds, double (*number)(void *job), void *job) {
    (void)number, (void)job;
    record_chunks(1, 1, nanoseconds);
    return 0;
}

int fastnn_in_team(void) { return 1; }

static int64_t take(loop *to) {
    const int64_t count = loops;
    for (int64_t i = 0; i < count; i++) to[i] = recorded[i];
    loops = 0;
    return count;
}

// Writes the loops of a kernel in float32 to `to` (MAX_LOOPS,) and returns their number.
int64_t loops_of_kernel(int64_t kernel, fastnn_args *args, loop *to) {
    TABLE.kernel[FASTNN_FLOAT32][kernel](args);
    return take(to);
}

// The same of gathering a batch of float32 in an order of its own.
int64_t loops_of_batch(int64_t rows, int64_t columns, loop *to) {
    const int64_t item = sizeof(float);
    fastnn_run run = {.input = {.rows = to, .size = columns, .item = item, .batch = to}};
    thread_state w = {.run = &run, .rows = rows};
    fastnn_load_batch(&w);
    return take(to);
}
