/* SPDX-License-Identifier: MIT */
/*
 * A growing text buffer that states its limit.
 *
 * What does not fit under `cap` is dropped and remembered: appends need no check of their own, the
 * one who uses the text asks buf_overflowed() once. Of the append that does not fit, the bytes that
 * do are kept, and all later ones are dropped: the contents are always a prefix of what was added.
 * Contents may hold any byte and are not NUL-terminated (buf_text() terminates them on demand).
 */
#ifndef REEVE_BASE_BUF_H
#define REEVE_BASE_BUF_H

#include "base/slice.h"

#include <stdint.h>
#include <string.h>

struct buf {
    char *at;
    size_t size; /* bytes used */
    size_t room; /* bytes allocated */
    size_t cap;  /* bytes it may ever hold */
    bool overflowed;
    bool wipes; /* what it held is gone from memory when it is cleared, grown or released */
};

void buf_init(struct buf *buf, size_t cap); /* allocates nothing */
/* The same, for what may be secret. */
void buf_init_secret(struct buf *buf, size_t cap);
void buf_clear(struct buf *buf);   /* empties it, keeps the memory */
void buf_release(struct buf *buf); /* also for CLEANUP; accepts a zeroed struct */

/* True when something was dropped since the last clear: the contents are cut, maybe inside a
 * character. */
bool buf_overflowed(const struct buf *buf);
struct slice buf_slice(const struct buf *buf);
/* NUL-terminated contents, valid until the next change. */
const char *buf_text(struct buf *buf);

/* For buf_add() where the room has to be made first, or is not allowed. */
void buf_add_slow(struct buf *buf, const void *bytes, size_t size);
/* Inline: replies are made of short pieces, most of them literals. */
static inline void buf_add(struct buf *buf, const void *bytes, size_t size)
{
    if (size >= buf->room - buf->size || buf->overflowed) {
        buf_add_slow(buf, bytes, size);
        return;
    }
    if (size > 0)
        memcpy(buf->at + buf->size, bytes, size);
    buf->size += size;
}
void buf_add_slice(struct buf *buf, struct slice text);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `size` more bytes at the returned place, to be counted by raising buf->size. When that
   is over the cap: NULL, and it counts as dropped. */
char *buf_reserve(struct buf *buf, size_t size);

#endif
