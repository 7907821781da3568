// Threads: one process-wide setting, and loops whose results do not depend on it.
#ifndef FASTNN_THREADS_H
#define FASTNN_THREADS_H

#include <stdint.h>

// Once, before any other call. `force` gives every loop the full team, however little there is to
// do.
void fastnn_threads_init(int force);

int fastnn_get_threads(void);
void fastnn_set_threads(int threads);

int fastnn_openmp_version(void);          // the _OPENMP date of the build, 0 without OpenMP
const char *fastnn_openmp_runtime(void);  // "libgomp", "libomp" or "none"
int fastnn_last_team(void);               // threads of the latest loop of this thread

// task(job, i) for i in [0, tasks), in any order; `nanoseconds` is an estimate for one core.
void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job);

// Chunks of [0, items) are a function of items alone: multiples of `grain`, at most 512 of them.
void fastnn_for_chunks(int64_t items, int64_t grain, double nanoseconds,
                       void (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// The same, adding up what the chunks return in the order of their indices.
double fastnn_sum_chunks(int64_t items, int64_t grain, double nanoseconds,
                         double (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// Round to nearest, subnormals kept, no traps; returns what `fastnn_fp_leave` restores.
uint64_t fastnn_fp_enter(void);
void fastnn_fp_leave(uint64_t state);

#endif
