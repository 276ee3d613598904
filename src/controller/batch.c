/* SPDX-License-Identifier: MIT */
/*
 * The batch of a turn: records are applied as they are made, committed once, and only then have
 * effects.
 *
 * It is begun by the first record; a turn without records commits nothing.
 */
#include "base/fault.h"
#include "base/log.h"
#include "controller/inside.h"

#include <assert.h>

/* ---- apply ---- */

int core_apply(struct core *core, struct record *record, struct ledger_effect *ret)
{
    if (!core->has_begun) {
        int r = ledger_begin(core->ledger);
        if (r)
            return r;
        core->has_begun = true;
    }
    if (record->time_us == 0)
        record->time_us = core->now_us;
    return ledger_apply(core->ledger, record, ret);
}

int core_record(struct core *core, struct open_job *job)
{
    struct call *call = job->owner;
    struct ledger_effect effect;

    if (job->seq)
        return 0;
    const struct call_submit *submit = &call->submit;
    struct record record = {
        .kind = RECORD_SUBMITTED,
        .time_us = submit->time_us,
        .submitted =
            {
                .id = call->id,
                .op = submit->op,
                .data = submit->data,
                .sensitive = submit->sensitive,
                .sealed = input_seal(core, call),
                .target = submit->target,
                .user = submit->user,
                .limit_us = submit->limit_us,
                .start_by_us = job->start_by_us,
                .hosts = submit->hosts.v,
                .n_hosts = submit->hosts.n,
            },
    };
    int r = core_apply(core, &record, &effect);
    assert(r <= 0); /* a new job is never refused */
    if (r)
        return r;
    job->seq = effect.seq;
    pointers_add(&core->recorded, call_ref(call));
    return 0;
}

/* The run is final in the ledger. With its last run the job is final, and so answered. */
static void end_run(struct core *core, struct open_run *run)
{
    struct open_job *job = run->job;
    struct call *call = job->owner;

    if (job->n_open == 1 && call) {
        job->owner = NULL;
        if (call->submit.until == CALL_UNTIL_FINAL)
            pointers_add(&core->done, call);
        else
            call_unref(call); /* answered as one of core->recorded */
    }
    dispatch_end(core->dispatch, run, &core->decisions);
}

int core_move(struct core *core, struct open_run *run, struct record_run *moved)
{
    struct ledger_effect effect;

    int r = core_record(core, run->job);
    if (r)
        return r;
    moved->seq = run->job->seq;
    moved->run = run->number;
    struct record record = {.kind = RECORD_FINISHED, .run = *moved};
    if (moved->to.state == run_state_ACKNOWLEDGED)
        record.kind = RECORD_ACKNOWLEDGED;
    else if (moved->to.state == run_state_STARTED)
        record.kind = RECORD_STARTED;
    r = core_apply(core, &record, &effect);
    if (r)
        return r;
    if (run_state_is_final(moved->to.state)) {
        metrics_run_ended(core->metrics, run->job->op, &moved->to);
        end_run(core, run);
    } else if (moved->to.state > run->state) { /* else a repeat */
        dispatch_moved(core->dispatch, run, moved->to.state, moved->started_us);
    }
    return 0;
}

/* What a run's record says when not its agent but the controller ended it. */
static const char *const end_texts[run_code_COUNT] = {
    [run_code_EXPIRED] = "not started before its deadline",
    [run_code_CANCELLED] = "cancelled before it started",
    [run_code_INTERRUPTED] = "the agent lost track of it; whether it was done is not known",
    [run_code_LOST] = "the host went silent while running it",
    [run_code_ERROR] = "its secret input can't be opened any more: seal.key in the controller's "
                       "state directory is not the key it was sealed with; submit it anew",
};
static const char expired_presumed[] =
    "the host is silent; not known to have started before its deadline";

static int apply_end(struct core *core, const struct decision *end)
{
    struct open_run *run = dispatch_find(core->dispatch, &end->job, end->run);

    if (!run)
        return 0;
    bool silent = end->presumed && end->code == run_code_EXPIRED;
    struct record_run moved = {
        .to = {.state = run_state_FAILED, .code = end->code, .presumed = end->presumed},
        .error = slice_of(silent ? expired_presumed : end_texts[end->code]),
        .started_us = run->started_us,
        .finished_us = core->now_us,
    };
    int r = core_move(core, run, &moved);
    if (r <= 0)
        return r;
    /* Table and ledger disagree, which nothing that comes later would mend. */
    log_event(LOG_ERROR, "core.end_refused", LOG_TEXT("code", run_code_words[end->code].word),
              LOG_NUMBER("seq", run->job->seq), LOG_NUMBER("run", run->number));
    end_run(core, run);
    return 0;
}

/* A task whose input can't be opened is not given: so its run ends. */
static int check_input(struct core *core, const struct decision *task)
{
    const struct open_run *run = dispatch_find(core->dispatch, &task->job, task->run);
    struct bus_task ignored = {0};

    int r = run && run->job->sealed ? input_find(core, run, &ignored) : 0;
    if (r <= 0)
        return r;
    log_event(LOG_ERROR, "core.input_lost", LOG_NUMBER("seq", run->job->seq),
              LOG_NUMBER("run", run->number));
    struct decision end = *task;
    end.kind = DECISION_END;
    end.code = run_code_ERROR;
    return apply_end(core, &end);
}

