/* SPDX-License-Identifier: MIT */
/*
 * Text buffer: room doubles and ends one byte above the cap, for the NUL of buf_text().
 *
 * Every append goes through buf_fit(), which alone knows the cap.
 */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>

#define ROOM_FIRST ((size_t)64)

void buf_init(struct buf *buf, size_t cap)
{
    assert(cap < SIZE_MAX);
    *buf = (struct buf){.cap = cap};
}

void buf_init_secret(struct buf *buf, size_t cap)
{
    buf_init(buf, cap);
    buf->wipes = true;
}

void buf_clear(struct buf *buf)
{
    if (buf->wipes && buf->at)
        explicit_bzero(buf->at, buf->size);
    buf->size = 0;
    buf->overflowed = false;
}

void buf_release(struct buf *buf)
{
    if (buf->wipes && buf->at)
        explicit_bzero(buf->at, buf->room);
    mem_free(buf->at);
    *buf = (struct buf){.cap = buf->cap, .wipes = buf->wipes};
}

bool buf_overflowed(const struct buf *buf)
{
    return buf->overflowed;
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){.at = buf->at, .size = buf->size};
}

/* realloc() would leave a copy behind. */
static char *moved_secret(struct buf *buf, size_t room)
{
    char *at = mem_alloc(room);

    if (buf->at) {
        memcpy(at, buf->at, buf->size);
        explicit_bzero(buf->at, buf->room);
        mem_free(buf->at);
    }
    return at;
}

/* Room for `size` more bytes and a NUL; `size` fits under the cap. */
static void buf_grow(struct buf *buf, size_t size)
{
    size_t needed = buf->size + size + 1;

    if (needed <= buf->room)
        return;
    size_t room = buf->room < ROOM_FIRST ? ROOM_FIRST : buf->room;
    while (room < needed)
        room = room > SIZE_MAX / 2 ? needed : room * 2;
    if (room > buf->cap + 1)
        room = buf->cap + 1;
    buf->at = buf->wipes ? moved_secret(buf, room) : mem_realloc(buf->at, room);
    buf->room = room;
}

/* How many of `size` bytes may be added: all, or what fits, once; nothing after that. Makes the
 * room. */
static size_t buf_fit(struct buf *buf, size_t size)
{
    if (buf->overflowed)
        return 0;
    size_t left = buf->cap - buf->size;
    if (size > left) {
        buf->overflowed = true;
        size = left;
    }
    buf_grow(buf, size);
    return size;
}

const char *buf_text(struct buf *buf)
{
    buf_grow(buf, 0);
    buf->at[buf->size] = '\0';
    return buf->at;
}

void buf_add_slow(struct buf *buf, const void *bytes, size_t size)
{
    size_t fits = buf_fit(buf, size);

    if (fits == 0)
        return;
    memcpy(buf->at + buf->size, bytes, fits);
    buf->size += fits;
}

void buf_add_slice(struct buf *buf, struct slice text)
{
    buf_add(buf, text.at, text.size);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    if (buf_fit(buf, 1) == 1)
        buf->at[buf->size++] = c;
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    char digits[20]; /* "-9223372036854775808" */
    char *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        *--at = '-';
    buf_add(buf, at, (size_t)(digits + sizeof(digits) - at));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int printed = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(printed >= 0);
    size_t fits = buf_fit(buf, (size_t)printed);
    if (fits == 0)
        return;
    va_start(args, format);
    vsnprintf(buf->at + buf->size, fits + 1, format, args);
    va_end(args);
    buf->size += fits;
}

char *buf_reserve(struct buf *buf, size_t size)
{
    if (buf->overflowed || size > buf->cap - buf->size) {
        buf->overflowed = true;
        return NULL;
    }
    buf_grow(buf, size);
    return buf->at + buf->size;
}
