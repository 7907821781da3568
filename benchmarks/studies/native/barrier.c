// The cost of the barrier of csrc/parallel/team.c, with which it is linked.

#include <stddef.h>

#include "parallel/team.h"
#include "parallel/threads.h"

typedef struct {
    int64_t barriers, nanoseconds;
} measurement;

static void nothing(void *job, int64_t index) { (void)job, (void)index; }

// Loops with a task for each thread and nothing to do: their cost is that of the barrier.
static void wait_often(void *job) {
    measurement *m = job;
    fastnn_for(1, 0, nothing, NULL);  // all threads are there
    const int64_t start = fastnn_now();
    for (int64_t i = 0; i < m->barriers; i++) fastnn_for(1, 0, nothing, NULL);
    if (fastnn_team_thread() == 0) m->nanoseconds = fastnn_now() - start;
}

// Nanoseconds of one barrier of a team; negative if the system did not grant the threads.
double barrier_cost(int threads, int processors, int64_t barriers) {
    measurement m = {.barriers = barriers};
    fastnn_threads_init(1, processors);
    fastnn_set_threads(threads);
    if (fastnn_team_run(threads, NULL, NULL, wait_often, &m) != threads) return -1;
    return (double)m.nanoseconds / (double)barriers;
}
