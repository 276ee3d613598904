/* SPDX-License-Identifier: MIT */
/*
 * From task to report.
 *
 * A run is in one list: waiting, chosen or running. It leaves the last one with its final report,
 * whoever makes it.
 */
#include "agent/runs.h"

#include "agent/journal.h"
#include "agent/run_list.h"
#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>

/* Waiting runs are looked through this often. */
#define WAITING_TICK_US (200 * US_PER_MS)

struct runs {
    struct runlog *log;
    struct worker_pool *pool;
    const struct clock_offset *clock;
    struct policy policy;
    struct run_list waiting, chosen, running;
    struct run_list untold; /* ended, and the disk does not take it */
    struct held held;       /* beside the reports of sensitive runs */
    bool disk_refuses;
    size_t waiting_bytes;
    int64_t looked_us; /* when the waiting ones were last looked through */
    bool killed;
};

struct runs *runs_new(struct runlog *log, struct worker_pool *pool,
                      const struct clock_offset *clock)
{
    struct runs *runs = mem_alloc(sizeof(*runs));

    static const struct str_list nothing;

    *runs = (struct runs){.log = log, .pool = pool, .clock = clock, .policy = {.deny = &nothing}};
    run_list_init(&runs->waiting);
    run_list_init(&runs->chosen);
    run_list_init(&runs->running);
    run_list_init(&runs->untold);
    held_init(&runs->held);
    return runs;
}

void runs_set_policy(struct runs *runs, const struct policy *policy)
{
    runs->policy = *policy;
}

void runs_free(struct runs *runs)
{
    if (!runs)
        return;
    while (runs->running.first) {
        struct run *run = run_list_take(&runs->running, &runs->running.first);

        worker_abandon(runs->pool, run->work);
        run->work = NULL;
        run_free(run);
    }
    while (runs->chosen.first)
        run_free(run_list_take(&runs->chosen, &runs->chosen.first));
    while (runs->waiting.first)
        run_free(run_list_take(&runs->waiting, &runs->waiting.first));
    while (runs->untold.first)
        run_free(run_list_take(&runs->untold, &runs->untold.first));
    held_release(&runs->held);
    mem_free(runs);
}

struct held *runs_held(struct runs *runs)
{
    return &runs->held;
}

int runs_n_running(const struct runs *runs)
{
    return runs->running.n + runs->chosen.n + runs->untold.n;
}

int runs_n_waiting(const struct runs *runs)
{
    return runs->waiting.n;
}

/* ---- reports ---- */

/* Own time to the controller's; false when either is not known. */
static bool time_of(const struct runs *runs, int64_t boot_us, int64_t *ret_us)
{
    int64_t error_us;

    return boot_us && clock_offset_now(runs->clock, boot_us, ret_us, &error_us);
}

static int report(struct runs *runs, const struct run *run, const struct ending *ending)
{
    struct arena arena;
    struct bus_report said = {.row_ = {0}};

    arena_init(&arena);
    SET(&said, run, run_key_ref(&run->key, &arena));
    SET(&said, state, ending->state);
    SET(&said, code, ending->code);
    said.has_acknowledged_us = time_of(runs, run->taken_us, &said.acknowledged_us);
    said.has_started_us = time_of(runs, run->started_us, &said.started_us);
    said.has_finished_us = time_of(runs, ending->boot_us, &said.finished_us);
    if (ending->boot_us)
        SET(&said, changed, ending->changed);
    if (ending->error)
        SET(&said, error, run->sensitive ? SECRET_SHOWN : ending->error);
    if (ending->data.size)
        SET(&said, data, run->sensitive ? SENSITIVE_SHOWN : ending->data);
    int r = runlog_report(runs->log, &said);
    if (!r && run->sensitive)
        held_add(&runs->held, said.number, slice_of(ending->error), ending->data);
    arena_release(&arena);
    runs->disk_refuses |= r == OUTCOME_NO_SPACE;
    return r;
}

/* What a disk that takes nothing could not be told is kept until it takes it. */
static void keep_untold(struct runs *runs, struct run *run, const struct ending *ending)
{
    run->ending = *ending;
    run->ending.error = ending->error ? mem_strdup(ending->error) : NULL;
    run_list_add(&runs->untold, run);
}

/* Reports the end of a run that is in no list any more, and frees it. */
static int finish(struct runs *runs, struct run *run, const struct ending *ending)
{
    int r = report(runs, run, ending);

    if (r == OUTCOME_NO_SPACE) {
        keep_untold(runs, run, ending);
        return 0;
    }
    run_free(run);
    return r;
}

