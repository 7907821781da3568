// A pool: threads that each train whole networks, one after another, every network on one thread.
//
// The threads of a team share one loop; those of a pool share only the caller's queue: each takes
// the next entry and runs it until the queue is empty.
#ifndef FASTNN_POOL_H
#define FASTNN_POOL_H

#include <stdatomic.h>

typedef struct {
    atomic_int stopping;
} fastnn_pool;

// Runs work(context, thread) on up to `threads` threads and returns their number. Thread 0 is the
// caller's. Inside `work`, every team has one thread.
int fastnn_pool_run(int threads, void (*work)(void *context, int thread), void *context);

// Any thread may request the stop; the runs of the pool poll for it.
void fastnn_pool_stop(fastnn_pool *pool);
int fastnn_pool_is_stopping(const fastnn_pool *pool);

#endif
