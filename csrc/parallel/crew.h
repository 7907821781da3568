// A crew: threads that each run whole networks, one after another, every network on one thread.
//
// Where a team shares one loop, members of a crew share nothing but a queue, which is the caller's:
// each takes what is next, runs it, and comes back for more.
#ifndef FASTNN_CREW_H
#define FASTNN_CREW_H

#include <stdatomic.h>

typedef struct {
    atomic_int stopping;
} fastnn_crew;

// Runs work(context, member) on up to `members` threads and returns how many there were. Member 0
// is the caller's thread. Within it every team is of one.
int fastnn_crew_run(int members, void (*work)(void *context, int member), void *context);

// Any thread may ask the members to come to an end; what they run looks for that.
void fastnn_crew_stop(fastnn_crew *crew);
int fastnn_crew_is_stopping(const fastnn_crew *crew);

#endif
