#include "parallel/threads.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

static atomic_int setting = 1;
static atomic_int busy = 0;  // threads of running teams
static int processors = 1;
static int openmp_default = 1;  // OpenMP's own limit at the import
static int forced = 0;
static int forked = 0;
static _Thread_local int largest_team = INT_MAX;
static _Thread_local fastnn_contention contention;

// libgomp waits for its threads, which do not survive a fork: the child must not start a team.
static void after_fork(void) {
    forked = 1;
    busy = 0;
}

void fastnn_threads_init(int force, int available) {
    forced = force;
#ifdef _OPENMP
    openmp_default = omp_get_max_threads();
    processors = omp_get_num_procs();
#endif
    if (available > 0 && available < processors) processors = available;
    // OMP_NUM_THREADS holds even where it exceeds the processors.
    const int explicit = getenv("OMP_NUM_THREADS") != NULL;
    setting = explicit || openmp_default < processors ? openmp_default : processors;
    pthread_atfork(0, 0, after_fork);
}

int fastnn_get_threads(void) { return setting; }

void fastnn_set_threads(int threads) { setting = threads; }

int fastnn_team_is_forced(void) { return forced; }

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

#ifdef _OPENMP
typedef struct {
    pthread_mutex_t gate;
} trial;

static void *pass_gate(void *argument) {
    trial *t = argument;
    pthread_mutex_lock(&t->gate);
    pthread_mutex_unlock(&t->gate);
    return NULL;
}

// Creates the threads of a team, all at the same time, and joins them. Returns the size that the
// team can have, the calling thread included; 0 if memory for the probe is lacking.
static int probe(int size) {
    trial t;
    pthread_t *threads = malloc((size_t)size * sizeof *threads);
    if (!threads) return 0;
    pthread_mutex_init(&t.gate, NULL);
    pthread_mutex_lock(&t.gate);
    int created = 0;
    while (created < size - 1 && !pthread_create(&threads[created], NULL, pass_gate, &t)) {
        created++;
    }
    pthread_mutex_unlock(&t.gate);
    for (int i = 0; i < created; i++) pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&t.gate);
    free(threads);
    // Linux counts a thread for a moment after its end.
    const struct timespec moment = {.tv_nsec = 20000000};
    if (created < size - 1) nanosleep(&moment, NULL);
    return created + 1;
}

// libgomp ends a process that cannot create a thread, so each size is probed first, once: later the
// threads that OpenMP keeps count against the same limit.
static int grant(int threads) {
    // The largest team requested by this thread so far, and the largest that the system granted:
    // OpenMP keeps threads for each thread that starts teams.
    static _Thread_local int requested = 1, granted = 1;
    if (threads > requested) {
        const int found = probe(threads);
        if (found) requested = threads;
        if (found > granted) granted = found;
    }
    return threads < granted ? threads : granted;
}
#endif

int fastnn_team_limit(void) {
#ifdef _OPENMP
    int limit = setting < largest_team ? setting : largest_team;
    if (limit == 1 || forked || omp_in_parallel()) return 1;
    // A limit set through OpenMP since the import, for instance by threadpoolctl, holds too.
    const int openmp = omp_get_max_threads();
    if (openmp < openmp_default && openmp < limit) limit = openmp;
    if (!forced) {
        const int rest = setting - busy;
        if (rest < limit) limit = rest > 1 ? rest : 1;
    }
    return grant(limit);
#else
    return 1;
#endif
}

int fastnn_team_at_most(int threads) {
    const int before = largest_team;
    largest_team = threads;
    return before;
}

void fastnn_team_begins(int threads) { busy += threads; }

void fastnn_team_ends(int threads) { busy -= threads; }

int fastnn_processors_for(int threads) { return threads <= processors; }

fastnn_contention *fastnn_own_contention(void) { return &contention; }

static int64_t read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t fastnn_now(void) { return read_clock(CLOCK_MONOTONIC); }

int64_t fastnn_processor_time(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

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
