#include "executor/executor.h"

#include <math.h>
#include <string.h>

#include "executor/thread_state.h"
#include "parallel/threads.h"

enum { POLL_INTERVAL = 30000000 };  // nanoseconds between two calls of the callback

// --------------------------------------------------------------------------------------- the ops

static fastnn_scalar clipping_factor(const thread_state *w, fastnn_result squared_norm,
                                     double limit) {
    const double norm = sqrt(w->result[squared_norm]);
    return (fastnn_scalar){.f = norm > limit ? limit / norm : 1};
}

static fastnn_scalar value_of(const thread_state *w, const fastnn_operand *operand) {
    switch ((fastnn_operand_kind)operand->kind) {
        case FASTNN_SEED:
            return (fastnn_scalar){.u = w->run->seed};
        case FASTNN_PER_STEP:
            return of_step(w, operand->value.u);
        case FASTNN_CLIPPED_TO:
            return clipping_factor(w, FASTNN_SQUARED_NORM, operand->value.f);
        case FASTNN_ARRAY_CLIPPED_TO:
            return clipping_factor(w, FASTNN_ARRAY_SQUARED_NORM, operand->value.f);
        case FASTNN_PER_WEIGHT:
            return (fastnn_scalar){.f = operand->value.f / w->weight};
        case FASTNN_CONSTANT:
            break;
    }
    return operand->value;
}

// Slots that the kernel does not read stay unset.
static void resolve(const thread_state *w, const fastnn_op *op, fastnn_args *args) {
    for (int64_t i = 0; i < op->arrays; i++) {
        char *base = w->base[op->array[i].region];
        args->array[i] = base ? base + op->array[i].offset : NULL;
    }
    for (int64_t i = 0; i < op->dims; i++) {
        args->dim[i] = w->rows * op->dim[i].per_row + op->dim[i].fixed;
    }
    for (int64_t i = 0; i < op->scalars; i++) args->scalar[i] = value_of(w, &op->scalar[i]);
    args->result = 0;
}

static fastnn_status run_stage(thread_state *w, fastnn_stage stage) {
    const fastnn_plan *plan = w->run->plan;
    const fastnn_kernel *kernels = w->run->table->kernel[plan->dtype];
    for (int64_t i = plan->begin[stage]; i < plan->begin[stage + 1]; i++) {
        const fastnn_op *op = &plan->op[i];
        fastnn_args args;
        resolve(w, op, &args);
        const fastnn_status status = kernels[op->kernel](&args);
        if (status) return status;
        if (op->result == FASTNN_ARRAY_SQUARED_NORM) w->result[op->result] = 0;
        w->result[op->result] += op->factor * args.result;
    }
    return FASTNN_OK;
}

static int finite_so_far(const thread_state *w) {
    return isfinite(w->result[FASTNN_LOSS]) && w->result[FASTNN_NONFINITE] == 0;
}

// ------------------------------------------------------------------------------------- the steps

static fastnn_status forward(thread_state *w) {
    const fastnn_run *run = w->run;
    fastnn_status status = run_stage(w, FASTNN_FORWARD);
    if (!status && run->predictions) {
        status = run_stage(w, FASTNN_PREDICT);
        fastnn_store_predictions(w);
    }
    if (!status && run->losses) status = run_stage(w, FASTNN_LOSS_STAGE);
    return status;
}

static fastnn_status backward(thread_state *w) {
    for (fastnn_stage stage = FASTNN_BACKWARD; stage <= FASTNN_CHECK; stage++) {
        const fastnn_status status = run_stage(w, stage);
        if (status) return status;
    }
    return finite_so_far(w) ? FASTNN_OK : FASTNN_DIVERGED;
}

static fastnn_status update(thread_state *w) {
    fastnn_team_mask_interrupts(1);
    const fastnn_status status = run_stage(w, FASTNN_UPDATE);
    fastnn_team_mask_interrupts(0);
    w->step++;
    return status;
}

static int aborted(void) { return fastnn_team_request() == FASTNN_ABORT; }

// All sample weights are 0: no update.
static int has_no_weight(const thread_state *w) { return w->run->train && w->weight == 0; }

// Does a whole batch; if it is aborted or its loss or gradient is not finite, without an update.
//
// All threads must take the same branches, or some would wait at another barrier than the others.
// So conditions are constant during the run, or results of a loop (team.h).
static fastnn_status do_batch(thread_state *w) {
    for (int i = 0; i < FASTNN_RESULTS; i++) w->result[i] = 0;
    fastnn_load_batch(w);
    w->weight = w->run->train ? fastnn_total_weight(w) : 0;
    if (has_no_weight(w)) return FASTNN_OK;
    fastnn_status status = forward(w);
    if (!status && w->run->train) status = backward(w);
    if (status || aborted() || !w->run->train) return aborted() ? FASTNN_OK : status;
    return update(w);
}

// -------------------------------------------------------------------------------------- the team

