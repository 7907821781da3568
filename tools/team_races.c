// Teams under ThreadSanitizer. tools/sanitize compiles and runs this; it prints nothing and returns
// 0 if all is well.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "parallel/team.c"
#include "posix_team.h"

enum { THREADS = MAX_THREADS, ITEMS = 3000, ROUNDS = 300, RUNS = 20 };

static int spinning;   // whether threads spin before they sleep
static int last_poll;  // the one that requests the end; 0 for none
static int polls;
static atomic_int wrong;
static double data[ITEMS];

// The functions of threads.c that teams call.
int fastnn_team_is_forced(void) { return 1; }
int fastnn_team_limit(void) { return THREADS; }
void fastnn_team_begins(int threads) { (void)threads; }
void fastnn_team_ends(int threads) { (void)threads; }
int fastnn_processors_for(int threads) { return threads > 0 && spinning; }
fastnn_contention *fastnn_own_contention(void) { return NULL; }
int fastnn_contention_limit(const fastnn_contention *c, int limit, int64_t now) {
    return c && now ? 1 : limit;
}
void fastnn_contention_note_loop(fastnn_contention *c, int stalled, int64_t now) {
    (void)c, (void)stalled, (void)now;
}
int64_t fastnn_now(void) { return 0; }
uint64_t fastnn_fp_enter(void) { return 0; }
void fastnn_fp_leave(uint64_t state) { (void)state; }

static fastnn_request poll(void *context) {
    (void)context;
    return ++polls == last_poll ? FASTNN_ABORT : FASTNN_CONTINUE;
}

static void add_one(void *job, int64_t begin, int64_t end) {
    (void)job;
    for (int64_t i = begin; i < end; i++) data[i] += 1;
}

static double sum(void *job, int64_t begin, int64_t end) {
    (void)job;
    double total = 0;
    for (int64_t i = begin; i < end; i++) total += data[i];
    return total;
}

// One loop writes its results to the team's memory, the next one adds them up.
static void write_one(void *job, int64_t index) { ((double *)job)[index] = 1; }

static void collect(void *job, int64_t index) {
    double total = 0;
    for (int i = 0; i < THREADS; i++) total += ((double *)job)[i];
    ((double *)job)[0] = 0;
    if (total != THREADS || index != 0) wrong++;
}

static void body(void *job) {
    (void)job;
    for (int round = 1; round <= ROUNDS; round++) {
        fastnn_team_mask_interrupts(round % 3 == 0);
        fastnn_for_chunks(ITEMS, 1, 1e6, add_one, NULL);
        const double first = fastnn_sum_chunks(ITEMS, 1, 1e6, sum, NULL);
        const double second = fastnn_sum_chunks(ITEMS, 1, 1e6, sum, NULL);
        fastnn_for(THREADS, 1e6, write_one, fastnn_team_scratch(NULL));
        fastnn_for(1, 1e6, collect, fastnn_team_scratch(NULL));
        if (fastnn_team_request() == FASTNN_ABORT) return;
        if (first != (double)ITEMS * round || second != first) wrong++;
    }
}

static void run_team(void) {
    team t = {.size = THREADS,
              .interrupt_callback = poll,
              .spins = fastnn_processors_for(THREADS) ? SPINS : 0};
    run_posix_team(&t, body, NULL);
}

int main(void) {
    for (int run = 0; run < RUNS; run++) {
        spinning = run % 2;
        last_poll = run % 4 > 1 ? 100 + run : 0;
        polls = 0;
        memset(data, 0, sizeof data);
        run_team();
    }
    return wrong != 0;
}
