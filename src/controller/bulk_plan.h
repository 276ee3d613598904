/* SPDX-License-Identifier: MIT */
/*
 * The plan of a bulk action: the jobs that were found, and what each needs.
 *
 * Made by the thread of bulk actions (bulk_plan.c), then the core's until it has answered the
 * errand (bulk_apply.c). What is shared between jobs is there once, so that the core decides it
 * once.
 */
#ifndef REEVE_CONTROLLER_BULK_PLAN_H
#define REEVE_CONTROLLER_BULK_PLAN_H

#include "controller/inside.h"

/* A plan ends where it reaches one of these; the other jobs are left to the next action. */
#define BULK_BYTES_MAX   ((size_t)64 << 20) /* payloads above all */
#define BULK_SHARED_MAX  100                /* targets for which the core looks through the fleet */
#define BULK_CHOICES_MAX 4000000u           /* jobs for _any, times agents to choose from */

struct bulk_target {
    struct target target;

    /* The core's. */
    bool is_resolved;
    int outcome; /* not 0: nobody is meant, now */
    struct host_list hosts;
};

struct bulk_retry {
    struct slice data; /* the job payload */
    struct bulk_target *target;
    int64_t limit_us, expires_us; /* expires: from now */
};

struct bulk_job {
    struct uuid id;
    uint64_t seq;
    int64_t version;
    const struct op *op;
    struct bulk_retry retry; /* BULK_RETRY */
};

struct bulk_plan {
    struct errand errand; /* first */
    struct call *call;
    struct arena arena;    /* of all that the core needs */
    struct bulk_job *jobs; /* newest first */
    uint32_t n;
    uint32_t n_taken; /* the core's answer */

    struct bulk_target *shared[BULK_SHARED_MAX];
    uint32_t n_shared, n_any, n_agents;
    struct arena one; /* of the job that is looked at */
};

/* `n_agents`: in the fleet, about. */
void bulk_plan_init(struct bulk_plan *plan, struct call *call, uint32_t n_agents);
void bulk_plan_release(struct bulk_plan *plan);
/* Finds the jobs; fills `matched` and `next` of the call. OUTCOME_FORBIDDEN, with the errand's
   `why`: the caller may not do one of the operations; or a fault. */
int bulk_plan_make(struct bulk_plan *plan, struct ledger_reader *reader);

/* In the core. 0 with n_taken; OUTCOME_FORBIDDEN: a job would run where the token may not;
   OUTCOME_BUSY, OUTCOME_NO_SPACE as core_room(). */
int bulk_apply(struct core *core, struct errand *errand);

#endif
