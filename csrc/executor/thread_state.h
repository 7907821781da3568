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

// A number that depends on the step alone, from the table that was worked out ahead.
static inline fastnn_scalar of_step(const thread_state *w, uint64_t column) {
    const fastnn_run *run = w->run;
    return run->per_step[(w->step - run->first_step) * (uint64_t)run->columns + column];
}

// Gathers the rows of a batch, and augments them.
void fastnn_load_batch(thread_state *w);

// The sum of the sample weights of a batch, alike for all threads.
double fastnn_total_weight(thread_state *w);

// Copies the outputs of a batch to where the predictions are kept.
void fastnn_store_predictions(thread_state *w);

#endif
