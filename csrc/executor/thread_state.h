// What one thread of the executor's team holds, and how a batch comes in and its outputs go out.
#ifndef FASTNN_THREAD_STATE_H
#define FASTNN_THREAD_STATE_H

#include "executor/executor.h"

// The state of one thread of the team.
typedef struct {
    fastnn_run *run;
    void *base[FASTNN_REGIONS];
    int64_t first, rows;  // of the batch at hand
    double weight;        // of a batch to train on: the sum of its sample weights
    uint64_t step;
    double result[FASTNN_RESULTS];
} thread_state;

enum { STREAM_SHIFT = 48 };  // as in fastnn/runtime/random_streams.py

static inline uint64_t stream_offset(const thread_state *w, uint64_t stream) {
    return stream << STREAM_SHIFT | w->step;
}

// Gathers the rows of a batch, and augments them.
void fastnn_load_batch(thread_state *w);

// The sum of the sample weights of a batch, alike for all threads.
double fastnn_total_weight(thread_state *w);

// Copies the outputs of a batch to where the predictions are kept.
void fastnn_store_predictions(thread_state *w);

#endif
