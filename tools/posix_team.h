// Teams of POSIX threads, which ThreadSanitizer knows, unlike those of libgomp. Included after
// parallel/team.c.

enum { MAX_THREADS = 4 };

typedef struct {
    team *team;
    int index;
    const team_work *work;
} starter;

static void *start_thread(void *argument) {
    const starter *s = argument;
    run_team_thread(s->team, s->index, s->work);
    return NULL;
}

// Runs body(job) on every thread; the other fields of the team are set.
static void run_posix_team(team *t, void (*body)(void *job), void *job) {
    char scratch[FASTNN_SCRATCH] __attribute__((aligned(64)));
    const team_work work = {body, job};
    pthread_t threads[MAX_THREADS];
    starter starters[MAX_THREADS];
    t->scratch = scratch;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->woken, NULL);
    for (int i = 1; i < t->size; i++) {
        starters[i] = (starter){t, i, &work};
        if (pthread_create(&threads[i], NULL, start_thread, &starters[i])) _Exit(2);
    }
    run_team_thread(t, 0, &work);
    for (int i = 1; i < t->size; i++) pthread_join(threads[i], NULL);
    pthread_cond_destroy(&t->woken);
    pthread_mutex_destroy(&t->mutex);
}
