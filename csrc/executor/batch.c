#include <math.h>
#include <string.h>

#include "executor/thread_state.h"

enum {
    COPY_GRAIN = 32768,  // bytes of a batch that one task copies
    CACHE_LINE = 64,
    TRANSFORM_WORK = 5000,  // nanoseconds of one task of a transform
    AHEAD = 8,              // rows between prefetch and copy
    FETCHED = 512,          // bytes of each; the hardware prefetcher follows longer rows
};

static int64_t row_bytes(const fastnn_input *input) { return input->size * input->item; }

// Prefetches a row: rows of a shuffled batch are scattered in memory.
static inline void fetch(const char *row, int64_t bytes) {
    const int64_t most = bytes < FETCHED ? bytes : FETCHED;
    for (int64_t at = 0; at < most; at += CACHE_LINE) __builtin_prefetch(row + at);
}

// Inlined with constant `bytes` where a row is one number: a class, a target, a weight.
static inline __attribute__((always_inline)) void copy_rows(char *out, const char *rows,
                                                            const int64_t *order, int64_t n,
                                                            int64_t bytes) {
    for (int64_t i = 0; i < n; i++) {
        if (i + AHEAD < n) fetch(rows + order[i + AHEAD] * bytes, bytes);
        memcpy(out + i * bytes, rows + order[i] * bytes, (size_t)bytes);
    }
}

// Reads it once: another thread of the user may change it between check and use.
static int64_t column_of(const fastnn_input *input, int64_t i) {
    if (input->wide_columns) return ((const volatile int64_t *)input->columns)[i];
    return ((const volatile int32_t *)input->columns)[i];
}

// Writes rows of a sparse matrix as dense ones.
static void spread(const fastnn_input *input, const int64_t *order, int64_t first, char *out,
                   int64_t n) {
    const int64_t bytes = row_bytes(input);
    memset(out, 0, (size_t)(n * bytes));
    for (int64_t i = 0; i < n; i++, out += bytes) {
        const int64_t row = order ? order[i] : first + i;
        for (int64_t j = input->starts[row]; j < input->starts[row + 1]; j++) {
            const int64_t column = column_of(input, j);
            if (column < 0 || column >= input->size) continue;  // changed after the check
            if (input->item == sizeof(double)) {
                ((double *)out)[column] = ((const double *)input->rows)[j];
            } else {
                ((float *)out)[column] = ((const float *)input->rows)[j];
            }
        }
    }
}

static void gather(const thread_state *w, const fastnn_input *input, int64_t begin, int64_t end) {
    if (!input->batch) return;
    const fastnn_run *run = w->run;
    const int64_t bytes = row_bytes(input), first = w->first + begin, n = end - begin;
    char *out = (char *)input->batch + begin * bytes;
    if (input->starts) {
        spread(input, run->order ? run->order + first : NULL, first, out, n);
        return;
    }
    if (input->source == FASTNN_COPY) {
        const int64_t *order = run->order + first;
        if (bytes == 8) {
            copy_rows(out, input->rows, order, n, 8);
        } else if (bytes == 4) {
            copy_rows(out, input->rows, order, n, 4);
        } else {
            copy_rows(out, input->rows, order, n, bytes);
        }
        return;
    }
    const int64_t *order = run->order ? run->order + first : NULL;
    const fastnn_gather convert = run->table->gather[run->plan->dtype][input->source];
    convert(out, input->rows, order, first, n, input->size, input->scale);
}

static void gather_chunk(void *job, int64_t begin, int64_t end) {
    const thread_state *w = job;
    gather(w, &w->run->input, begin, end);
    gather(w, &w->run->target, begin, end);
    gather(w, &w->run->weight, begin, end);
}

static void *batch_of(const fastnn_input *input, int64_t first) {
    if (input->batch || !input->rows) return input->batch;
    return (char *)input->rows + first * row_bytes(input);
}

static int64_t grain_for(int64_t bytes) { return bytes < COPY_GRAIN ? COPY_GRAIN / bytes : 1; }

typedef struct {
    const thread_state *w;
    const fastnn_transform *transform;
    const void *x;
} transform_job;

static void transform_chunk(void *job, int64_t begin, int64_t end) {
    const transform_job *j = job;
    const fastnn_transform *t = j->transform;
    const uint64_t offset = of_step(j->w, (uint64_t)t->column).u;
    t->function(t->out, j->x, begin, end, j->w->rows, t->settings, j->w->run->seed, offset);
}

// Applies the transforms to the rows of an input; returns the address of the result.
static void *transformed(const thread_state *w, const fastnn_input *input) {
    void *rows = batch_of(input, w->first);
    for (int64_t i = 0; rows && i < input->transforms; i++) {
        const fastnn_transform *t = &input->transform[i];
        transform_job job = {w, t, rows};
        const int64_t grain = t->cost < TRANSFORM_WORK ? (int64_t)(TRANSFORM_WORK / t->cost) : 1;
        fastnn_for_chunks(w->rows, grain, t->cost * (double)w->rows, transform_chunk, &job);
        rows = t->out;
    }
    return rows;
}

void fastnn_load_batch(thread_state *w) {
    const fastnn_run *run = w->run;
    if (run->input.batch || run->target.batch || run->weight.batch) {
        const int64_t bytes = row_bytes(&run->input);
        const double work = 0.1 * (double)w->rows * (double)bytes;
        fastnn_for_chunks(w->rows, grain_for(bytes), work, gather_chunk, w);
    }
    w->base[FASTNN_INPUT] = transformed(w, &run->input);
    w->base[FASTNN_TARGET] = transformed(w, &run->target);
    w->base[FASTNN_WEIGHT] = transformed(w, &run->weight);
}

static void scatter_chunk(void *job, int64_t begin, int64_t end) {
    const thread_state *w = job;
    const fastnn_run *run = w->run;
    const fastnn_plan *plan = run->plan;
    const int64_t bytes = plan->outputs * (plan->dtype == FASTNN_FLOAT64 ? 8 : 4);
    const char *from = (char *)w->base[plan->prediction.region] + plan->prediction.offset;
    char *to = run->predictions + (w->first - run->kept_from * run->batch_rows) * bytes;
    memcpy(to + begin * bytes, from + begin * bytes, (size_t)((end - begin) * bytes));
}

void fastnn_store_predictions(thread_state *w) {
    const int64_t bytes = 8 * w->run->plan->outputs;
    const double work = 0.1 * (double)w->rows * (double)bytes;
    fastnn_for_chunks(w->rows, grain_for(bytes), work, scatter_chunk, w);
}

// In the order of the rows, as fastnn/ir/program.py adds them.
static double sum_weights(void *job) {
    const thread_state *w = job;
    const void *weight = w->base[FASTNN_WEIGHT];
    const int wide = w->run->plan->dtype == FASTNN_FLOAT64;
    double sum = 0;
    for (int64_t i = 0; i < w->rows; i++) {
        sum += wide ? ((const double *)weight)[i] : (double)((const float *)weight)[i];
    }
    return sum;
}

// Summed by one thread for all, since it decides whether there is an update: a thread that is ahead
// may already gather the next batch into the same buffer.
double fastnn_total_weight(thread_state *w) {
    if (!w->base[FASTNN_WEIGHT]) return (double)w->rows;
    return fastnn_once((double)w->rows, sum_weights, w);
}
