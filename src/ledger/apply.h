/* SPDX-License-Identifier: MIT */
/*
 * Records to state, inside the writer's batch: what apply.c, apply_run.c and apply_agent.c share.
 *
 * An apply function checks everything before its first write: an outcome (> 0) leaves the batch as
 * it was, a fault (< 0) loses it. Slices that were read from tables die with the next write.
 */
#ifndef REEVE_LEDGER_APPLY_H
#define REEVE_LEDGER_APPLY_H

#include "ledger/inside.h"

/* now_us: the record's time, raised to that of the record before. */
typedef int apply_record(struct ledger *ledger, const struct record *record, int64_t now_us,
                         struct ledger_effect *ret);

apply_record apply_submitted, apply_cancelled, apply_retried; /* apply.c */
apply_record apply_deleted, apply_dropped;                    /* apply.c */
apply_record apply_run_state, apply_released, apply_moved;    /* apply_run.c */
apply_record apply_agent, apply_reported;                     /* apply_agent.c */

/* To be called by whatever changed something: the record is part of the ledger now. */
void ledger_record_applied(struct ledger *ledger, int64_t now_us);

/* A job while a record changes it: `head` is what it will be. */
struct change {
    struct ledger *ledger;
    int64_t now_us;
    uint64_t seq;
    struct head before, head;
};

/* OUTCOME_NOT_FOUND when there is no such job. */
int change_open(struct ledger *ledger, uint64_t seq, int64_t now_us, struct change *ret);
/* Writes the head and notes the move for the index. */
int change_save(struct change *change, struct ledger_effect *ret);
/* For rows that not every job, or run, has. */
int delete_if_there(struct txn *txn, enum table table, struct slice key);
/* Nothing was changed. */
void change_repeat(const struct change *change, struct ledger_effect *ret);

int change_read_events(struct change *change, struct job_events *ret);
/* A full history loses its oldest event. */
int change_add_event(struct change *change, struct job_events *events,
                     const struct job_event_row *event);

#endif
