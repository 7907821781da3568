#include "executor/executor.h"

#include <math.h>
#include <string.h>

#include "parallel/threads.h"

enum {
    COPY_GRAIN = 32768,  // bytes of a batch that one task moves
    CACHE_LINE = 64,
    TRANSFORM_WORK = 5000,  // nanoseconds of a transform that one task does
    AHEAD = 8,              // rows that are fetched before they are copied
    FETCHED = 512,          // bytes of each; the processor sees by itself how a longer row goes on
    POLL_INTERVAL = 30000000,  // nanoseconds between two polls of the callback
};

// The state of one thread of the team.
typedef struct {
    fastnn_run *run;
    void *base[FASTNN_REGIONS];
    int64_t first, rows;  // of the batch at hand
    double weight;        // of a batch to train on: the sum of its sample weights
    uint64_t step;
    double result[FASTNN_RESULTS];
} thread_state;

static fastnn_scalar of_step(const thread_state *w, uint64_t column) {
    return w->run->per_step[(w->step - w->run->first_step) * (uint64_t)w->run->columns + column];
}

// ----------------------------------------------------------------------------- rows in, rows out

static int64_t row_bytes(const fastnn_input *input) { return input->size * input->item; }

// Starts to read a row into the cache: those of a shuffled batch lie anywhere.
static inline void fetch(const char *row, int64_t bytes) {
    const int64_t most = bytes < FETCHED ? bytes : FETCHED;
    for (int64_t at = 0; at < most; at += CACHE_LINE) __builtin_prefetch(row + at);
}

// Read once: another thread of the user may change it between its check and its use.
static int64_t column_of(const fastnn_input *input, int64_t i) {
    if (input->wide_columns) return ((const volatile int64_t *)input->columns)[i];
    return ((const volatile int32_t *)input->columns)[i];
}

// Rows of a sparse matrix, made dense.
static void spread(const fastnn_input *input, const int64_t *order, int64_t first, char *out,
                   int64_t n) {
    const int64_t bytes = row_bytes(input);
    memset(out, 0, (size_t)(n * bytes));
    for (int64_t i = 0; i < n; i++, out += bytes) {
        const int64_t row = order ? order[i] : first + i;
        for (int64_t j = input->starts[row]; j < input->starts[row + 1]; j++) {
            const int64_t column = column_of(input, j);
            if (column < 0 || column >= input->size) continue;  // changed since it was checked
            if (input->item == sizeof(double)) {
                ((double *)out)[column] = ((const double *)input->rows)[j];
            } else {
                ((float *)out)[column] = ((const float *)input->rows)[j];
            }
        }
    }
}

static void gather(const thread_state *w, const fastnn_input *input, int64_t begin, int64_t end) {
    if (!input->batch) return;
    const fastnn_run *run = w->run;
    const int64_t bytes = row_bytes(input), first = w->first + begin, n = end - begin;
    char *out = (char *)input->batch + begin * bytes;
    if (input->starts) {
        spread(input, run->order ? run->order + first : NULL, first, out, n);
        return;
    }
    if (input->source == FASTNN_COPY) {
        const int64_t *order = run->order + first;
        for (int64_t i = 0; i < n; i++) {
            if (i + AHEAD < n) fetch((const char *)input->rows + order[i + AHEAD] * bytes, bytes);
            const char *row = (const char *)input->rows + order[i] * bytes;
            memcpy(out + i * bytes, row, (size_t)bytes);
        }
        return;
    }
    const int64_t *order = run->order ? run->order + first : NULL;
    const fastnn_gather convert = run->table->gather[run->plan->dtype][input->source];
    convert(out, input->rows, order, first, n, input->size, input->scale);
}

static void gather_chunk(void *job, int64_t begin, int64_t end) {
    const thread_state *w = job;
    gather(w, &w->run->input, begin, end);
    gather(w, &w->run->target, begin, end);
    gather(w, &w->run->weight, begin, end);
}

static void *batch_of(const fastnn_input *input, int64_t first) {
    if (input->batch || !input->rows) return input->batch;
    return (char *)input->rows + first * row_bytes(input);
}