static int finish_failed(struct runs *runs, struct run *run, enum run_code code, int64_t boot_us,
                         const char *error)
{
    return finish(runs, run,
                  &(struct ending){
                      .state = run_state_FAILED, .code = code, .error = error, .boot_us = boot_us});
}

/* ---- tasks ---- */

/* A final outcome that was confirmed is told again when the controller asks again: its ledger is
   older than that. */
static int repeat_outcome(struct runs *runs, const struct run_key *key)
{
    struct run run = {.key = *key};
    struct ending ending = {.error = "reported before; the result is no longer kept"};

    runlog_find(runs->log, key, &ending.state, &ending.code);
    int r = report(runs, &run, &ending);
    return r < 0 ? r : 0; /* it asks again after the next hello */
}

/* True when it may begin now; otherwise *why tells the reason. */
static bool in_time(const struct runs *runs, const struct run *run, int64_t boot_us,
                    struct refusal *why)
{
    int64_t now_us, error_us;

    if (!clock_offset_now(runs->clock, boot_us, &now_us, &error_us)) {
        refuse(why, OUTCOME_UNAVAILABLE, NULL, "the controller's clock is not known to this agent");
        return false;
    }
    if (error_us > CLOCK_ERROR_MAX_US) {
        refuse(why, OUTCOME_UNAVAILABLE, NULL,
               "the controller's clock is known to %" PRId64 " ms only", error_us / US_PER_MS);
        return false;
    }
    /* Both: the controller's clock may have been set since. */
    if (now_us + error_us > run->start_by_us || boot_us + error_us > run->start_by_boot_us) {
        refuse(why, OUTCOME_TIMEOUT, NULL, "its deadline to begin has passed");
        return false;
    }
    return true;
}

/* run_code_NONE, or why this agent does not do the run. */
static enum run_code task_refused(struct runs *runs, const struct run *run, int64_t boot_us,
                                  struct refusal *why)
{
    if (!run->op || run->op->class == CLASS_LOCAL) {
        refuse(why, OUTCOME_INVALID, NULL, "this agent does not know the operation");
        return run_code_ERROR;
    }
    if (!policy_allows(&runs->policy, run->op, why))
        return run_code_REFUSED;
    if (!in_time(runs, run, boot_us, why))
        return run_code_EXPIRED;
    if (!runlog_has_room(runs->log)) {
        refuse(why, OUTCOME_BUSY, NULL,
               "this agent has too many outcomes the controller has not confirmed");
        return run_code_REFUSED;
    }
    if (runs->waiting.n >= WAITING_MAX ||
        runs->waiting_bytes + run->data.size > WAITING_BYTES_MAX) {
        refuse(why, OUTCOME_BUSY, NULL, "too many runs wait on this host already");
        return run_code_REFUSED;
    }
    return run_code_NONE;
}

/* The controller's time to own, by what is known at boot_us; the past when nothing is. */
static int64_t own_time_of(const struct runs *runs, int64_t time_us, int64_t boot_us)
{
    int64_t now_us, left_us, own_us;

    if (!time_of(runs, boot_us, &now_us))
        return INT64_MIN;
    if (__builtin_sub_overflow(time_us, now_us, &left_us) ||
        __builtin_add_overflow(boot_us, left_us, &own_us))
        return time_us < now_us ? INT64_MIN : INT64_MAX;
    return own_us;
}

static struct run *run_new(const struct runs *runs, const struct run_key *key,
                           const struct bus_task *task, int64_t boot_us)
{
    struct run *run = mem_alloc(sizeof(*run));
    char *data = mem_alloc(task->data.size);

    memcpy(data, task->data.at, task->data.size);
    *run = (struct run){
        .key = *key,
        .op = op_by_type(task->operation),
        .user = mem_strdup(task->user),
        .data = {.at = data, .size = task->data.size},
        .sensitive = task->has_sensitive && task->sensitive,
        .limit_us = task->limit_us,
        .start_by_us = task->start_by_us,
        .start_by_boot_us = own_time_of(runs, task->start_by_us, boot_us),
        .taken_us = boot_us,
    };
    return run;
}

int runs_take(struct runs *runs, const struct bus_task *task, int64_t boot_us)
{
    struct run_key key = run_key_of(&task->run);
    enum runlog_state known = runlog_find(runs->log, &key, NULL, NULL);
    struct refusal why;

    if (known == RUNLOG_SETTLED)
        return repeat_outcome(runs, &key);
    if (known != RUNLOG_UNKNOWN || runs->disk_refuses || runlog_is_full(runs->log))
        return 0;

    struct run *run = run_new(runs, &key, task, boot_us);
    bool durable = run->op && run->op->class != CLASS_QUERY;
    int r = runlog_take(runs->log, &key, durable, task->start_by_us);
    if (r) {
        run_free(run);
        runs->disk_refuses |= r == OUTCOME_NO_SPACE;
        return r < 0 ? r : 0; /* not named by the next hello, it is given again */
    }
    enum run_code refused = task_refused(runs, run, boot_us, &why);
    if (refused != run_code_NONE)
        return finish_failed(runs, run, refused, boot_us, why.text);
    runs->waiting_bytes += run->data.size;
    run_list_add(&runs->waiting, run);
    return 0;
}

