#include "parallel/tuning.h"

enum {
    TRIAL_STEPS = 4,              // with each team, of which the fastest counts
    LONG_STEP = 5000000,          // nanoseconds: a step as long as this is told apart by itself
    WORTH_A_TEAM = 15000,         // nanoseconds: a step shorter than this stays on one thread
    TRIAL_INTERVAL = 2000000000,  // nanoseconds
    TRIAL_SHARE = 100,            // a serial trial may take one step's time in so many
};

static void try_team(fastnn_tuning *t, int64_t members) {
    t->members = members;
    t->steps = TRIAL_STEPS;
    t->fastest = INT64_MAX;
}

static void begin(fastnn_tuning *t, int64_t limit) {
    t->limit = limit;
    t->best_time = INT64_MAX;
    try_team(t, 1);
}

static void settle(fastnn_tuning *t) {
    t->members = t->best;
    t->steps = 0;
    t->since_trial = 0;
}

// After the trial of a team: twice as many, as long as that brings something.
static void judge(fastnn_tuning *t) {
    const int faster = t->fastest < t->best_time - t->best_time / 20;
    if (faster) {
        t->best = t->members;
        t->best_time = t->fastest;
    }
    if (!faster || t->members == t->limit || t->fastest < WORTH_A_TEAM) {
        settle(t);
    } else {
        try_team(t, 2 * t->members < t->limit ? 2 * t->members : t->limit);
    }
}

void fastnn_tuning_worked(fastnn_tuning *t, int64_t nanoseconds) { t->since_trial += nanoseconds; }

int fastnn_tuning_is_due(const fastnn_tuning *t, int64_t more) {
    if (t->steps || t->limit <= 1) return 0;
    const int64_t share = TRIAL_SHARE * t->best_time * t->best;
    return t->since_trial + more > (share > TRIAL_INTERVAL ? share : TRIAL_INTERVAL);
}

int fastnn_tuning_team(fastnn_tuning *t, int limit, int *members) {
    if (t->limit != limit || fastnn_tuning_is_due(t, 0)) begin(t, limit);
    if (limit == 1) t->steps = 0;  // nothing to find out
    *members = (int)t->members;
    return t->steps > 0;
}

void fastnn_tuning_note(fastnn_tuning *t, int64_t nanoseconds) {
    if (nanoseconds < t->fastest) t->fastest = nanoseconds;
    if (--t->steps == 0 || t->fastest >= LONG_STEP) judge(t);
}
