#include "parallel/crew.h"

#include "parallel/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static void run_member(void (*work)(void *context, int member), void *context, int member) {
    const int before = fastnn_team_at_most(1);
    work(context, member);
    fastnn_team_at_most(before);
}

int fastnn_crew_run(int members, void (*work)(void *context, int member), void *context) {
    const int limit = fastnn_team_limit();
    if (members > limit) members = limit;
    int ran = 1;
    fastnn_team_begins(members);
#ifdef _OPENMP
    if (members > 1) {
#pragma omp parallel num_threads(members)
        {
#pragma omp single nowait
            ran = omp_get_num_threads();
            run_member(work, context, omp_get_thread_num());
        }
    } else {
        run_member(work, context, 0);
    }
#else
    run_member(work, context, 0);
#endif
    fastnn_team_ends(members);
    return ran;
}

void fastnn_crew_stop(fastnn_crew *crew) {
    atomic_store_explicit(&crew->stopping, 1, memory_order_relaxed);
}

int fastnn_crew_is_stopping(const fastnn_crew *crew) {
    return atomic_load_explicit(&crew->stopping, memory_order_relaxed);
}