static struct run *take_waiting(struct runs *runs, struct run **at)
{
    struct run *run = run_list_take(&runs->waiting, at);

    runs->waiting_bytes -= run->data.size;
    return run;
}

int runs_cancel(struct runs *runs, const struct bus_run_ref *ref, int64_t boot_us)
{
    struct run_key key = run_key_of(ref);
    struct run **at = run_list_find(&runs->waiting, &key);

    if (at)
        return finish_failed(runs, take_waiting(runs, at), run_code_CANCELLED, boot_us,
                             "cancelled before it began");
    at = run_list_find(&runs->running, &key);
    if (at)
        work_cancel((*at)->work);
    return 0;
}

/* ---- beginning ---- */

static int log_start(struct runs *runs, const struct run *run, int64_t boot_us)
{
    int64_t now_us = 0;

    time_of(runs, boot_us, &now_us);
    return runlog_start(runs->log, &run->key, now_us);
}

/* It goes on waiting, for the disk now. */
static int put_back(struct runs *runs, struct run *run)
{
    work_free(run->work);
    run->work = NULL;
    runs->waiting_bytes += run->data.size;
    run_list_put_first(&runs->waiting, run);
    runs->disk_refuses = true;
    return 0;
}

static int choose(struct runs *runs, struct run *run, int64_t boot_us)
{
    struct refusal why;

    if (!policy_allows(&runs->policy, run->op, &why)) /* it may have changed */
        return finish_failed(runs, run, run_code_REFUSED, boot_us, why.text);
    if (!in_time(runs, run, boot_us, &why))
        return finish_failed(runs, run, run_code_EXPIRED, boot_us, why.text);
    int r = work_new(run->op, run->data, run->limit_us, &run->work);
    if (!r)
        r = log_start(runs, run, boot_us);
    if (r == OUTCOME_NO_SPACE)
        return put_back(runs, run);
    if (r) {
        run_free(run);
        return r;
    }
    run->work->owners = run;
    if (runs->policy.has_run_as) {
        struct spawn_identity *run_as = arena_alloc(&run->work->arena, sizeof(*run_as));
        *run_as = runs->policy.run_as;
        run->work->host.run_as = run_as;
    }
    run_drop_data(run);
    run->started_us = boot_us;
    run->told = false;
    run_list_add(&runs->chosen, run);
    return 0;
}

int runs_choose(struct runs *runs, int64_t boot_us)
{
    while (!runs->disk_refuses && runs->waiting.first &&
           worker_pool_room(runs->pool) > runs->chosen.n) {
        int r = choose(runs, take_waiting(runs, &runs->waiting.first), boot_us);
        if (r)
            return r;
    }
    return 0;
}

int runs_begin(struct runs *runs)
{
    while (runs->chosen.first) {
        struct run *run = run_list_take(&runs->chosen, &runs->chosen.first);

        /* Before it can do anything: what it does may end us. */
        if (run->op->class != CLASS_QUERY)
            journal_write(&(struct journal_line){
                .run = &run->key, .operation = run->op->type, .user = run->user});
        if (worker_give(runs->pool, run->work) == 0) {
            run_list_add(&runs->running, run);
            continue;
        }
        int r = finish_failed(runs, run, run_code_ERROR, run->started_us,
                              "this host has no room for another thread");
        if (r)
            return r;
    }
    return 0;
}

/* ---- ending ---- */

static enum run_state state_of_outcome(int outcome)
{
    if (outcome == 0)
        return run_state_COMPLETED;
    return outcome == HOST_SKIPPED ? run_state_SKIPPED : run_state_FAILED;
}

/* A result that the bus would not carry would end the connection, again and again. */
static bool result_is_sound(struct slice data, struct refusal *why)
{
    struct json ignored;

    if (data.size > RESULT_MAX) {
        refuse(why, OUTCOME_TOO_LARGE, NULL, "the result is too large: %zu bytes of at most %zu",
               data.size, RESULT_MAX);
        return false;
    }
    return data.size == 0 || json_check(data, RESULT_VALUES_MAX, &ignored, why) == 0;
}

