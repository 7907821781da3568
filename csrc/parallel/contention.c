#include "parallel/contention.h"

enum {
    WINDOW = 30000000,  // nanoseconds between two decisions
    LOST_SHARE = 4,     // contended: more than 1 / LOST_SHARE of the window lost
    FIRST_PAUSE = 50000000,
    LONGEST_PAUSE = 1600000000,
};

// Each repetition doubles the pause.
static void pause_teams(fastnn_contention *c, int64_t cap, int64_t now) {
    const int64_t longer = c->pause < FIRST_PAUSE / 2 ? FIRST_PAUSE : 2 * c->pause;
    c->cap = cap;
    c->pause = longer < LONGEST_PAUSE ? longer : LONGEST_PAUSE;
    c->end = now + c->pause;
}

int fastnn_contention_limit(const fastnn_contention *c, int limit, int64_t now) {
    return now < c->end && c->cap < limit ? (int)c->cap : limit;
}

int fastnn_contention_is_measured(const fastnn_contention *c, int threads, int64_t now) {
    return threads > 1 || now < c->end;
}

void fastnn_contention_note(fastnn_contention *c, int threads, int64_t elapsed, int64_t lost,
                            int64_t now) {
    if (c->threads != threads) {
        c->threads = threads;
        c->elapsed = c->lost = 0;
    }
    c->elapsed += elapsed;
    c->lost += lost;
    if (c->elapsed < WINDOW) return;
    const int contended = LOST_SHARE * c->lost > c->elapsed;
    c->elapsed = c->lost = 0;
    if (!contended) {
        if (threads > 1) c->pause /= 2;
    } else if (threads > 1) {
        pause_teams(c, threads / 2, now);
    } else {  // even one thread has no processor to itself: do not try two
        c->end = now + c->pause;
    }
}

void fastnn_contention_note_loop(fastnn_contention *c, int stalled, int64_t now) {
    if (stalled) {
        pause_teams(c, 1, now);
    } else {
        c->pause /= 2;
    }
}
