#include "parallel/pool.h"

#include "parallel/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static void run_thread(void (*work)(void *context, int thread), void *context, int thread) {
    const int before = fastnn_team_at_most(1);
    work(context, thread);
    fastnn_team_at_most(before);
}

int fastnn_pool_run(int threads, void (*work)(void *context, int thread), void *context) {
    const int limit = fastnn_team_limit();
    if (threads > limit) threads = limit;
    int ran = 1;
    fastnn_team_begins(threads);
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
#pragma omp single nowait
            ran = omp_get_num_threads();
            run_thread(work, context, omp_get_thread_num());
        }
    } else {
        run_thread(work, context, 0);
    }
#else
    run_thread(work, context, 0);
#endif
    fastnn_team_ends(threads);
    return ran;
}

void fastnn_pool_stop(fastnn_pool *pool) {
    atomic_store_explicit(&pool->stopping, 1, memory_order_relaxed);
}

int fastnn_pool_is_stopping(const fastnn_pool *pool) {
    return atomic_load_explicit(&pool->stopping, memory_order_relaxed);
}
