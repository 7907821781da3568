// Contention: whether other programs use the processors that a team needs.
//
// At a barrier, all threads of a team wait for the slowest. On a machine with other work, one of
// them is often waiting for a processor: the team then takes more processor time, and often more
// wall-clock time, than one thread. It can be measured in the calling thread, whose share of a loop
// is the largest: with a processor for each thread it computes or spins all the time, so its
// processor time falls behind the clock only where a thread was not scheduled.
#ifndef FASTNN_CONTENTION_H
#define FASTNN_CONTENTION_H

#include <stdint.h>

// Starts as zeros.
typedef struct {
    int64_t cap;            // largest team until `end`
    int64_t pause, end;     // length and end of the latest period of smaller teams
    int64_t threads;        // of the teams measured in the current window
    int64_t elapsed, lost;  // nanoseconds in the window
} fastnn_contention;

// The largest team that may run now, at most `limit`.
int fastnn_contention_limit(const fastnn_contention *contention, int limit, int64_t now);

// Whether the processor time of a team of this size should be measured.
int fastnn_contention_is_measured(const fastnn_contention *contention, int threads, int64_t now);

// Records that a team ran for `elapsed` nanoseconds up to now, and that its calling thread was
// without a processor for `lost` of them.
void fastnn_contention_note(fastnn_contention *contention, int threads, int64_t elapsed,
                            int64_t lost, int64_t now);

// Records that a single loop took as long as estimated or, if `stalled`, far longer.
void fastnn_contention_note_loop(fastnn_contention *contention, int stalled, int64_t now);

#endif
