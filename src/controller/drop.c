/* SPDX-License-Identifier: MIT */
/*
 * Retention's door into the core: one record at a time, applied in the batch of a turn.
 *
 * Last in the batch: a job that something has just happened to is another version of it, and stays.
 */
#include "base/fault.h"
#include "controller/inside.h"

#include <assert.h>
#include <sys/eventfd.h>

int core_drop(struct core *core, const struct record_dropped *record, uint32_t *ret_n)
{
    struct drop drop = {.record = *record, .outcome = OUTCOME_UNAVAILABLE};

    pthread_mutex_lock(&core->lock);
    assert(!core->drop);
    if (!core->has_ended) {
        core->drop = &drop;
        eventfd_write(core->wake_fd, 1);
    }
    while (!drop.is_answered && !core->has_ended)
        pthread_cond_wait(&core->dropped, &core->lock);
    core->drop = NULL;
    pthread_mutex_unlock(&core->lock);
    if (drop.outcome == 0)
        *ret_n = drop.n_dropped;
    return drop.outcome;
}

int drop_apply(struct core *core)
{
    struct ledger_effect effect;

    pthread_mutex_lock(&core->lock);
    struct drop *drop = core->drop;
    core->drop = NULL;
    pthread_mutex_unlock(&core->lock);
    core->dropping = drop;
    if (!drop)
        return 0;
    if (atomic_load(&core->is_refused) || FAULT_POINT("retention.refused")) {
        drop_answer(core, OUTCOME_NO_SPACE);
        return 0;
    }
    struct record record = {.kind = RECORD_DROPPED, .dropped = drop->record};
    int r = core_apply(core, &record, &effect);
    assert(r <= 0); /* such a record is never refused */
    drop->n_dropped = r ? 0 : effect.n_dropped;
    return r;
}

void drop_answer(struct core *core, int outcome)
{
    struct drop *drop = core->dropping;

    if (!drop)
        return;
    core->dropping = NULL;
    pthread_mutex_lock(&core->lock);
    drop->outcome = outcome < 0 ? OUTCOME_UNAVAILABLE : outcome;
    drop->is_answered = true;
    pthread_cond_signal(&core->dropped);
    pthread_mutex_unlock(&core->lock);
}

void drop_end(struct core *core)
{
    pthread_mutex_lock(&core->lock);
    core->has_ended = true;
    pthread_cond_signal(&core->dropped);
    pthread_mutex_unlock(&core->lock);
}
