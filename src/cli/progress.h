/* SPDX-License-Identifier: MIT */
/*
 * One line on the terminal while a request waits: shown after a second, rewritten each second,
 * erased at the end.
 */
#ifndef REEVE_CLI_PROGRESS_H
#define REEVE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *waits_for; /* a target; NULL: the controller itself */
    bool enabled;          /* standard error is a terminal */
    int64_t since_boot_us, shown_s;
};

struct progress progress_begin(const char *waits_for);
/* For struct exchange: `owner` is the progress. */
void progress_tick(void *owner);
void progress_end(const struct progress *progress);

#endif
