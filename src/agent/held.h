/* SPDX-License-Identifier: MIT */
/*
 * What sensitive runs came to, until the controller has it: in memory alone.
 *
 * The runlog has the report without it. Who asks again after a restart gets that.
 */
#ifndef REEVE_AGENT_HELD_H
#define REEVE_AGENT_HELD_H

#include "bus/bus.h"

#define HELD_MAX ((size_t)64 << 20) /* bytes; what is over it is told without */

struct held_result;

/* By number of the report, rising. A zeroed struct with held_init(). */
struct held {
    struct held_result *first, **end;
    size_t size;
};

void held_init(struct held *held);
void held_release(struct held *held);
/* Number `number` is the highest so far. */
void held_add(struct held *held, int64_t number, struct slice error, struct slice data);
/* Bytes held of a report; 0: nothing. */
size_t held_size(const struct held *held, int64_t number);
/* Puts them into the report as the runlog has it; they live until held_forget(). */
void held_reveal(const struct held *held, struct bus_report *report);
/* Of all reports up to `number`: wiped. */
void held_forget(struct held *held, int64_t number);

#endif
