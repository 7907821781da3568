#include "parallel/crowding.h"

enum {
    WINDOW = 30000000,  // nanoseconds that a verdict is about
    LOST_SHARE = 4,     // a window of which more than one in so many is lost was crowded
    FIRST_PAUSE = 50000000,
    LONGEST_PAUSE = 1600000000,
};

// Twice as long each time it happens again.
static void pause_teams(fastnn_crowding *c, int64_t cap, int64_t now) {
    const int64_t longer = c->pause < FIRST_PAUSE / 2 ? FIRST_PAUSE : 2 * c->pause;
    c->cap = cap;
    c->pause = longer < LONGEST_PAUSE ? longer : LONGEST_PAUSE;
    c->end = now + c->pause;
}

int fastnn_crowding_limit(const fastnn_crowding *c, int limit, int64_t now) {
    return now < c->end && c->cap < limit ? (int)c->cap : limit;
}

int fastnn_crowding_is_watched(const fastnn_crowding *c, int members, int64_t now) {
    return members > 1 || now < c->end;
}

void fastnn_crowding_note(fastnn_crowding *c, int members, int64_t elapsed, int64_t lost,
                          int64_t now) {
    if (c->members != members) {
        c->members = members;
        c->elapsed = c->lost = 0;
    }
    c->elapsed += elapsed;
    c->lost += lost;
    if (c->elapsed < WINDOW) return;
    const int crowded = LOST_SHARE * c->lost > c->elapsed;
    c->elapsed = c->lost = 0;
    if (!crowded) {
        if (members > 1) c->pause /= 2;
    } else if (members > 1) {
        pause_teams(c, members / 2, now);
    } else {  // not even one thread has a processor for itself: no use trying two
        c->end = now + c->pause;
    }
}

void fastnn_crowding_note_loop(fastnn_crowding *c, int stalled, int64_t now) {
    if (stalled) {
        pause_teams(c, 1, now);
    } else {
        c->pause /= 2;
    }
}
