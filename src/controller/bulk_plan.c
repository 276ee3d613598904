/* SPDX-License-Identifier: MIT */
/*
 * From a filter to a plan: page after page, newest first, each job looked at once.
 *
 * What can't be done to a job leaves it out; what may not be done refuses the whole.
 */
#include "controller/bulk_plan.h"

#include "base/fault.h"
#include "base/mem.h"
#include "controller/submission.h"

void bulk_plan_init(struct bulk_plan *plan, struct call *call, uint32_t n_agents)
{
    *plan = (struct bulk_plan){
        .errand = {.run = bulk_apply},
        .call = call,
        .n_agents = n_agents,
    };
    plan->jobs = arena_alloc(&plan->arena, call->bulk.limit * sizeof(plan->jobs[0]));
}

void bulk_plan_release(struct bulk_plan *plan)
{
    arena_release(&plan->arena);
    arena_release(&plan->one);
}

static bool plan_is_full(const struct bulk_plan *plan)
{
    return plan->arena.allocated >= BULK_BYTES_MAX || plan->n_shared == BULK_SHARED_MAX ||
           (uint64_t)plan->n_any * plan->n_agents >= BULK_CHOICES_MAX;
}

/* ---- retry ---- */

/* NULL: it is no target any more. */
static struct bulk_target *plan_target(struct bulk_plan *plan, const char *text)
{
    struct target target;

    if (target_parse(slice_of(text), &target, NULL))
        return NULL;
    bool is_shared = target.kind != TARGET_HOST;
    for (uint32_t i = 0; is_shared && i < plan->n_shared; i++) {
        if (slice_equal(plan->shared[i]->target.text, target.text))
            return plan->shared[i];
    }
    struct bulk_target *added = arena_alloc(&plan->arena, sizeof(*added));
    target_parse(slice_of(arena_strdup(&plan->arena, text)), &added->target, NULL);
    if (is_shared)
        plan->shared[plan->n_shared++] = added;
    return added;
}

/* Decoded and written anew, as for any submission: what this version accepts, with its defaults. */
static bool plan_payload(struct bulk_plan *plan, const struct ledger_job *job,
                         struct bulk_retry *to)
{
    CLEANUP(buf_release) struct buf json;
    void *input = arena_alloc(&plan->one, job->op->in->size);

    buf_init(&json, SUBMISSION_DATA_MAX);
    if (schema_decode(job->op->in, job->data, JSON_VALUES_MAX, &plan->one, input, NULL))
        return false;
    schema_encode(job->op->in, input, &json);
    if (buf_overflowed(&json))
        return false;
    to->data = (struct slice){.at = arena_copy(&plan->arena, buf_slice(&json)), .size = json.size};
    to->limit_us = op_limit_s(job->op, input) * US_PER_S;
    return true;
}

/* The input of sensitive jobs, and of those with secrets, was not kept. */
static bool plan_retry(struct bulk_plan *plan, const struct ledger_job *job, struct bulk_job *to)
{
    int64_t expires_us = plan->call->bulk.expires_us;
    int64_t had_us = job->start_by_us - job->created_us;

    if (job->sensitive || job->sealed || !op_makes_run(job->op) ||
        !plan_payload(plan, job, &to->retry))
        return false;
    to->retry.target = plan_target(plan, job->target);
    if (!to->retry.target)
        return false;
    plan->n_any += to->retry.target->target.kind == TARGET_ANY;
    if (expires_us == 0)
        expires_us = had_us > SUBMISSION_WAIT_US ? had_us : SUBMISSION_WAIT_US;
    to->retry.expires_us = expires_us;
    return true;
}

/* ---- cancel, delete ---- */

/* One that is being cancelled was taken by whoever did that. */
static bool plan_cancel(struct bulk_plan *plan, const struct ledger_job *job, struct bulk_job *to)
{
    (void)plan;
    (void)to;
    return !job_status_is_final(job->status) && !job->cancelled;
}

static bool plan_delete(struct bulk_plan *plan, const struct ledger_job *job, struct bulk_job *to)
{
    (void)plan;
    (void)job;
    (void)to;
    return true;
}

/* ---- the plan ---- */

/* False: it can't be done to this job. */
typedef bool plan_action(struct bulk_plan *plan, const struct ledger_job *job, struct bulk_job *to);

static plan_action *const plan_actions[BULK_ACTION_COUNT] = {
    [BULK_RETRY] = plan_retry,
    [BULK_CANCEL] = plan_cancel,
    [BULK_DELETE] = plan_delete,
};

static int check_permission(struct bulk_plan *plan, const struct bulk_job *job)
{
    char id[UUID_TEXT_SIZE];

    if (token_allows(plan->call->bulk.token, job->op->permission, NULL) == 0)
        return 0;
    uuid_format(&job->id, id);
    return refuse(
        &plan->errand.why, OUTCOME_FORBIDDEN, NULL,
        "the token does not carry the permission %s, which job %s needs: nothing was done",
        permission_word(job->op->permission), id);
}

/* Of an operation that this version does not have nobody can say who may do it. */
static int plan_job(struct bulk_plan *plan, struct ledger_reader *reader,
                    const struct ledger_found *found)
{
    struct bulk_job *to = &plan->jobs[plan->n];
    struct ledger_job job;

    arena_reset(&plan->one);
    int r = ledger_job(reader, &found->id, &plan->one, &job);
    if (r == OUTCOME_NOT_FOUND)
        return 0;
    if (r)
        return r;
    *to = (struct bulk_job){
        .id = found->id, .seq = found->seq, .version = found->version, .op = job.op};
    if (!job.op || !plan_actions[plan->call->bulk.action](plan, &job, to))
        return 0;
    plan->n++;
    return check_permission(plan, to);
}

/* The older_than of the call moves on to the last that was looked at. */
static int plan_page(struct bulk_plan *plan, struct ledger_reader *reader, unsigned limit,
                     struct ledger_page *ret_page, unsigned *ret_n_looked)
{
    struct call_bulk *bulk = &plan->call->bulk;
    struct ledger_found found[LEDGER_PAGE_MAX];
    struct ledger_question question = {
        .filter = bulk->filter,
        .from = LEDGER_FROM_OLDER,
        .at = bulk->older_than,
        .limit = limit < LEDGER_PAGE_MAX ? limit : LEDGER_PAGE_MAX,
    };
    unsigned n = 0;

    if (FAULT_POINT("bulk.find"))
        return FAULT(-errno);
    int r = ledger_find(reader, &question, ret_page, found);
    for (; !r && n < ret_page->n_items && !plan_is_full(plan); n++) {
        bulk->older_than = found[n].seq;
        r = plan_job(plan, reader, &found[n]);
    }
    *ret_n_looked = n;
    return r;
}

int bulk_plan_make(struct bulk_plan *plan, struct ledger_reader *reader)
{
    struct call_bulk *bulk = &plan->call->bulk;
    struct ledger_page page;
    unsigned n_looked = 0, n;
    bool more = true;

    for (bool first = true; more && n_looked < bulk->limit && !plan_is_full(plan); first = false) {
        int r = plan_page(plan, reader, bulk->limit - n_looked, &page, &n);
        if (r)
            return r;
        if (first)
            bulk->matched = page.total;
        n_looked += n;
        more = page.n_items > 0 && (page.has_older || n < page.n_items);
    }
    bulk->next = more ? bulk->older_than : 0;
    return 0;
}
