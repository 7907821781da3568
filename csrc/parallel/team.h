// Teams: loops whose results do not depend on how many threads run them.
//
// A kernel says what can be done in any order with `fastnn_for`. Called by one thread, outside of a
// team, the loop opens a parallel region if that pays. Within `fastnn_team_run` every member runs
// the same code and calls the same loops: each takes its share and waits for the others at the end.
// So code around the loops runs on every member, and may write only to memory of its own. It may
// read what the loop before has written, as long as the loop behind does not write it. Whether a
// loop is called must not depend on memory that anyone may change meanwhile, be it a member that is
// ahead or another thread of the user: such decisions come out of a loop (fastnn_once,
// fastnn_sum_chunks), alike for all members.
#ifndef FASTNN_TEAM_H
#define FASTNN_TEAM_H

#include <stdint.h>

// task(job, i) for i in [0, tasks), in any order; `nanoseconds` is an estimate for one core.
void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job);

// Chunks of [0, items) are a function of items alone: multiples of `grain`, at most 512 of them.
void fastnn_for_chunks(int64_t items, int64_t grain, double nanoseconds,
                       void (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// The same, adding up what the chunks return in the order of their indices; every member gets the
// sum.
double fastnn_sum_chunks(int64_t items, int64_t grain, double nanoseconds,
                         double (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// What number(job) returns to the member that works it out, for all of them: a decision.
double fastnn_once(double nanoseconds, double (*number)(void *job), void *job);

// Memory that all members share, for what the tasks of one loop leave to the next loop; outside of
// a team, `own`, of as many bytes.
enum { FASTNN_SCRATCH = 32768 };
void *fastnn_team_scratch(void *own);

// What member 0 is told from time to time. All members learn it together, at the end of a loop.
typedef enum {
    FASTNN_CONTINUE,
    FASTNN_STOP_AFTER_BATCH,  // at the next good place
    FASTNN_ABORT,             // loops do nothing from here on
} fastnn_request;

typedef fastnn_request fastnn_interrupt_callback(void *context);

// Runs body(job) on every one of `members` threads, the caller among them, and returns how many
// there were. `interrupt_callback` is called by the caller's thread after each millisecond or so of
// work.
int fastnn_team_run(int members, fastnn_interrupt_callback *interrupt_callback, void *context,
                    void (*body)(void *job), void *job);

// Whether the caller is a member of a team, so that it may not decide by itself.
int fastnn_in_team(void);

// For the body of a team:
int fastnn_team_member(void);                             // 0 is the caller's thread
fastnn_request fastnn_team_request(void);                 // alike on all members
void fastnn_team_mask_interrupts(int interrupts_masked);  // 1: no request arrives until 0

// For tests: threads of the latest loop or team of this thread.
int fastnn_last_team(void);

#endif
