/* SPDX-License-Identifier: MIT */
/*
 * What the core has in memory, made from the ledger: at the start, and again when a batch was lost
 * because the disk takes nothing.
 *
 * Memory is ahead of the ledger by the batch of the turn. When that can't be committed, all of it
 * is dropped and read again, as a start would; whoever waits for a job that the ledger has goes on
 * waiting, everybody else is told.
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "controller/inside.h"

#define TRY_AGAIN_US US_PER_S
/* A disk that takes a little, but not what there is to write, is given ever more time: each try
   that turns out to have been too early sends all agents away. */
#define TRY_AGAIN_MAX_US (64 * US_PER_S)
#define TOO_EARLY_US     (60 * US_PER_S)
/* After a start, silence means nothing for so long. */
#define LISTENING_US WAIT_US("core.listening", BUS_SILENT_US)

static const char takes_nothing[] = "the state disk is full, over its quota or read-only";

/* ---- from the ledger ---- */

static int restore_fleet(struct core *core, struct refusal *why)
{
    struct ledger_agent *agents;
    uint32_t n;

    int r = ledger_agents(core->reader, &core->arena, &agents, &n);
    for (uint32_t i = 0; !r && i < n; i++)
        r = fleet_restore(&core->fleet, &agents[i], why);
    return r;
}

struct job_terms core_terms(const struct ledger_job *job)
{
    return (struct job_terms){
        .id = job->id,
        .seq = job->seq,
        .op = job->op,
        .limit_us = job->limit_us,
        .start_by_us = job->start_by_us,
        .n_runs = job->counts.total,
        .cancelled = job->cancelled,
        .sensitive = job->sensitive,
        .sealed = job->sealed,
    };
}

static int restore_run(void *owner, const struct ledger_job *job, const struct ledger_run *run)
{
    struct core *core = owner;
    struct job_terms terms = core_terms(job);
    struct run_place place = {
        .number = run->run,
        .host = run->host,
        .state = run->at.state,
        .started_us = run->started_us,
    };

    dispatch_restore(core->dispatch, &terms, &place, core->now_us + LISTENING_US);
    return 0;
}

int core_restore(struct core *core, struct refusal *why)
{
    core->dispatch = dispatch_new();
    int r = restore_fleet(core, why);
    if (!r)
        r = ledger_each_open_run(core->reader, restore_run, core);
    arena_reset(&core->arena);
    return r;
}

/* ---- once more ---- */

static void take_all(struct pointers *from, struct pointers *to)
{
    for (size_t i = 0; i < from->n; i++)
        pointers_add(to, from->v[i]);
    from->n = 0;
}

static void take_owner(void *waiting, struct open_job *job)
{
    if (job->owner)
        pointers_add(waiting, job->owner);
    job->owner = NULL;
}

/* Every reference to a call that the core holds; a call may be there twice. */
static void take_calls(struct core *core, struct pointers *ret)
{
    take_all(&core->recorded, ret);
    take_all(&core->done, ret);
    while (core->first_held) {
        pointers_add(ret, core->first_held);
        core->first_held = core->first_held->submit.next_held;
    }
    dispatch_each_job(core->dispatch, take_owner, ret);
}

/* Takes the reference. */
static void give_back(struct core *core, struct call *call)
{
    struct open_job *job =
        call->kind == CALL_SUBMIT ? dispatch_find_job(core->dispatch, &call->id) : NULL;

    if (job && !job->owner) {
        job->owner = call;
    } else if (job || call_is_answered(call)) {
        call_unref(call);
    } else {
        refuse(call_why(call), OUTCOME_NO_SPACE, NULL, "%s: nothing of this was recorded",
               takes_nothing);
        call_answer(call, core->server, OUTCOME_NO_SPACE);
    }
}

/* Agents say hello anew, for what they said last may be lost. */
static int begin_anew(struct core *core)
{
    struct pointers calls = {0};
    struct refusal why;

    if (core->bus)
        bus_drop_all(core->bus, takes_nothing);
    take_calls(core, &calls);
    dispatch_free(core->dispatch);
    fleet_release(&core->fleet);
    core->decisions.n = core->at_once.n = core->n_settled = core->touched.n = 0;
    int r = core_restore(core, &why);
    for (size_t i = 0; i < calls.n; i++)
        give_back(core, calls.v[i]);
    mem_free(calls.v);
    return r > 0 ? FAULT(-EUCLEAN) : r; /* it was readable before */
}

int core_lose_batch(struct core *core)
{
    log_event(LOG_ERROR, "core.no_space", LOG_TEXT("fault", fault_text()),
              LOG_NUMBER("free_bytes", core->free_bytes));
    atomic_store(&core->is_refused, true);
    bool too_early = core->try_pause_us && core->boot_us < core->space_boot_us + TOO_EARLY_US;
    core->try_pause_us = too_early ? 2 * core->try_pause_us : TRY_AGAIN_US;
    if (core->try_pause_us > TRY_AGAIN_MAX_US)
        core->try_pause_us = TRY_AGAIN_MAX_US;
    core->try_boot_us = core->boot_us + core->try_pause_us;
    core->was_full = false;
    return begin_anew(core);
}

int core_try_again(struct core *core)
{
    bool is_full = atomic_load(&core->is_full);
    bool has_room_again = core->was_full && !is_full;

    core->was_full = is_full;
    if (core->boot_us < core->try_boot_us && !has_room_again)
        return 0;
    core->try_boot_us = core->boot_us + TRY_AGAIN_US;
    int r = ledger_try(core->ledger);
    if (r)
        return r < 0 ? r : 0;
    log_event(LOG_NOTICE, "core.space_again", LOG_NUMBER("free_bytes", core->free_bytes));
    atomic_store(&core->is_refused, false);
    core->space_boot_us = core->boot_us;
    return begin_anew(core);
}

int core_can_write(struct core *core, struct refusal *why)
{
    if (!atomic_load(&core->is_refused))
        return 0;
    return refuse(why, OUTCOME_NO_SPACE, NULL, "%s: nothing new can be recorded", takes_nothing);
}
