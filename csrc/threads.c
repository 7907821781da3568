#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

// A team pays from here on: what one member must have to do, in nanoseconds.
#define MEMBER_WORK 10000.0

// On a busy machine a team waits for members that the system does not let run. Work that takes
// STALL nanoseconds longer than STALL_FACTOR times its serial estimate has waited; then everything
// runs serially for a while, longer each time it happens again. Bits do not depend on the team.
#define STALL 1000000
#define STALL_FACTOR 8.0
#define FIRST_PAUSE 50000000
#define LONGEST_PAUSE 1600000000

enum { MAX_CHUNKS = 512 };

static atomic_int setting = 1;
static int default_threads = 1;
static int force_team = 0;
static int forked = 0;
static atomic_llong pause_length = 0, pause_end = 0;
static _Thread_local int last_team = 1;

// libgomp's threads do not survive a fork, but it waits for them: the child must not start a team.
static void after_fork(void) { forked = 1; }

void fastnn_threads_init(int force) {
    force_team = force;
#ifdef _OPENMP
    default_threads = omp_get_max_threads();
#endif
    setting = default_threads;
    pthread_atfork(0, 0, after_fork);
}

int fastnn_get_threads(void) { return setting; }

void fastnn_set_threads(int threads) { setting = threads; }

int fastnn_last_team(void) { return last_team; }

int fastnn_openmp_version(void) {
#ifdef _OPENMP
    return _OPENMP;
#else
    return 0;
#endif
}

const char *fastnn_openmp_runtime(void) {
#if !defined(_OPENMP)
    return "none";
#elif defined(__clang__)
    return "libomp";
#else
    return "libgomp";
#endif
}

uint64_t fastnn_fp_enter(void) {
#if defined(__SSE2__)
    const unsigned state = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return state;
#elif defined(__aarch64__)
    uint64_t state;
    __asm__ volatile("mrs %0, fpcr" : "=r"(state));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return state;
#else
    return 0;
#endif
}

void fastnn_fp_leave(uint64_t state) {
#if defined(__SSE2__)
    _mm_setcsr((unsigned)state);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(state));
#else
    (void)state;
#endif
}

#ifdef _OPENMP
static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note_duration(long long start, double nanoseconds) {
    const long long end = now(), length = pause_length;
    if ((double)(end - start) < STALL + STALL_FACTOR * nanoseconds) {
        pause_length = length / 2;
        return;
    }
    const long long longer = length < FIRST_PAUSE / 2 ? FIRST_PAUSE : 2 * length;
    pause_length = longer < LONGEST_PAUSE ? longer : LONGEST_PAUSE;
    pause_end = end + pause_length;
}

static int team_size(int64_t tasks, double nanoseconds) {
    if (forked || omp_in_parallel()) return 1;
    int team = setting;
    // A limit set through OpenMP since the import (threadpoolctl does) holds for us too.
    const int limit = omp_get_max_threads();
    if (limit < default_threads && limit < team) team = limit;
    if (force_team) return team;
    if (tasks < team) team = (int)tasks;
    if (nanoseconds < team * MEMBER_WORK) team = (int)(nanoseconds / MEMBER_WORK);
    return team > 1 && now() >= pause_end ? team : 1;
}
#endif

static void run_serially(int64_t tasks, void (*task)(void *, int64_t), void *job) {
    last_team = 1;
    for (int64_t i = 0; i < tasks; i++) task(job, i);
}

void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job) {
    if (tasks <= 0) return;
#ifdef _OPENMP
    const int team = team_size(tasks, nanoseconds);
    if (team > 1) {
        const long long start = now();
        int ran = 1;
#pragma omp parallel num_threads(team)
        {
            const uint64_t state = fastnn_fp_enter();
#pragma omp single nowait
            ran = omp_get_num_threads();
#pragma omp for schedule(static)
            for (int64_t i = 0; i < tasks; i++) task(job, i);
            fastnn_fp_leave(state);
        }
        last_team = ran;
        note_duration(start, nanoseconds);
        return;
    }
#else
    (void)nanoseconds;
#endif
    run_serially(tasks, task, job);
}

typedef struct {
    void *job;
    void (*map)(void *, int64_t, int64_t);
    double (*sum)(void *, int64_t, int64_t);
    int64_t items, size;
    double partial[MAX_CHUNKS];
} chunks;

static int64_t chunk_size(int64_t items, int64_t grain) {
    return grain * (1 + (items - 1) / (grain * MAX_CHUNKS));
}

static void run_chunk(void *job, int64_t index) {
    chunks *c = job;
    const int64_t begin = index * c->size;
    const int64_t end = c->items - begin > c->size ? begin + c->size : c->items;
    if (c->map) {
        c->map(c->job, begin, end);
    } else {
        c->partial[index] = c->sum(c->job, begin, end);
    }
}

void fastnn_for_chunks(int64_t items, int64_t grain, double nanoseconds,
                       void (*chunk)(void *job, int64_t begin, int64_t end), void *job) {
    if (items <= 0) return;
    chunks c = {.job = job, .map = chunk, .items = items, .size = chunk_size(items, grain)};
    fastnn_for(1 + (items - 1) / c.size, nanoseconds, run_chunk, &c);
}

double fastnn_sum_chunks(int64_t items, int64_t grain, double nanoseconds,
                         double (*chunk)(void *job, int64_t begin, int64_t end), void *job) {
    if (items <= 0) return 0;
    chunks c = {.job = job, .sum = chunk, .items = items, .size = chunk_size(items, grain)};
    const int64_t count = 1 + (items - 1) / c.size;
    fastnn_for(count, nanoseconds, run_chunk, &c);
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += c.partial[i];
    return total;
}
