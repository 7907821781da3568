#include "parallel/tuning.h"

enum {
    TRIAL_STEPS = 4,              // with each size, of which the fastest counts
    LONG_STEP = 5000000,          // nanoseconds: from here on one step is enough for a comparison
    WORTH_A_TEAM = 15000,         // nanoseconds: shorter steps stay on one thread
    TRIAL_INTERVAL = 2000000000,  // nanoseconds
    TRIAL_SHARE = 100,            // a serial trial may take 1 / TRIAL_SHARE of the time
};

static void try_team(fastnn_tuning *t, int64_t threads) {
    t->threads = threads;
    t->steps = TRIAL_STEPS;
    t->fastest = INT64_MAX;
}

static void begin(fastnn_tuning *t, int64_t limit) {
    t->limit = limit;
    t->best_time = INT64_MAX;
    try_team(t, 1);
}

static void use_best(fastnn_tuning *t) {
    t->threads = t->best;
    t->steps = 0;
    t->since_trial = 0;
}

// After the trial of a size: doubles it as long as steps become faster by 5 %.
static void end_trial(fastnn_tuning *t) {
    const int faster = t->fastest < t->best_time - t->best_time / 20;
    if (faster) {
        t->best = t->threads;
        t->best_time = t->fastest;
    }
    if (!faster || t->threads == t->limit || t->fastest < WORTH_A_TEAM) {
        use_best(t);
    } else {
        try_team(t, 2 * t->threads < t->limit ? 2 * t->threads : t->limit);
    }
}

void fastnn_tuning_worked(fastnn_tuning *t, int64_t nanoseconds) { t->since_trial += nanoseconds; }

int fastnn_tuning_is_due(const fastnn_tuning *t, int64_t more) {
    if (t->steps || t->limit <= 1) return 0;
    const int64_t share = TRIAL_SHARE * t->best_time * t->best;
    return t->since_trial + more > (share > TRIAL_INTERVAL ? share : TRIAL_INTERVAL);
}

int fastnn_tuning_team(fastnn_tuning *t, int limit, int *threads) {
    if (t->limit != limit || fastnn_tuning_is_due(t, 0)) begin(t, limit);
    if (limit == 1) t->steps = 0;  // only one size possible
    *threads = (int)t->threads;
    return t->steps > 0;
}

void fastnn_tuning_note(fastnn_tuning *t, int64_t nanoseconds) {
    if (nanoseconds < t->fastest) t->fastest = nanoseconds;
    if (--t->steps == 0 || t->fastest >= LONG_STEP) end_trial(t);
}
