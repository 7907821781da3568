#include "parallel/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "parallel/partition.h"
#include "parallel/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

enum {
    MAX_CHUNKS = 512,
    EVEN_CHUNKS = 16,  // up to which their number is a power of two
    SPINS = 4000,      // reads of a barrier's phase before sleeping: about 50 microseconds
};

// Smallest work per thread, in nanoseconds, for which a single loop opens a parallel region.
#define THREAD_WORK 10000.0
// Nanoseconds of estimated work between two polls of the callback, and the estimate for a barrier,
// where waiting can take longer than the work.
#define POLL_WORK 1000000.0
#define WAIT_WORK 50000.0

// A single loop that takes STALL nanoseconds longer than STALL_FACTOR times its serial estimate has
// waited for threads that were not scheduled.
#define STALL 1000000
#define STALL_FACTOR 8.0

typedef struct {
    int size;
    int spins;
    // The barrier: the last thread to arrive starts a new phase and wakes the threads that sleep.
    atomic_int arrived;
    atomic_uint phase;
    atomic_int asleep;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    // The callback's request, and the one that all threads see since the latest barrier.
    atomic_int pending_request;
    fastnn_request request;
    fastnn_interrupt_callback *interrupt_callback;
    void *context;
    double partial[2][MAX_CHUNKS];
    char *scratch;
} team;

typedef struct {
    team *team;
    int index;
    int turn;  // half of `partial` in use: one is read while the other is written
    int interrupts_masked;
    double work_since_poll;  // nanoseconds
} team_thread;

static _Thread_local team_thread *self = NULL;
static _Thread_local int last_team = 1;

int fastnn_last_team(void) { return last_team; }

int fastnn_in_team(void) { return self != NULL; }

int fastnn_team_thread(void) { return self->index; }

fastnn_request fastnn_team_request(void) { return self->team->request; }

void *fastnn_team_scratch(void *own) { return self ? self->team->scratch : own; }

void fastnn_team_mask_interrupts(int interrupts_masked) {
    self->interrupts_masked = interrupts_masked;
}

static inline void relax(void) {
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wait_for_phase(team *t, unsigned phase) {
    for (int spin = 0; spin < t->spins; spin++) {
        if (atomic_load_explicit(&t->phase, memory_order_acquire) != phase) return;
        relax();
    }
    pthread_mutex_lock(&t->mutex);
    t->asleep++;
    while (t->phase == phase) pthread_cond_wait(&t->woken, &t->mutex);
    t->asleep--;
    pthread_mutex_unlock(&t->mutex);
}

static void barrier(team *t) {
    if (t->size == 1) {
        t->request =
            (fastnn_request)atomic_load_explicit(&t->pending_request, memory_order_relaxed);
        return;
    }
    const unsigned phase = atomic_load_explicit(&t->phase, memory_order_relaxed);
    if (atomic_fetch_add(&t->arrived, 1) != t->size - 1) {
        wait_for_phase(t, phase);
        return;
    }
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    t->request = (fastnn_request)atomic_load(&t->pending_request);
    t->phase++;
    if (t->asleep) {
        pthread_mutex_lock(&t->mutex);
        pthread_cond_broadcast(&t->woken);
        pthread_mutex_unlock(&t->mutex);
    }
}

static void note_work(team_thread *m, double nanoseconds) {
    m->work_since_poll += nanoseconds;
    if (m->work_since_poll < POLL_WORK || m->interrupts_masked) return;
    m->work_since_poll = 0;
    team *t = m->team;
    if (!t->interrupt_callback || t->pending_request == FASTNN_ABORT) return;
    const fastnn_request request = t->interrupt_callback(t->context);
    // An abort replaces a stop.
    if ((int)request > t->pending_request) t->pending_request = (int)request;
}

// Runs one thread's share of a loop, then waits for the other threads.
static void run_share(team_thread *m, int64_t tasks, double nanoseconds,
                      void (*task)(void *job, int64_t index), void *job) {
    team *t = m->team;
    if (t->request == FASTNN_ABORT) return;
    const int64_t each = tasks / t->size, rest = tasks % t->size, i = m->index;
    const int64_t begin = each * i + (i < rest ? i : rest);
    const int64_t end = begin + each + (i < rest);
    for (int64_t index = begin; index < end; index++) {
        if (atomic_load_explicit(&t->pending_request, memory_order_relaxed) == FASTNN_ABORT) break;
        task(job, index);
        if (i == 0) note_work(m, nanoseconds / (double)tasks);
    }
    if (i == 0 && t->size > 1) note_work(m, WAIT_WORK);
    barrier(t);
}

typedef struct {
    void (*body)(void *job);
    void *job;
} team_work;

static void run_team_thread(team *t, int index, const team_work *work) {
    const uint64_t state = fastnn_fp_enter();
    team_thread m = {.team = t, .index = index};
    self = &m;
    work->body(work->job);
    self = NULL;
    fastnn_fp_leave(state);
}

int fastnn_team_run(int threads, fastnn_interrupt_callback *interrupt_callback, void *context,
                    void (*body)(void *job), void *job) {
    char scratch[FASTNN_SCRATCH] __attribute__((aligned(64)));
    team t = {.size = 1,
              .interrupt_callback = interrupt_callback,
              .context = context,
              .scratch = scratch};
    const team_work work = {body, job};
    pthread_mutex_init(&t.mutex, NULL);
    pthread_cond_init(&t.woken, NULL);
    fastnn_team_begins(threads);
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
#pragma omp single
            {
                t.size = omp_get_num_threads();
                t.spins = fastnn_processors_for(t.size) ? SPINS : 0;
            }
            run_team_thread(&t, omp_get_thread_num(), &work);
        }
    } else {
        run_team_thread(&t, 0, &work);
    }
