// Threads: how many a call may use, and their floating-point state.
#ifndef FASTNN_THREADS_H
#define FASTNN_THREADS_H

#include <stdint.h>

#include "parallel/contention.h"

// Called once, before all else. `force` gives every call the full team, however small its work;
// `processors` is the number that the process may use, 0 if unknown.
void fastnn_threads_init(int force, int processors);

int fastnn_get_threads(void);
void fastnn_set_threads(int threads);
int fastnn_team_is_forced(void);

int fastnn_openmp_version(void);          // the _OPENMP date of the build, 0 without OpenMP
const char *fastnn_openmp_runtime(void);  // "libgomp", "libomp" or "none"

// The largest team that a call of this thread may use now: the setting, lowered by OpenMP's limit,
// the system's limit on threads, other running teams and `fastnn_team_at_most`. 1 in a child of
// fork and inside another parallel region.
int fastnn_team_limit(void);

// Limits the teams of this thread; returns the limit before.
int fastnn_team_at_most(int threads);

// Called around the work of a team: its threads are not available to other teams meanwhile.
void fastnn_team_begins(int threads);
void fastnn_team_ends(int threads);

// Whether a team of this size has a processor for each thread, so that barriers may spin.
int fastnn_processors_for(int threads);

// The contention measured by teams that this thread has started.
fastnn_contention *fastnn_own_contention(void);

// Nanoseconds of a monotonic clock, and of processor time of this thread.
int64_t fastnn_now(void);
int64_t fastnn_processor_time(void);

// Sets round to nearest, subnormals kept, no traps; returns the state for `fastnn_fp_leave`.
uint64_t fastnn_fp_enter(void);
void fastnn_fp_leave(uint64_t state);

#endif