typedef struct {
    fastnn_run *run;
    int64_t batch, stop;  // batches [batch, stop) are run by this team
    uint64_t step;
    int timed;
    int prepare;               // run the stage PREPARE first: inference, once
    int limit, threads;        // limit of the run's teams without contention; size of this team
    int allowed;               // the limit under contention
    int64_t nanoseconds;       // of a timed batch, else 0; this and what follows is written by the
                               // leader
    int64_t start, last_poll;  // times of the team's start and of the latest poll
    int64_t measured, used;    // time and processor time at the start of the measurement
    int finished;              // the callback requested the end
    fastnn_status status;
} team_run;

// Whether the leader's processor time is compared with the clock.
static int is_measured(const team_run *s, int64_t now) {
    return s->limit > 1 && !fastnn_team_is_forced() &&
           fastnn_contention_is_measured(fastnn_own_contention(), s->threads, now);
}

static void begin_measurement(team_run *s, int64_t now) {
    s->measured = is_measured(s, now) ? now : 0;
    if (s->measured) s->used = fastnn_processor_time();
}

static void end_measurement(team_run *s, int64_t now) {
    if (!s->measured) return;
    const int64_t elapsed = now - s->measured, used = fastnn_processor_time() - s->used;
    fastnn_contention_note(fastnn_own_contention(), s->threads, elapsed, elapsed - used, now);
}

static int allowed(int limit, int64_t now) {
    if (fastnn_team_is_forced()) return limit;
    return fastnn_contention_limit(fastnn_own_contention(), limit, now);
}

// Called by the leader after about each millisecond of work. The measurement excludes the callback,
// which may wait for the GIL.
static fastnn_request poll(void *context) {
    team_run *s = context;
    const int64_t now = fastnn_now();
    if (now - s->last_poll < POLL_INTERVAL) return FASTNN_CONTINUE;
    s->last_poll = now;
    end_measurement(s, now);
    const fastnn_request request =
        s->run->interrupt_callback ? s->run->interrupt_callback(s->run->context) : FASTNN_CONTINUE;
    s->finished |= request != FASTNN_CONTINUE;
    begin_measurement(s, fastnn_now());
    const int other_team = allowed(s->limit, now) != s->allowed ||
                           fastnn_tuning_is_due(s->run->tuning, now - s->start);
    return !s->finished && other_team ? FASTNN_STOP_AFTER_BATCH : request;
}

static void run_batches(void *job) {
    team_run *s = job;
    fastnn_run *run = s->run;
    thread_state w = {.run = run, .step = s->step};
    memcpy(w.base, run->base, sizeof w.base);
    const int leader = fastnn_team_thread() == 0;
    if (s->prepare) {
        const fastnn_status status = run_stage(&w, FASTNN_PREPARE);
        if (aborted()) return;
        if (leader) s->status = status;
        if (status) return;
    }

    for (int64_t batch = s->batch; batch < s->stop; batch++) {
        const int64_t start = s->timed ? fastnn_now() : 0;
        w.first = batch * run->batch_rows;
        w.rows = run->rows - w.first < run->batch_rows ? run->rows - w.first : run->batch_rows;
        const fastnn_status status = do_batch(&w);
        if (aborted()) return;
        if (leader) {
            if (run->losses) run->losses[batch] = w.result[FASTNN_LOSS];
            s->status = status;
            if (!status) {
                run->batch = batch + 1;
                run->step = w.step;
            }
            if (s->timed && !has_no_weight(&w)) s->nanoseconds = fastnn_now() - start;
        }
        if (status || fastnn_team_request() == FASTNN_STOP_AFTER_BATCH) return;
    }
}

// Whether the next batch may be timed: the last one of a pass may be short.
static int is_whole(const fastnn_run *run) {
    return (run->batch + 1) * run->batch_rows <= run->rows || run->rows <= run->batch_rows;
}

fastnn_status fastnn_execute(fastnn_run *run) {
    team_run s = {.run = run, .last_poll = fastnn_now(), .prepare = !run->train};
    while (run->batch < run->stop && !s.finished && !s.status) {
        s.start = fastnn_now();
        s.limit = fastnn_team_limit();
        s.threads = s.allowed = allowed(s.limit, s.start);
        int trial = 0;
        if (!fastnn_team_is_forced()) {
            trial = fastnn_tuning_team(run->tuning, s.allowed, &s.threads);
        }
        s.timed = trial && is_whole(run);
        s.batch = run->batch;
        s.stop = trial ? run->batch + 1 : run->stop;
        s.step = run->step;
        s.nanoseconds = 0;
        begin_measurement(&s, s.start);
        fastnn_team_run(s.threads, poll, &s, run_batches, &s);
        s.prepare = 0;
        const int64_t end = fastnn_now();
        end_measurement(&s, end);
        fastnn_tuning_worked(run->tuning, end - s.start);
        if (s.nanoseconds) fastnn_tuning_note(run->tuning, s.nanoseconds);
    }
    return s.status;
}
