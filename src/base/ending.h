/* SPDX-License-Identifier: MIT */
/*
 * Whether the last process that used a directory ended by itself.
 *
 * A program notes in its state directory that it runs, and takes the note back when it ends. A note
 * that is found at the start was left by one that was killed or that failed: it is kept under
 * another name, for whoever looks after the machine.
 */
#ifndef REEVE_BASE_ENDING_H
#define REEVE_BASE_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#define ENDING_RUNNING "running"
/* Two times (RFC 3339): when the process that failed had started, and when that was noticed. */
#define ENDING_FAILED   "failed"
#define ENDING_TEXT_MAX 256 /* bytes of either file */

/* *ret_failed: the last one did not end by itself. 0 or -errno; nothing depends on the note, so a
   program goes on without. */
int ending_begin(const char *dir, int64_t now_us, bool *ret_failed);
void ending_clean(const char *dir);

#endif
