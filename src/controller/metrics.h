/* SPDX-License-Identifier: MIT */
/*
 * What this process has counted since it started, and the page that shows it
 * (Prometheus text format 0.0.4).
 *
 * Counting takes no lock and may be done in any thread. What can be read elsewhere is not counted
 * again: jobs by state come from the ledger, open runs and agents from the core, memory and CPU
 * from the kernel.
 */
#ifndef REEVE_CONTROLLER_METRICS_H
#define REEVE_CONTROLLER_METRICS_H

#include "base/buf.h"
#include "job/job.h"

#include <stdint.h>

#define METRICS_PAGE_MAX ((size_t)4 << 20)

struct metrics;
struct core;
struct ledger_reader;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* accepts NULL */

int64_t metrics_started_us(const struct metrics *metrics);

/* A reply; `op` NULL: to a path that is no operation's. `duration_us` since its headers were
   complete, what it waited for a job included. */
void metrics_replied(struct metrics *metrics, const struct op *op, int status, int64_t duration_us);
/* A run became final; `op` NULL: an operation that this version does not have. */
void metrics_run_ended(struct metrics *metrics, const struct op *op, const struct run_point *at);
/* By retention. */
void metrics_dropped(struct metrics *metrics, uint32_t n_jobs);
/* A batch was committed. */
void metrics_committed(struct metrics *metrics, int64_t duration_us);

/* Appends the page. 0 or a fault. */
int metrics_write(struct metrics *metrics, struct core *core, struct ledger_reader *reader,
                  struct buf *page);

#endif
