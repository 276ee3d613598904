/* SPDX-License-Identifier: MIT */
/*
 * The door into the core for threads beside it that wait for what they ask: retention, bulk
 * actions.
 *
 * Errands are run last in the batch of a turn, for they name jobs by version: one that something
 * has just happened to is another version of it, and stays.
 */
#include "controller/inside.h"

#include <sys/eventfd.h>

int core_do(struct core *core, struct errand *errand)
{
    errand->outcome = OUTCOME_UNAVAILABLE;
    errand->is_answered = false;
    pthread_mutex_lock(&core->lock);
    if (!core->has_ended) {
        pointers_add(&core->errands, errand);
        eventfd_write(core->wake_fd, 1);
    }
    while (!errand->is_answered && !core->has_ended)
        pthread_cond_wait(&core->errand_done, &core->lock);
    pthread_mutex_unlock(&core->lock);
    return errand->outcome;
}

static void answer(struct core *core, struct errand *errand, int outcome)
{
    pthread_mutex_lock(&core->lock);
    errand->outcome = outcome;
    errand->is_answered = true;
    pthread_cond_broadcast(&core->errand_done);
    pthread_mutex_unlock(&core->lock);
}

static int run(struct core *core, struct errand *errand)
{
    int r = core_can_write(core, &errand->why);

    return r ? r : errand->run(core, errand);
}

int errands_run(struct core *core)
{
    pthread_mutex_lock(&core->lock);
    struct pointers taken = core->errands;
    core->errands = core->applied;
    pthread_mutex_unlock(&core->lock);
    core->applied = (struct pointers){.v = taken.v, .room = taken.room};
    for (size_t i = 0; i < taken.n; i++) {
        struct errand *errand = taken.v[i];
        int r = run(core, errand);
        if (r < 0)
            return r;
        if (r)
            answer(core, errand, r);
        else
            core->applied.v[core->applied.n++] = errand; /* at i or before it */
    }
    return 0;
}

void errands_answer(struct core *core, int outcome)
{
    for (size_t i = 0; i < core->applied.n; i++)
        answer(core, core->applied.v[i], outcome < 0 ? OUTCOME_UNAVAILABLE : outcome);
    core->applied.n = 0;
}

void errands_end(struct core *core)
{
    pthread_mutex_lock(&core->lock);
    core->has_ended = true;
    pthread_cond_broadcast(&core->errand_done);
    pthread_mutex_unlock(&core->lock);
}
