// Threads: how many a call may use, and the state in which they compute.
#ifndef FASTNN_THREADS_H
#define FASTNN_THREADS_H

#include <stdint.h>

#include "parallel/crowding.h"

// Once, before any other call. `force` gives every call the full team, however little there is to
// do; `processors` is how many the process may keep busy, 0 where nothing is known.
void fastnn_threads_init(int force, int processors);

int fastnn_get_threads(void);
void fastnn_set_threads(int threads);
int fastnn_team_is_forced(void);

int fastnn_openmp_version(void);          // the _OPENMP date of the build, 0 without OpenMP
const char *fastnn_openmp_runtime(void);  // "libgomp", "libomp" or "none"

// The largest team that a call of this thread may take now. 1 in a child of fork and within another
// parallel region; less than asked for where OpenMP's limit, the system's limit on threads, other
// teams at work, or `fastnn_team_at_most` leave less.
int fastnn_team_limit(void);

// From here on, teams of this thread have at most so many members; returns what held before.
int fastnn_team_at_most(int members);

// Around the work of a team: what others at the same time must leave to it.
void fastnn_team_begins(int members);
void fastnn_team_ends(int members);

// Whether a team of that many has a processor for each member, so that waiting may spin.
int fastnn_processors_for(int members);

// What teams of this thread have met. Each thread that starts teams finds out for itself.
fastnn_crowding *fastnn_own_crowding(void);

// Nanoseconds of a clock that never goes back, and of this thread on a processor.
int64_t fastnn_now(void);
int64_t fastnn_processor_time(void);

// Round to nearest, subnormals kept, no traps; returns what `fastnn_fp_leave` restores.
uint64_t fastnn_fp_enter(void);
void fastnn_fp_leave(uint64_t state);

#endif
