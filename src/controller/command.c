/* SPDX-License-Identifier: MIT */
/*
 * What HTTP loops ask of the core.
 *
 * A command is refused before it has applied anything. What is answered with 0 is answered after
 * the commit.
 */
#include "base/mem.h"
#include "controller/inside.h"

#include <assert.h>

/* ---- submit ---- */

static void hold(struct core *core, struct call *call)
{
    call->submit.hold_until_boot_us = core->boot_us + CORE_QUERY_HOLD_US;
    call->submit.next_held = NULL;
    call_ref(call);
    if (core->first_held)
        core->last_held->submit.next_held = call;
    else
        core->first_held = call;
    core->last_held = call;
}

static int record_retried(struct core *core, const struct call *call)
{
    struct ledger_effect effect;
    struct record record = {
        .kind = RECORD_RETRIED,
        .job = {.seq = call->submit.retry_of, .new_id = call->id, .user = call->submit.user},
    };

    int r = core_apply(core, &record, &effect);
    return r < 0 ? r : 0; /* the old job may be gone meanwhile: the new one stands */
}

/* A query's tasks leave at once, before anything is written; a modify's when its submission is
   durable. */
static int start_job(struct core *core, struct call *call)
{
    const struct call_submit *submit = &call->submit;
    bool is_held = submit->op->class == CLASS_QUERY && submit->until == CALL_UNTIL_FINAL;
    struct job_terms terms = {
        .id = call->id,
        .op = submit->op,
        .limit_us = submit->limit_us,
        .start_by_us = submit->time_us + submit->expires_us,
        .n_runs = submit->hosts.n,
        .sensitive = submit->sensitive,
        .sealed = submit->whole.size > 0,
    };
    struct decisions *to = submit->op->class == CLASS_QUERY ? &core->at_once : &core->decisions;

    struct open_job *job = dispatch_submit(core->dispatch, &terms, submit->hosts.v, to);
    job->owner = call;
    int r = core_deliver(core, &core->at_once);
    core->at_once.n = 0;
    if (r)
        return r;
    if (is_held) {
        hold(core, call);
        return 0;
    }
    r = core_record(core, job);
    if (r || !submit->retry_of)
        return r;
    return record_retried(core, call);
}

/* Each host's input is sealed for it alone. */
static int check_sealed_size(const struct call_submit *submit, struct refusal *why)
{
    if (submit->whole.size <= CORE_SEALED_MAX / submit->hosts.n)
        return 0;
    return refuse(why, OUTCOME_TOO_LARGE, NULL,
                  "secret input of %zu bytes for %u hosts is over %zu bytes together",
                  submit->whole.size, (unsigned)submit->hosts.n, CORE_SEALED_MAX);
}

static int run_submit(struct core *core, struct call *call, struct refusal *why)
{
    struct call_submit *submit = &call->submit;
    struct target_question question = {
        .target = &submit->target,
        .field = submit->target_field,
        .dispatch = core->dispatch,
        .boot_us = core->boot_us,
        .allowed = submit->allowed.n ? &submit->allowed : NULL,
    };

    int r = fleet_resolve(&core->fleet, &question, &call->arena, &submit->hosts, why);
    if (r)
        return r;
    r = check_sealed_size(submit, why);
    if (!r)
        r = core_room(core, submit->hosts.n, why);
    if (r)
        return r;
    submit->time_us = core->now_us;
    return start_job(core, call);
}

/* ---- cancel, delete ---- */

int core_cancel(struct core *core, const struct uuid *id, const struct record_job *meant,
                struct cancel_counts *ret)
{
    struct open_job *job = dispatch_find_job(core->dispatch, id);
    struct record record = {.kind = RECORD_CANCELLED, .job = *meant};
    struct ledger_effect effect;

    if (!job)
        return OUTCOME_CONFLICT;
    int r = core_record(core, job);
    if (r)
        return r;
    record.job.seq = job->seq;
    r = core_apply(core, &record, &effect);
    if (r)
        return r;
    dispatch_cancel(core->dispatch, job, &core->decisions, ret);
    return 0;
}

static int run_cancel(struct core *core, struct call *call, struct refusal *why)
{
    const struct record_job meant = {.user = call->job.user};

    int r = core_cancel(core, &call->id, &meant, &call->job.counts);
    if (r == OUTCOME_CONFLICT)
        return refuse(why, r, NULL, "the job has ended already");
    if (r)
        return r;
    pointers_add(&core->done, call);
    return 0;
}

int core_delete(struct core *core, const struct uuid *id, const struct record_job *meant)
{
    struct open_job *job = dispatch_find_job(core->dispatch, id);
    struct record record = {.kind = RECORD_DELETED, .job = *meant};
    struct cancel_counts counts;
    struct ledger_effect effect;

    int r = core_apply(core, &record, &effect);
    if (r || !job)
        return r;
    dispatch_cancel(core->dispatch, job, &core->decisions, &counts);
    if (job->owner) /* whoever waits for it learns that it is gone */
        pointers_add(&core->done, job->owner);
    dispatch_forget(core->dispatch, job, &core->decisions);
    return 0;
}

static int run_delete(struct core *core, struct call *call, struct refusal *why)
{
    const struct record_job meant = {.seq = call->job.seq, .user = call->job.user};

    int r = core_delete(core, &call->id, &meant);
    if (r == OUTCOME_NOT_FOUND)
        return refuse(why, r, NULL, "the job has just been deleted");
    if (r)
        return r;
    pointers_add(&core->done, call);
    return 0;
}

/* ---- agents ---- */

static int run_agents(struct core *core, struct call *call, struct refusal *why)
{
    struct call_agents *agents = &call->agents;
    const struct agent *one = agents->name ? fleet_find(&core->fleet, agents->name) : NULL;
    uint32_t n = agents->name ? 1 : core->fleet.n;

    if (agents->name && !one)
        return refuse(why, OUTCOME_NOT_FOUND, "hostname", "no agent is called \"%s\"",
                      agents->name);
    agents->v = arena_alloc(&call->arena, n * sizeof(*agents->v));
    for (uint32_t i = 0; i < n; i++)
        agent_look(one ? one : core->fleet.by_name[i], core->dispatch, core->boot_us,
                   &agents->v[i]);
    agents->n = n;
    call_answer(call, core->server, 0);
    return 0;
}

/* ---- the table ---- */

typedef int run_command(struct core *core, struct call *call, struct refusal *why);

static const struct {
    run_command *run;
    bool writes;
} commands[CALL_KIND_COUNT] = {
    [CALL_SUBMIT] = {run_submit, .writes = true},
    [CALL_CANCEL] = {run_cancel, .writes = true},
    [CALL_DELETE] = {run_delete, .writes = true},
    [CALL_AGENTS] = {run_agents, .writes = false},
};

int command_run(struct core *core, struct call *call)
{
    struct refusal why = {0};

    assert(commands[call->kind].run);
    int r = commands[call->kind].writes ? core_can_write(core, &why) : 0;
    if (!r)
        r = commands[call->kind].run(core, call, &why);
    if (r <= 0)
        return r;
    *call_why(call) = why;
    call_answer(call, core->server, r);
    return 0;
}