#else
    run_team_thread(&t, 0, &work);
#endif
    fastnn_team_ends(threads);
    pthread_cond_destroy(&t.woken);
    pthread_mutex_destroy(&t.mutex);
    last_team = t.size;
    return t.size;
}

// ------------------------------------------------------------------------------- outside a team

#ifdef _OPENMP
static void note_duration(int64_t start, double nanoseconds) {
    const int64_t now = fastnn_now();
    const int stalled = (double)(now - start) >= STALL + STALL_FACTOR * nanoseconds;
    fastnn_contention_note_loop(fastnn_own_contention(), stalled, now);
}

static int team_for_loop(int64_t tasks, double nanoseconds) {
    if (fastnn_team_is_forced()) return fastnn_team_limit();
    if (tasks < 2 || nanoseconds < 2 * THREAD_WORK) return 1;
    int team = fastnn_team_limit();
    if (tasks < team) team = (int)tasks;
    if (nanoseconds < team * THREAD_WORK) team = (int)(nanoseconds / THREAD_WORK);
    return team > 1 ? fastnn_contention_limit(fastnn_own_contention(), team, fastnn_now()) : 1;
}
#endif

void fastnn_for(int64_t tasks, double nanoseconds, void (*task)(void *job, int64_t index),
                void *job) {
    if (tasks <= 0) return;
    if (self) {
        run_share(self, tasks, nanoseconds, task, job);
        return;
    }
    int ran = 1;
#ifdef _OPENMP
    const int threads = team_for_loop(tasks, nanoseconds);
    if (threads > 1) {
        const int64_t start = fastnn_now();
        fastnn_team_begins(threads);
#pragma omp parallel num_threads(threads)
        {
            const uint64_t state = fastnn_fp_enter();
#pragma omp single nowait
            ran = omp_get_num_threads();
#pragma omp for schedule(static)
            for (int64_t i = 0; i < tasks; i++) task(job, i);
            fastnn_fp_leave(state);
        }
        fastnn_team_ends(threads);
        last_team = ran;
        note_duration(start, nanoseconds);
        return;
    }
#endif
    last_team = ran;
    for (int64_t i = 0; i < tasks; i++) task(job, i);
}

// --------------------------------------------------------------------------------------- chunks

typedef struct {
    void *job;
    void (*map)(void *, int64_t, int64_t);
    double (*sum)(void *, int64_t, int64_t);
    int64_t items, size;
    double *partial;
} chunks;

// The size of chunks that differ little: at most MAX_CHUNKS, and a power of two where they are few,
// which divides evenly among two, four and eight threads.
static int64_t chunk_size(int64_t items, int64_t grain) {
    int64_t count = parts_of(items, grain), even = 1;
    while (even < count && even <= EVEN_CHUNKS) even *= 2;
    if (even <= EVEN_CHUNKS) count = even;
    if (count > MAX_CHUNKS) count = MAX_CHUNKS;
    const int64_t unit = grain >= ELEMENT_GRAIN  ? ELEMENT_UNIT
                         : grain >= 8 * ROW_UNIT ? ROW_UNIT
                                                 : 1;
    return unit * parts_of(1 + (items - 1) / count, unit);
}

static void run_chunk(void *job, int64_t index) {
    const chunks *c = job;
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
    double own[MAX_CHUNKS];
    chunks c = {.job = job, .sum = chunk, .items = items, .size = chunk_size(items, grain)};
    // Two halves alternate: a thread that is ahead writes one while others still read the other;
    // the barrier between two sums keeps it from reaching that one again.
    c.partial = self ? self->team->partial[self->turn ^= 1] : own;
    const int64_t count = 1 + (items - 1) / c.size;
    fastnn_for(count, nanoseconds, run_chunk, &c);
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += c.partial[i];
    return total;
}

typedef struct {
    void *job;
    double (*number)(void *job);
} decision;

static double decide(void *job, int64_t begin, int64_t end) {
    (void)begin, (void)end;
    const decision *d = job;
    return d->number(d->job);
}

double fastnn_once(double nanoseconds, double (*number)(void *job), void *job) {
    decision d = {job, number};
    return fastnn_sum_chunks(1, 1, nanoseconds, decide, &d);
}