static int finish_work(struct runs *runs, struct run *run)
{
    const struct work *work = run->work;
    struct refusal why;
    struct ending ending = {
        .state = state_of_outcome(work->outcome),
        .code = work->outcome == HOST_FAILED ? work->host.code : run_code_NONE,
        .error = work->outcome ? work->host.error : NULL,
        .changed = work->host.changed,
        .data = buf_slice(&work->result),
        .boot_us = work->finished_boot_us,
    };

    if (!result_is_sound(ending.data, &why)) {
        ending.state = run_state_FAILED;
        ending.code = run_code_ERROR;
        ending.error = why.text;
        ending.data = SLICE("");
    }
    return finish(runs, run, &ending);
}

int runs_collect(struct runs *runs)
{
    struct work *work;

    while ((work = worker_take(runs->pool))) {
        const struct run *ended = work->owners;
        struct run *run = run_list_take(&runs->running, run_list_find(&runs->running, &ended->key));

        if (runs->killed) {
            run_free(run);
            continue;
        }
        int r = finish_work(runs, run);
        if (r)
            return r;
    }
    return 0;
}

void runs_kill(struct runs *runs)
{
    runs->killed = true;
    for (struct run *run = runs->running.first; run; run = run->next)
        work_cancel(run->work);
}

/* ---- time ---- */

static int64_t limit_end_us(const struct run *run)
{
    int64_t limit_us = run->limit_us < INT64_MAX / 4 ? run->limit_us : INT64_MAX / 4;

    return run->started_us + limit_us + LIMIT_GRACE_US;
}

static int tell(struct runs *runs, struct run *run, enum run_state state)
{
    int r = report(runs, run, &(struct ending){.state = state});

    run->told = r == 0;
    return r < 0 ? r : 0;
}

static int look_at_waiting(struct runs *runs, int64_t boot_us)
{
    struct refusal why;
    int r = 0;

    if (!runs->waiting.first || boot_us < runs->looked_us + WAITING_TICK_US)
        return 0;
    runs->looked_us = boot_us;
    for (struct run **at = &runs->waiting.first; *at && !r;) {
        if (!in_time(runs, *at, boot_us, &why)) {
            r = finish_failed(runs, take_waiting(runs, at), run_code_EXPIRED, boot_us, why.text);
            continue;
        }
        if (!runs->disk_refuses && !(*at)->told && boot_us >= (*at)->taken_us + TELL_WAITING_US)
            r = tell(runs, *at, run_state_ACKNOWLEDGED);
        at = &(*at)->next;
    }
    return r;
}

/* What it was doing goes on in its thread, and is nobody's any more. */
static int give_up(struct runs *runs, struct run *run, int64_t boot_us)
{
    worker_abandon(runs->pool, run->work);
    run->work = NULL;
    return finish_failed(runs, run, run_code_TIMEOUT, boot_us,
                         "its time was up, and it could not be stopped");
}

static int look_at_running(struct runs *runs, int64_t boot_us)
{
    int r = 0;

    for (struct run **at = &runs->running.first; *at && !r;) {
        if (boot_us >= limit_end_us(*at)) {
            r = give_up(runs, run_list_take(&runs->running, at), boot_us);
            continue;
        }
        if (!runs->disk_refuses && !(*at)->told && boot_us >= (*at)->started_us + TELL_STARTED_US)
            r = tell(runs, *at, run_state_STARTED);
        at = &(*at)->next;
    }
    return r;
}

bool runs_disk_refuses(const struct runs *runs)
{
    return runs->disk_refuses;
}

int runs_try_disk(struct runs *runs)
{
    int r = runlog_try(runs->log);

    while (!r && runs->untold.first) {
        r = report(runs, runs->untold.first, &runs->untold.first->ending);
        if (!r)
            run_free(run_list_take(&runs->untold, &runs->untold.first));
    }
    runs->disk_refuses = r != 0;
    return r < 0 ? r : 0;
}

int runs_tick(struct runs *runs, int64_t boot_us)
{
    if (runs->killed)
        return 0;
    int r = look_at_waiting(runs, boot_us);
    if (r)
        return r;
    return look_at_running(runs, boot_us);
}

int64_t runs_deadline_us(const struct runs *runs)
{
    int64_t deadline_us = INT64_MAX;

    if (runs->waiting.first)
        deadline_us = runs->looked_us + WAITING_TICK_US;
    for (const struct run *run = runs->running.first; run; run = run->next) {
        int64_t run_us =
            run->told || runs->disk_refuses ? limit_end_us(run) : run->started_us + TELL_STARTED_US;

        if (run_us < deadline_us)
            deadline_us = run_us;
    }
    return deadline_us;
}
