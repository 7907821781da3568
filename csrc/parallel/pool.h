// A pool: threads that each train whole networks, one after another, every network on one thread.
//
// The threads of a team share one loop; those of a pool share nothing but a queue, which is the
// caller's: each takes the next entry, runs it, and returns for more.
#ifndef FASTNN_POOL_H
#define FASTNN_POOL_H

#include <stdatomic.h>

typedef struct {
    atomic_int stopping;
} fastnn_pool;

// Runs work(context, thread) on up to `threads` threads and returns how many there were. Thread 0
// is the caller's. Within them every team has one thread.
int fastnn_pool_run(int threads, void (*work)(void *context, int thread), void *context);

// Any thread may ask the pool to stop; what its threads run polls for that.
void fastnn_pool_stop(fastnn_pool *pool);
int fastnn_pool_is_stopping(const fastnn_pool *pool);

#endif
