// Tuning of the team size for a plan, by timing steps with different sizes, repeated periodically.
//
// Estimates of work ignore caches, other load on the machine and the cost of a barrier; timing a
// few steps with each size includes them. Bits do not depend on the outcome.
#ifndef FASTNN_TUNING_H
#define FASTNN_TUNING_H

#include <stdint.h>

// Starts as zeros; shared by all runs of a plan.
typedef struct {
    int64_t limit;    // largest size tried
    int64_t threads;  // of the next team
    int64_t steps;    // left to time with this size; 0 when tuned
    int64_t fastest;  // nanoseconds of the fastest step with this size
    int64_t best;     // fastest size so far, and its time
    int64_t best_time;
    int64_t since_trial;  // nanoseconds of work since the latest trial
} fastnn_tuning;

// Sets the number of threads for the next steps, at most `limit`; returns whether the next step is
// a trial, whose time is passed to fastnn_tuning_note.
int fastnn_tuning_team(fastnn_tuning *tuning, int limit, int *threads);
void fastnn_tuning_note(fastnn_tuning *tuning, int64_t nanoseconds);

// Records work since the latest trial; whether that, with `more`, is enough for the next trial.
// Time between runs does not count, so that short runs do not each begin with trials.
void fastnn_tuning_worked(fastnn_tuning *tuning, int64_t nanoseconds);
int fastnn_tuning_is_due(const fastnn_tuning *tuning, int64_t more);

#endif