static int64_t grain_for(int64_t bytes) { return bytes < COPY_GRAIN ? COPY_GRAIN / bytes : 1; }

typedef struct {
    const thread_state *w;
    const fastnn_transform *transform;
    const void *x;
} transform_job;

static void transform_chunk(void *job, int64_t begin, int64_t end) {
    const transform_job *j = job;
    const fastnn_transform *t = j->transform;
    const uint64_t offset = of_step(j->w, (uint64_t)t->column).u;
    t->function(t->out, j->x, begin, end, j->w->rows, t->settings, j->w->run->seed, offset);
}

// What the transforms make of the rows of an input; returns where that lies.
static void *transformed(const thread_state *w, const fastnn_input *input) {
    void *rows = batch_of(input, w->first);
    for (int64_t i = 0; rows && i < input->transforms; i++) {
        const fastnn_transform *t = &input->transform[i];
        transform_job job = {w, t, rows};
        const int64_t grain = t->cost < TRANSFORM_WORK ? (int64_t)(TRANSFORM_WORK / t->cost) : 1;
        fastnn_for_chunks(w->rows, grain, t->cost * (double)w->rows, transform_chunk, &job);
        rows = t->out;
    }
    return rows;
}

static void load_batch(thread_state *w) {
    const fastnn_run *run = w->run;
    if (run->input.batch || run->target.batch || run->weight.batch) {
        const int64_t bytes = row_bytes(&run->input);
        const double work = 0.1 * (double)w->rows * (double)bytes;
        fastnn_for_chunks(w->rows, grain_for(bytes), work, gather_chunk, w);
    }
    w->base[FASTNN_INPUT] = transformed(w, &run->input);
    w->base[FASTNN_TARGET] = transformed(w, &run->target);
    w->base[FASTNN_WEIGHT] = transformed(w, &run->weight);
}

static void scatter_chunk(void *job, int64_t begin, int64_t end) {
    const thread_state *w = job;
    const fastnn_run *run = w->run;
    const fastnn_plan *plan = run->plan;
    const int64_t bytes = plan->outputs * (plan->dtype == FASTNN_FLOAT64 ? 8 : 4);
    const char *from = (char *)w->base[plan->prediction.region] + plan->prediction.offset;
    char *to = run->predictions + (w->first - run->kept_from * run->batch_rows) * bytes;
    memcpy(to + begin * bytes, from + begin * bytes, (size_t)((end - begin) * bytes));
}

static void store_predictions(thread_state *w) {
    const int64_t bytes = 8 * w->run->plan->outputs;
    const double work = 0.1 * (double)w->rows * (double)bytes;
    fastnn_for_chunks(w->rows, grain_for(bytes), work, scatter_chunk, w);
}

// Added up in the order of the rows, as `Batch.total_weight` does.
static double sum_weights(void *job) {
    const thread_state *w = job;
    const void *weight = w->base[FASTNN_WEIGHT];
    const int wide = w->run->plan->dtype == FASTNN_FLOAT64;
    double sum = 0;
    for (int64_t i = 0; i < w->rows; i++) {
        sum += wide ? ((const double *)weight)[i] : (double)((const float *)weight)[i];
    }
    return sum;
}

// Whether the batch is trained on depends on it, so it is summed once: a member that is done with
// the batch fills the same buffer with the weights of the next one.
static double total_weight(thread_state *w) {
    if (!w->base[FASTNN_WEIGHT]) return (double)w->rows;
    return fastnn_once((double)w->rows, sum_weights, w);
}

// --------------------------------------------------------------------------------------- the ops

static fastnn_scalar clipping(const thread_state *w, fastnn_result squared_norm, double limit) {
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
            return clipping(w, FASTNN_SQUARED_NORM, operand->value.f);
        case FASTNN_ARRAY_CLIPPED_TO:
            return clipping(w, FASTNN_ARRAY_SQUARED_NORM, operand->value.f);
        case FASTNN_PER_WEIGHT:
            return (fastnn_scalar){.f = operand->value.f / w->weight};
        case FASTNN_CONSTANT:
            break;
    }
    return operand->value;
}

