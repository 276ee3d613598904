/* SPDX-License-Identifier: MIT */
/*
 * Retention's errand: one record at a time.
 */
#include "base/fault.h"
#include "controller/inside.h"

#include <assert.h>

struct drop {
    struct errand errand; /* first */
    struct record record;
    uint32_t n_dropped;
};

static int drop_run(struct core *core, struct errand *errand)
{
    struct drop *drop = (struct drop *)errand;
    struct ledger_effect effect;

    if (FAULT_POINT("retention.refused"))
        return OUTCOME_NO_SPACE;
    int r = core_apply(core, &drop->record, &effect);
    assert(r <= 0); /* such a record is never refused */
    if (r)
        return r;
    drop->n_dropped = effect.n_dropped;
    return 0;
}

int core_drop(struct core *core, const struct record_dropped *record, uint32_t *ret_n)
{
    struct drop drop = {
        .errand = {.run = drop_run},
        .record = {.kind = RECORD_DROPPED, .dropped = *record},
    };

    int r = core_do(core, &drop.errand);
    if (r)
        return r;
    *ret_n = drop.n_dropped;
    return 0;
}
