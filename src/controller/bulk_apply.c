/* SPDX-License-Identifier: MIT */
/*
 * A plan, applied in the batch of one turn: all of it is committed, or none.
 *
 * Everything that can refuse is asked before the first record; after that a job is taken, or left
 * alone because it has changed.
 */
#include "controller/bulk_plan.h"

#include "base/fault.h"
#include "base/mem.h"

#include <assert.h>

/* ---- retry ---- */

static int resolve(struct core *core, const struct bulk_plan *plan, const struct target *target,
                   struct host_list *ret, struct refusal *why)
{
    const struct str_list *allowed = &plan->call->bulk.allowed;
    struct target_question question = {
        .target = target,
        .field = "target",
        .dispatch = core->dispatch,
        .boot_us = core->boot_us,
        .allowed = allowed->n ? allowed : NULL,
    };

    return fleet_resolve(&core->fleet, &question, &core->arena, ret, why);
}

/* Nobody meant leaves the job out; somebody whom the token is not for refuses the whole. */
static int check_target(struct core *core, struct bulk_plan *plan, const struct bulk_job *job)
{
    struct bulk_target *target = job->retry.target;
    struct refusal why;
    char id[UUID_TEXT_SIZE];

    if (target->is_resolved)
        return 0;
    target->is_resolved = true;
    target->outcome = resolve(core, plan, &target->target, &target->hosts, &why);
    if (target->outcome != OUTCOME_FORBIDDEN)
        return target->outcome < 0 ? target->outcome : 0;
    uuid_format(&job->id, id);
    return refuse(&plan->errand.why, OUTCOME_FORBIDDEN, NULL, "job %s: %s: nothing was done", id,
                  why.text);
}

static int check_retry(struct core *core, struct bulk_plan *plan)
{
    uint64_t n_runs = 0;

    for (uint32_t i = 0; i < plan->n; i++) {
        int r = check_target(core, plan, &plan->jobs[i]);
        if (r)
            return r;
        const struct bulk_target *target = plan->jobs[i].retry.target;
        plan->n_taken += target->outcome == 0;
        n_runs += target->outcome == 0 ? target->hosts.n : 0;
    }
    return core_room(core, n_runs < UINT32_MAX ? (uint32_t)n_runs : UINT32_MAX, &plan->errand.why);
}

static struct record_job meant(const struct bulk_plan *plan, const struct bulk_job *job)
{
    return (struct record_job){
        .seq = job->seq,
        .version = job->version,
        .user = plan->call->bulk.token->subject,
        .bulk = &plan->call->id,
    };
}

static int submit(struct core *core, const struct bulk_plan *plan, const struct bulk_job *job,
                  const struct uuid *id, const struct host_list *hosts)
{
    struct ledger_effect effect;
    struct job_terms terms = {
        .id = *id,
        .op = job->op,
        .limit_us = job->retry.limit_us,
        .start_by_us = core->now_us + job->retry.expires_us,
        .n_runs = hosts->n,
    };
    struct record record = {
        .kind = RECORD_SUBMITTED,
        .submitted =
            {
                .id = *id,
                .op = job->op,
                .data = job->retry.data,
                .target = job->retry.target->target,
                .user = plan->call->bulk.token->subject,
                .limit_us = terms.limit_us,
                .start_by_us = terms.start_by_us,
                .hosts = hosts->v,
                .n_hosts = hosts->n,
                .bulk = &plan->call->id,
            },
    };

    int r = core_apply(core, &record, &effect);
    assert(r <= 0); /* a new job is never refused */
    if (r)
        return r;
    terms.seq = effect.seq;
    dispatch_submit(core->dispatch, &terms, hosts->v, &core->decisions);
    return 0;
}

/* _any is chosen for each job, with those before it counted. */
static int apply_retry(struct core *core, const struct bulk_plan *plan, const struct bulk_job *job)
{
    const struct bulk_target *target = job->retry.target;
    struct host_list hosts = target->hosts;
    struct record retried = {.kind = RECORD_RETRIED, .job = meant(plan, job)};
    struct ledger_effect effect;

    int r = target->outcome;
    if (!r && target->target.kind == TARGET_ANY)
        r = resolve(core, plan, &target->target, &hosts, NULL);
    if (r)
        return r;
    retried.job.new_id = uuid_make(core->now_us);
    r = core_apply(core, &retried, &effect);
    return r ? r : submit(core, plan, job, &retried.job.new_id, &hosts);
}

/* ---- cancel, delete ---- */

static int apply_cancel(struct core *core, const struct bulk_plan *plan, const struct bulk_job *job)
{
    struct record_job record = meant(plan, job);
    struct cancel_counts counts;

    return core_cancel(core, &job->id, &record, &counts);
}

static int apply_delete(struct core *core, const struct bulk_plan *plan, const struct bulk_job *job)
{
    struct record_job record = meant(plan, job);

    return core_delete(core, &job->id, &record);
}

static int check_nothing(struct core *core, struct bulk_plan *plan)
{
    (void)core;
    plan->n_taken = plan->n;
    return 0;
}

/* ---- the plan ---- */

static const struct {
    int (*check)(struct core *core, struct bulk_plan *plan); /* n_taken: unless they have changed */
    /* 0: taken. An outcome: left alone. */
    int (*apply)(struct core *core, const struct bulk_plan *plan, const struct bulk_job *job);
} actions[BULK_ACTION_COUNT] = {
    [BULK_RETRY] = {check_retry, apply_retry},
    [BULK_CANCEL] = {check_nothing, apply_cancel},
    [BULK_DELETE] = {check_nothing, apply_delete},
};

/* Oldest first: what is submitted again keeps its order. */
int bulk_apply(struct core *core, struct errand *errand)
{
    struct bulk_plan *plan = (struct bulk_plan *)errand;
    const struct call_bulk *bulk = &plan->call->bulk;

    int r = actions[bulk->action].check(core, plan);
    if (r || bulk->dry_run)
        return r;
    plan->n_taken = 0;
    for (uint32_t i = plan->n; i-- > 0;) {
        if (FAULT_POINT("bulk.apply"))
            return FAULT(-errno);
        r = actions[bulk->action].apply(core, plan, &plan->jobs[i]);
        if (r < 0)
            return r;
        plan->n_taken += r == 0;
    }
    return 0;
}