// What the kernel does not take is not set.
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
        store_predictions(w);
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

// All of a batch or, where it is interrupted or its numbers are not finite, nothing that shows.
//
// Every member must take the same branches, or some would wait at another barrier than the others.
// So what decides is either alike for all of the run, or came out of a loop (team.h).
static fastnn_status do_batch(thread_state *w) {
    for (int i = 0; i < FASTNN_RESULTS; i++) w->result[i] = 0;
    load_batch(w);
    w->weight = w->run->train ? total_weight(w) : 0;
    if (has_no_weight(w)) return FASTNN_OK;
    fastnn_status status = forward(w);
    if (!status && w->run->train) status = backward(w);
    if (status || aborted() || !w->run->train) return aborted() ? FASTNN_OK : status;
    return update(w);
}

// -------------------------------------------------------------------------------------- the team

typedef struct {
    fastnn_run *run;
    int64_t batch, stop;  // batches [batch, stop) are this team's
    uint64_t step;
    int timed;
    int prepare;               // once, before the first batch that is not trained on
    int limit, members;        // of the teams of the run, crowding apart; and of this one
    int allowed;               // members that crowding leaves of the limit
    int64_t nanoseconds;       // of a timed batch, 0 if it was left out; this and what follows is
                               // written by the leader
    int64_t start, last_poll;  // of this team's work, and of the latest poll
    int64_t measured, used;    // where time and processor time stood at the latest measurement
    int finished;              // the callback asked for the end
    fastnn_status status;
} team_run;

// Whether it is of use to look at what the leader does not get of a processor.
static int is_watched(const team_run *s, int64_t now) {
    return s->limit > 1 && !fastnn_team_is_forced() &&
           fastnn_crowding_is_watched(fastnn_own_crowding(), s->members, now);
}

static void begin_measurement(team_run *s, int64_t now) {
    s->measured = is_watched(s, now) ? now : 0;
    if (s->measured) s->used = fastnn_processor_time();
}

static void end_measurement(team_run *s, int64_t now) {
    if (!s->measured) return;
    const int64_t elapsed = now - s->measured, used = fastnn_processor_time() - s->used;
    fastnn_crowding_note(fastnn_own_crowding(), s->members, elapsed, elapsed - used, now);
}

static int allowed(int limit, int64_t now) {
    if (fastnn_team_is_forced()) return limit;
    return fastnn_crowding_limit(fastnn_own_crowding(), limit, now);
}

// Called by the leader after each millisecond of work. The time of the callback, which may wait for
// Python, is not that of the team.
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
    const int leader = fastnn_team_member() == 0;
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

// Whether the next batch tells how fast a team is: the last one of a pass may be short.
static int is_whole(const fastnn_run *run) {
    return (run->batch + 1) * run->batch_rows <= run->rows || run->rows <= run->batch_rows;
}

fastnn_status fastnn_execute(fastnn_run *run) {
    team_run s = {.run = run, .last_poll = fastnn_now(), .prepare = !run->train};
    while (run->batch < run->stop && !s.finished && !s.status) {
        s.start = fastnn_now();
        s.limit = fastnn_team_limit();
        s.members = s.allowed = allowed(s.limit, s.start);
        int trial = 0;
        if (!fastnn_team_is_forced()) {
            trial = fastnn_tuning_team(run->tuning, s.allowed, &s.members);
        }
        s.timed = trial && is_whole(run);
        s.batch = run->batch;
        s.stop = trial ? run->batch + 1 : run->stop;
        s.step = run->step;
        s.nanoseconds = 0;
        begin_measurement(&s, s.start);
        fastnn_team_run(s.members, poll, &s, run_batches, &s);
        s.prepare = 0;
        const int64_t end = fastnn_now();
        end_measurement(&s, end);
        fastnn_tuning_worked(run->tuning, end - s.start);
        if (s.nanoseconds) fastnn_tuning_note(run->tuning, s.nanoseconds);
    }
    return s.status;
}
