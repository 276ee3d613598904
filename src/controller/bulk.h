/* SPDX-License-Identifier: MIT */
/*
 * Bulk actions: retry, cancel or delete all jobs that a filter means.
 *
 * One thread takes one action after the other: it finds the jobs and prepares all that can be
 * prepared (bulk_plan.h); the core applies it in one commit, or none of it. Jobs that have changed
 * since they were found are left alone.
 */
#ifndef REEVE_CONTROLLER_BULK_H
#define REEVE_CONTROLLER_BULK_H

#include "controller/core.h"

#define BULK_QUEUE_MAX 16 /* actions that wait; one more is refused as busy */
/* How long a loop waits for one, those before it included; less than the command line waits. */
#define BULK_ANSWER_US (25 * US_PER_S)

struct bulk;

struct bulk *bulk_new(struct core *core);
/* The core runs, and its server. 0 or a fault. */
int bulk_start(struct bulk *bulk);
/* While the core and its server still run: finishes the action under way, refuses those that wait
   and those that come. Accepts NULL. */
void bulk_stop(struct bulk *bulk);
/* Accepts NULL. Not while the thread runs. */
void bulk_free(struct bulk *bulk);

/* From any thread: a call of CALL_BULK. Takes the reference; the call is answered in any case. */
void bulk_send(struct bulk *bulk, struct call *call);

#endif
