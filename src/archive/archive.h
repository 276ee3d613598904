/* SPDX-License-Identifier: MIT */
/*
 * The archive: files of text that only grow, a zstd frame at a time.
 *
 * A frame is durable when archive_end() returns 0. What an interrupted write leaves behind is cut
 * off before anything else is written, and by archive_mend() at start: then every file can be read
 * from its begin to its end. How much of the newest file is whole stands in a file beside it.
 *
 * Not thread-safe. Each function returns 0, or OUTCOME_UNAVAILABLE with *why for the operator.
 */
#ifndef REEVE_ARCHIVE_ARCHIVE_H
#define REEVE_ARCHIVE_ARCHIVE_H

#include "base/outcome.h"
#include "base/slice.h"

#include <stdint.h>

/* Files are called jobs-<from>.jsonl.zst, from: when their first frame was begun, as
   20261124T061228Z. A new one is begun each day (UTC) and when one has grown to this size. */
#define ARCHIVE_FILE_BYTES ((uint64_t)256 << 20)

struct archive;

/* In directory `dir`, made 0700 by the first frame. Touches nothing. */
struct archive *archive_new(const char *dir);
void archive_free(struct archive *archive); /* accepts NULL */

/* Cuts off what was not ended; *ret_bytes: how much that was. Without a directory nothing is to
   do. */
int archive_mend(struct archive *archive, uint64_t *ret_bytes, struct refusal *why);

/* A frame: begin, any number of add, end. After anything but 0 the frame is lost, and none but
   begin may follow. */
int archive_begin(struct archive *archive, int64_t now_us, struct refusal *why);
int archive_add(struct archive *archive, struct slice text, struct refusal *why);
int archive_end(struct archive *archive, struct refusal *why);

#endif
