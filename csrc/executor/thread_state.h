// State of one thread of the executor's team; loading of a batch, storing of its outputs.
#ifndef FASTNN_THREAD_STATE_H
#define FASTNN_THREAD_STATE_H

#include "executor/executor.h"

typedef struct {
    fastnn_run *run;
    void *base[FASTNN_REGIONS];
    int64_t first, rows;  // of the current batch
    double weight;        // in training: sum of the batch's sample weights
    uint64_t step;
    double result[FASTNN_RESULTS];
} thread_state;

// The entry of the table of steps for the current step.
static inline fastnn_scalar of_step(const thread_state *w, uint64_t column) {
    const fastnn_run *run = w->run;
    return run->per_step[(w->step - run->first_step) * (uint64_t)run->columns + column];
}

// Gathers and augments the rows of a batch.
void fastnn_load_batch(thread_state *w);

// The sum of the sample weights of a batch, the same on all threads.
double fastnn_total_weight(thread_state *w);

// Copies the outputs of a batch into the predictions.
void fastnn_store_predictions(thread_state *w);

#endif
