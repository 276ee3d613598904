/* SPDX-License-Identifier: MIT */
/*
 * State changes at a steady rate, beside a measurement: commands submitted to the host of echo.h by
 * a process of its own.
 */
#ifndef REEVE_BENCH_CHANGES_H
#define REEVE_BENCH_CHANGES_H

#include "controller.h"
#include "load.h"

/* A command is submitted and completes: two changes, in a commit each. */
#define CHANGES_A_COMMAND 2u

/* It ends with this one. */
pid_t changes_start(const struct controller *controller, unsigned commands_per_second);
/* While paused nothing is submitted, nor made up for afterwards. */
void changes_pause(pid_t pid);
void changes_resume(pid_t pid);

/* Of the same kind as load_request; the owner is a struct controller. Answered when the job is
   durable: the command itself goes on. */
void changes_request(void *owner, uint64_t number, struct buf *to);
/* A query, answered when it and its outcome are durable. */
void changes_query(void *owner, uint64_t number, struct buf *to);

#endif
