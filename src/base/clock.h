/* SPDX-License-Identifier: MIT */
/*
 * Time. Everything is int64_t microseconds: wall time since 1970 (`…_us`, "now"), or CLOCK_BOOTTIME
 * (`boot`), which never jumps and counts while the machine sleeps.
 *
 * Only main loops read clocks; everything below them takes the time as an argument.
 */
#ifndef REEVE_BASE_CLOCK_H
#define REEVE_BASE_CLOCK_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

int64_t clock_now_us(void);
int64_t clock_boot_us(void);

/* "2026-11-24T06:12:28.123456Z": RFC 3339, UTC, always six digits of fraction, 27 bytes and NUL. */
#define TIME_TEXT_SIZE 28
void time_format(int64_t time_us, char ret[TIME_TEXT_SIZE]);
void buf_add_time(struct buf *buf, int64_t time_us);
const char *time_text(struct arena *arena, int64_t time_us);
/* RFC 3339 with any offset and 0-9 fraction digits (beyond six are cut). False when it is none. */
bool time_parse(struct slice text, int64_t *ret_us);

/* "30s", "1h30m", "2d", "250ms", "0s": one or more of <number><d|h|m|s|ms>, each unit at most once,
   in falling order; at most 3650 days. False when it is none. */
#define DURATION_GRAMMAR "a duration such as 30s, 5m, 2h or 7d"
bool duration_parse(struct slice text, int64_t *ret_us);
/* Go's text of a duration, as the contract shows it: "842.5ms", "1.234567s", "2m3.5s", "100h0m5s",
 * "0s". */
#define DURATION_TEXT_SIZE 40
void duration_format(int64_t duration_us, char ret[DURATION_TEXT_SIZE]);
/* "3 days, 1 hour, 20 minutes": the contract's uptime text of /node/{hostname} and /agent. */
void uptime_format(int64_t uptime_s, char ret[DURATION_TEXT_SIZE + 24]);

#endif
