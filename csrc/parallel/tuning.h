// How many threads suit a plan: found out by trying, and looked at again from time to time.
//
// Estimates of work cannot know the caches, the neighbours on the machine, or what a barrier costs
// on it; two or three steps with each size of team do. Bits do not depend on the outcome.
#ifndef FASTNN_TUNING_H
#define FASTNN_TUNING_H

#include <stdint.h>

// Starts as zeros, and is kept from run to run of one plan.
typedef struct {
    int64_t limit;    // of the teams that were tried
    int64_t members;  // of the next team
    int64_t steps;    // still to be timed with this team; 0 when settled
    int64_t fastest;  // nanoseconds of the fastest step with this team
    int64_t best;     // the fastest team so far, and its time
    int64_t best_time;
    int64_t since_trial;  // nanoseconds of work with a settled choice
} fastnn_tuning;

// Sets the team for the steps to come, at most `limit`; returns whether the next step is a trial,
// to be timed and told.
int fastnn_tuning_team(fastnn_tuning *tuning, int limit, int *members);
void fastnn_tuning_note(fastnn_tuning *tuning, int64_t nanoseconds);

// Tells of work done since; whether that is enough, with some more, for the next trial. Time
// between runs does not count: a program that trains now and then need not try each time.
void fastnn_tuning_worked(fastnn_tuning *tuning, int64_t nanoseconds);
int fastnn_tuning_is_due(const fastnn_tuning *tuning, int64_t more);

#endif
