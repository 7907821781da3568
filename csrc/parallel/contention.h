// Crowding: whether other programs want the processors that a team needs.
//
// Members of a team wait for the slowest. On a machine that is busy with something else, some
// member is always waiting for a processor, and the others for it: the team then takes more
// processor time, and often more time, than one thread. It shows in the caller's thread: nothing of
// a loop is larger than its share, so where every member has a processor, it computes or spins all
// the time, and time that passes without it is time that somebody was not let run.
#ifndef FASTNN_CROWDING_H
#define FASTNN_CROWDING_H

#include <stdint.h>

// Starts as zeros.
typedef struct {
    int64_t cap;            // members of the largest team until `end`
    int64_t pause, end;     // length of the latest pause from larger teams, and its end
    int64_t members;        // of the teams that the window is about
    int64_t elapsed, lost;  // nanoseconds of the window
} fastnn_crowding;

// The largest team of at most `limit` that may run now.
int fastnn_crowding_limit(const fastnn_crowding *crowding, int limit, int64_t now);

// Whether it is of use to note how a team of so many does.
int fastnn_crowding_is_watched(const fastnn_crowding *crowding, int members, int64_t now);

// A team has worked for `elapsed` nanoseconds up to now, of which its caller had no processor for
// `lost`.
void fastnn_crowding_note(fastnn_crowding *crowding, int members, int64_t elapsed, int64_t lost,
                          int64_t now);

// A single loop took as long as expected, or far longer.
void fastnn_crowding_note_loop(fastnn_crowding *crowding, int stalled, int64_t now);

#endif