/* An end may decide more: the host is given its next run. */
static int settle(struct core *core)
{
    int r = 0;

    for (; !r && core->n_settled < core->decisions.n; core->n_settled++) {
        struct decision decision = core->decisions.v[core->n_settled]; /* the array may move */
        if (decision.kind == DECISION_END)
            r = apply_end(core, &decision);
        else if (decision.kind == DECISION_TASK)
            r = check_input(core, &decision);
    }
    return r;
}

void core_touch(struct core *core, struct agent *agent)
{
    if (!agent->has_reported && !agent->is_greeted)
        pointers_add(&core->touched, agent);
}

static int apply_reported(struct core *core)
{
    struct ledger_effect effect;

    for (size_t i = 0; i < core->touched.n; i++) {
        const struct agent *agent = core->touched.v[i];
        if (!agent->has_reported)
            continue;
        struct record record = {
            .kind = RECORD_REPORTED,
            .reported = {.host = agent->host, .epoch = agent->epoch, .number = agent->reported},
        };
        int r = core_apply(core, &record, &effect);
        if (r)
            return r;
    }
    return 0;
}

int batch_commit(struct core *core)
{
    int r = settle(core);
    if (r)
        return r;
    r = apply_reported(core);
    if (r || !core->has_begun)
        return r;
    int64_t begun_us = clock_boot_us();
    r = ledger_commit(core->ledger);
    metrics_committed(core->metrics, clock_boot_us() - begun_us);
    core->has_begun = false;
    core->is_dirty = true;
    return r;
}

/* ---- effects ---- */

static int deliver_task(struct core *core, struct bus_peer *peer, struct bus_run_ref *ref,
                        struct open_run *run)
{
    struct bus_task task = {0};

    if (core->now_us >= run->job->start_by_us)
        return 0; /* its timer ends it */
    int r = input_find(core, run, &task);
    assert(r <= 0); /* check_input() has tried */
    if (r)
        return r;
    SET(&task, run, *ref);
    SET(&task, limit_us, run->job->limit_us);
    SET(&task, start_by_us, run->job->start_by_us);
    bus_send(core->bus, peer, BUS_TASK, &task);
    dispatch_sent(core->dispatch, run);
    return 0;
}

int core_deliver(struct core *core, const struct decisions *decisions)
{
    for (size_t i = 0; i < decisions->n; i++) {
        const struct decision *decision = &decisions->v[i];
        const struct agent *agent = fleet_by_host(&core->fleet, decision->host);
        if (decision->kind == DECISION_END || !agent || !agent->peer)
            continue; /* a task that can't be given now is given at the next hello */
        char job[UUID_TEXT_SIZE];
        uuid_format(&decision->job, job);
        struct bus_run_ref ref = {
            .job = job, .has_job = true, .run = decision->run, .has_run = true};
        if (decision->kind == DECISION_CANCEL) {
            bus_send(core->bus, agent->peer, BUS_CANCEL, &ref);
            continue;
        }
        struct open_run *run = dispatch_find(core->dispatch, &decision->job, decision->run);
        int r = run && run->sent == SENT_DECIDED ? deliver_task(core, agent->peer, &ref, run) : 0;
        if (r)
            return r;
    }
    return 0;
}

static void confirm(struct core *core)
{
    for (size_t i = 0; i < core->touched.n; i++) {
        struct agent *agent = core->touched.v[i];
        struct bus_confirm body = {.number = agent->reported, .has_number = true};
        if (agent->peer)
            bus_send(core->bus, agent->peer, BUS_CONFIRM, &body);
        agent->has_reported = agent->is_greeted = false;
    }
    core->touched.n = 0;
}

/* Their input is in the ledger now, and the tasks are on their way. */
static void answer_recorded(struct core *core)
{
    for (size_t i = 0; i < core->recorded.n; i++) {
        struct call *call = core->recorded.v[i];
        call->submit.data = call->submit.whole = (struct slice){0};
        arena_release(&call->arena);
        if (call->submit.until == CALL_UNTIL_FINAL) {
            call_unref(call);
            continue;
        }
        struct open_job *job = dispatch_find_job(core->dispatch, &call->id);
        if (job)
            job->owner = call_unref(job->owner);
        call_answer(call, core->server, 0);
    }
    core->recorded.n = 0;
}

int batch_effects(struct core *core)
{
    if (FAULT_POINT("batch.effects"))
        return FAULT(-errno);
    confirm(core);
    int r = core_deliver(core, &core->decisions);
    if (r)
        return r;
    core->decisions.n = core->n_settled = 0;
    answer_recorded(core);
    for (size_t i = 0; i < core->done.n; i++)
        call_answer(core->done.v[i], core->server, 0);
    core->done.n = 0;
    arena_reset(&core->arena);
    return 0;
}
