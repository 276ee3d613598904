/* SPDX-License-Identifier: MIT */
/*
 * Replies that are lines of JSON, printed as they come.
 *
 * Only whole lines are printed, so that what was printed can be used even when the reply was cut;
 * then the cursor of the last line says where to go on.
 */
#ifndef REEVE_CLI_STREAM_H
#define REEVE_CLI_STREAM_H

#include "catalog/catalog.h"

#define STREAM_LINE_MAX ((size_t)128 << 20) /* bytes */

struct stream {
    struct buf begun; /* a line that is not whole yet */
    struct buf last;  /* the last whole line */
    int (*print)(struct slice lines);
    bool has_begun; /* something came */
};

void stream_init(struct stream *stream, int (*print)(struct slice lines));
void stream_release(struct stream *stream);
/* For struct exchange: the owner is the stream. 0, a fault, or OUTCOME_FAULT: a line is over
   STREAM_LINE_MAX. */
int stream_take(void *owner, struct slice bytes);
/* Whether it ended in the middle of a line. */
bool stream_is_cut(const struct stream *stream);
/* The cursor of the last whole line, in the arena; NULL: there is none. */
const char *stream_cursor(const struct stream *stream, const struct schema *line,
                          struct arena *arena);

#endif
