/* SPDX-License-Identifier: MIT */
/*
 * The input of runs: what of it is secret lies sealed in the ledger until its host has it.
 *
 * In the clear it exists in the call of its job, in the turn's arena and in the bus, all of which
 * wipe.
 */
#include "base/mem.h"
#include "controller/inside.h"

#include <assert.h>

const struct slice *input_seal(struct core *core, const struct call *call)
{
    const struct call_submit *submit = &call->submit;
    struct seal_place place = {.job = call->id};
    size_t size = submit->whole.size + SEAL_ADDED;

    if (submit->whole.size == 0)
        return NULL;
    struct slice *sealed = arena_alloc(&core->arena, submit->hosts.n * sizeof(*sealed));
    for (; place.run < submit->hosts.n; place.run++) {
        CLEANUP(buf_release) struct buf text;
        buf_init(&text, size);
        seal_close(&core->seal_key, &place, submit->whole, &text);
        assert(text.size == size);
        sealed[place.run] =
            (struct slice){.at = arena_copy(&core->arena, buf_slice(&text)), .size = size};
    }
    return sealed;
}

static int input_open(struct core *core, const struct open_run *run, struct slice *ret)
{
    struct seal_place place = {.job = run->job->id, .run = run->number};
    struct slice sealed;

    int r = ledger_sealed(core->reader, &place.job, place.run, &core->arena, &sealed);
    if (r)
        return r == OUTCOME_NOT_FOUND ? OUTCOME_UNAVAILABLE : r;
    return seal_break(&core->seal_key, &place, sealed, &core->arena, ret);
}

int input_find(struct core *core, const struct open_run *run, struct bus_task *ret)
{
    const struct call *call = run->job->owner;
    struct ledger_job recorded;

    if (run->job->sensitive)
        SET(ret, sensitive, true);
    if (call && call->submit.data.size) {
        SET(ret, operation, call->submit.op->type);
        SET(ret, data, call->submit.whole.size ? call->submit.whole : call->submit.data);
        SET(ret, user, call->submit.user);
        return 0;
    }
    int r = ledger_job(core->reader, &run->job->id, &core->arena, &recorded);
    assert(r <= 0); /* what is open and not in a call is in the ledger */
    if (!r && recorded.sealed)
        r = input_open(core, run, &recorded.data);
    if (r)
        return r;
    SET(ret, operation, recorded.operation);
    SET(ret, data, recorded.data);
    SET(ret, user, recorded.user);
    return 0;
}
