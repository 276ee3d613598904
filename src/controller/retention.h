/* SPDX-License-Identifier: MIT */
/*
 * Retention: a thread that finds what the rules want gone, archives it, and has the core drop it.
 *
 * Slice after slice; the core spends at most half of its time on them, a tenth when requests wait,
 * and no request waits for more than one. What is archived is durable before it is dropped; while
 * the archive fails nothing is dropped.
 */
#ifndef REEVE_CONTROLLER_RETENTION_H
#define REEVE_CONTROLLER_RETENTION_H

#include "controller/core.h"

#define RETENTION_LOOK_US    US_PER_S       /* between looks that found nothing */
#define RETENTION_FAILED_US  (5 * US_PER_S) /* after the archive or the disk refused */
#define RETENTION_BUSY_TIMES 10             /* pauses under load, in lengths of the slice */

struct retention;

/* The core runs. `archive` is a directory; it need not be there. 0 or a fault. */
int retention_start(struct core *core, const char *archive, struct retention **ret);
/* From any thread: these rules from now on; at first there are none, and nothing is dropped. */
void retention_follow(struct retention *retention, const struct config_retention *rules);
/* Before the core is stopped. Returns the fault that had ended the thread, or 0; the core has then
   been told to end (core_ended_fd()). Accepts NULL. */
int retention_stop(struct retention *retention);

#endif
