// Teams: loops whose results do not depend on how many threads run them.
//
// `fastnn_for` runs independent tasks. Called by one thread, outside of a team, it opens a parallel
// region if the work is large enough. Inside `fastnn_team_run` every thread executes the same code
// and calls the same loops: each runs its share of the tasks and waits at the barrier behind them.
// Code between loops therefore runs on every thread and may write only to the thread's own memory.
// It may read what the previous loop has written, unless the next loop writes it. Whether a loop is
// called must not depend on memory that may change meanwhile, by a thread of the team that is ahead
// or by another thread of the user: such decisions are results of a loop (fastnn_once,
// fastnn_sum_chunks), which are the same on all threads.
#ifndef FASTNN_TEAM_H
#define FASTNN_TEAM_H

#include <stdint.h>

// task(job, i) for i in [0, tasks), in any order; `nanoseconds` is an estimate for one core.
void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job);

// Chunks of [0, items) are a function of items and grain alone: at most 512, of `grain` items or
// somewhat less, which begin at multiples of the units in partition.h.
void fastnn_for_chunks(int64_t items, int64_t grain, double nanoseconds,
                       void (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// The same; returns the sum of the chunks' results, added in the order of their indices, to every
// thread.
double fastnn_sum_chunks(int64_t items, int64_t grain, double nanoseconds,
                         double (*chunk)(void *job, int64_t begin, int64_t end), void *job);

// Calls number(job) on one thread and returns its result to all threads: a decision.
double fastnn_once(double nanoseconds, double (*number)(void *job), void *job);

// Memory shared by all threads, for results of one loop that the next loop reads; outside of a
// team `own`, of FASTNN_SCRATCH bytes.
enum { FASTNN_SCRATCH = 32768 };
void *fastnn_team_scratch(void *own);

// The answer of the interrupt callback, which thread 0 polls; all threads see it after the next
// barrier.
typedef enum {
    FASTNN_CONTINUE,
    FASTNN_STOP_AFTER_BATCH,  // end the call after the batch under way
    FASTNN_ABORT,             // all further loops do nothing
} fastnn_request;

typedef fastnn_request fastnn_interrupt_callback(void *context);

// Runs body(job) on each of up to `threads` threads, the calling one among them, and returns their
// number. The calling thread polls `interrupt_callback` after about each millisecond of work.
int fastnn_team_run(int threads, fastnn_interrupt_callback *interrupt_callback, void *context,
                    void (*body)(void *job), void *job);

// Whether the calling thread belongs to a team, and must not branch on memory that may change.
int fastnn_in_team(void);

// For the body of a team:
int fastnn_team_thread(void);                             // index; 0 is the calling thread
fastnn_request fastnn_team_request(void);                 // the same on all threads
void fastnn_team_mask_interrupts(int interrupts_masked);  // 1: no polls until 0

// For tests: the number of threads of the latest loop or team started by this thread.
int fastnn_last_team(void);

#endif
