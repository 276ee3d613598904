/* SPDX-License-Identifier: MIT */
/*
 * How often: requests of a token, bad tokens of an address.
 *
 * Both are tables of a fixed size, keyed by a number; time is an argument. Thread-safe: the loops
 * share one of each, so that a limit is one whichever loop a client comes to. A full table forgets
 * the entry that matters least, and so errs for the client.
 */
#ifndef REEVE_HTTP_LIMIT_H
#define REEVE_HTTP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_ENTRIES 4096

/* ---- rate ---- */

struct rate_limit;

struct rate_limit *rate_limit_new(void);
void rate_limit_free(struct rate_limit *limit);
/* per_second 0: no limit. Any thread, any time; other limits than before begin anew. */
void rate_limit_set(struct rate_limit *limit, int64_t per_second, int64_t burst);
/* Takes one. 0, or the microseconds after which there will be one. */
int64_t rate_limit_take(struct rate_limit *limit, uint64_t key, int64_t now_us);

/* ---- lock-out ---- */

#define LOCKOUT_WINDOW_US (60 * INT64_C(1000000)) /* in which attempts are counted */

struct lockout;

struct lockout *lockout_new(void);
void lockout_free(struct lockout *lockout);
/* attempts 0: nobody is ever locked out. */
void lockout_set(struct lockout *lockout, int64_t attempts, int64_t duration_us);
/* 0, or the microseconds until the key is let in again. */
int64_t lockout_left(struct lockout *lockout, uint64_t key, int64_t now_us);
/* One bad attempt. True when it is the one that locks the key out. */
bool lockout_count(struct lockout *lockout, uint64_t key, int64_t now_us);

#endif
