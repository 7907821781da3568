// Teams under ThreadSanitizer. tools/sanitize compiles and runs this; it prints nothing and returns
// 0 if all is well.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "parallel/team.c"
#include "posix_team.h"

enum { MEMBERS = MOST_MEMBERS, ITEMS = 3000, ROUNDS = 300, RUNS = 20 };

static int spinning;   // whether members spin before they sleep
static int last_look;  // the one that asks for the end; 0 for none
static int looks;
static atomic_int wrong;
static double data[ITEMS];

// What teams want of threads.c.
int fastnn_team_is_forced(void) { return 1; }
int fastnn_team_limit(void) { return MEMBERS; }
void fastnn_team_begins(int members) { (void)members; }
void fastnn_team_ends(int members) { (void)members; }
int fastnn_processors_for(int members) { return members > 0 && spinning; }
fastnn_crowding *fastnn_own_crowding(void) { return NULL; }
int fastnn_crowding_limit(const fastnn_crowding *c, int limit, int64_t now) {
    return c && now ? 1 : limit;
}
void fastnn_crowding_note_loop(fastnn_crowding *c, int stalled, int64_t now) {
    (void)c, (void)stalled, (void)now;
}
int64_t fastnn_now(void) { return 0; }
uint64_t fastnn_fp_enter(void) { return 0; }
void fastnn_fp_leave(uint64_t state) { (void)state; }

static fastnn_request look(void *context) {
    (void)context;
    return ++looks == last_look ? FASTNN_ABORT : FASTNN_CONTINUE;
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

// One loop leaves its results in the team's memory, the next one adds them up.
static void leave(void *job, int64_t index) { ((double *)job)[index] = 1; }

static void collect(void *job, int64_t index) {
    double total = 0;
    for (int i = 0; i < MEMBERS; i++) total += ((double *)job)[i];
    ((double *)job)[0] = 0;
    if (total != MEMBERS || index != 0) wrong++;
}

static void body(void *job) {
    (void)job;
    for (int round = 1; round <= ROUNDS; round++) {
        fastnn_team_mask_interrupts(round % 3 == 0);
        fastnn_for_chunks(ITEMS, 1, 1e6, add_one, NULL);
        const double first = fastnn_sum_chunks(ITEMS, 1, 1e6, sum, NULL);
        const double second = fastnn_sum_chunks(ITEMS, 1, 1e6, sum, NULL);
        fastnn_for(MEMBERS, 1e6, leave, fastnn_team_scratch(NULL));
        fastnn_for(1, 1e6, collect, fastnn_team_scratch(NULL));
        if (fastnn_team_request() == FASTNN_ABORT) return;
        if (first != (double)ITEMS * round || second != first) wrong++;
    }
}

static void run_team(void) {
    team t = {.size = MEMBERS,
              .interrupt_callback = look,
              .spins = fastnn_processors_for(MEMBERS) ? SPINS : 0};
    run_posix_team(&t, body, NULL);
}

int main(void) {
    for (int run = 0; run < RUNS; run++) {
        spinning = run % 2;
        last_look = run % 4 > 1 ? 100 + run : 0;
        looks = 0;
        memset(data, 0, sizeof data);
        run_team();
    }
    return wrong != 0;
}
