/* SPDX-License-Identifier: MIT */
/*
 * Cleaning and measuring text for a terminal.
 *
 * Everything walks character by character through point_next(), so that a byte that is no UTF-8 is
 * one character of its own everywhere.
 */
#include "cli/text.h"

#include "base/mem.h"

#include <locale.h>
#include <wchar.h>

#define NOT_UTF8 UINT32_MAX

/* What is never printed as it is. Controls: ECMA-48 C0 and C1. Bidi: Unicode annex 9 (embeddings,
   overrides, isolates, marks). Invisible: zero-width and separator characters, byte order mark,
   interlinear marks, tags. */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {.first = 0x0000, .last = 0x001F},   {.first = 0x007F, .last = 0x009F},
    {.first = 0x061C, .last = 0x061C},   {.first = 0x200B, .last = 0x200F},
    {.first = 0x2028, .last = 0x202E},   {.first = 0x2060, .last = 0x206F},
    {.first = 0xFEFF, .last = 0xFEFF},   {.first = 0xFFF9, .last = 0xFFFB},
    {.first = 0xE0000, .last = 0xE007F},
};

void text_setup(void)
{
    /* Without it wcwidth() knows ASCII alone. LC_CTYPE only: numbers keep their point. */
    setlocale(LC_CTYPE, "C.UTF-8");
}

static uint32_t point_decode(const unsigned char *at, size_t size)
{
    static const unsigned char first_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = at[0] & first_mask[size];

    for (size_t i = 1; i < size; i++)
        point = point << 6 | (at[i] & 0x3F);
    return point;
}

/* Takes the first character off *rest; false at the end. *ret_point is NOT_UTF8 for a byte that
 * begins none. */
static bool point_next(struct slice *rest, uint32_t *ret_point, struct slice *ret_bytes)
{
    if (rest->size == 0)
        return false;
    size_t size = slice_character_size(*rest);
    *ret_point = size ? point_decode((const unsigned char *)rest->at, size) : NOT_UTF8;
    *ret_bytes = (struct slice){.at = rest->at, .size = size ? size : 1};
    rest->at += ret_bytes->size;
    rest->size -= ret_bytes->size;
    return true;
}

static bool point_is_printable(uint32_t point)
{
    for (size_t i = 0; i < COUNT_OF(unprintable); i++) {
        if (point >= unprintable[i].first && point <= unprintable[i].last)
            return false;
    }
    return point != NOT_UTF8;
}

static void point_escape(struct buf *to, uint32_t point, struct slice bytes)
{
    if (point == NOT_UTF8)
        buf_printf(to, "\\x%02x", (unsigned char)bytes.at[0]);
    else if (point == '\n')
        buf_add_text(to, "\\n");
    else if (point == '\t')
        buf_add_text(to, "\\t");
    else if (point > 0xFFFF)
        buf_printf(to, "\\U%08x", (unsigned)point);
    else
        buf_printf(to, "\\u%04x", (unsigned)point);
}

void text_clean(struct buf *to, struct slice text, enum text_lines lines)
{
    uint32_t point;
    struct slice bytes;

    while (point_next(&text, &point, &bytes)) {
        bool layout = point == '\n' || point == '\t';
        if (point_is_printable(point) || (layout && lines == TEXT_KEEP_LINES))
            buf_add_slice(to, bytes);
        else
            point_escape(to, point, bytes);
    }
}

static size_t point_columns(uint32_t point)
{
    int columns = wcwidth((wchar_t)point);

    return columns < 0 ? 1 : (size_t)columns;
}

size_t text_columns(struct slice clean)
{
    uint32_t point;
    struct slice bytes;
    size_t columns = 0;

    while (point_next(&clean, &point, &bytes))
        columns += point_columns(point);
    return columns;
}

void text_fill(struct buf *to, size_t columns)
{
    while (columns-- > 0)
        buf_add_char(to, ' ');
}

/* Appends what fits into columns - 1, then the ellipsis; a wide character may leave a blank. */
static void text_cut(struct buf *to, struct slice clean, size_t columns)
{
    uint32_t point;
    struct slice bytes;
    size_t used = 0;

    while (point_next(&clean, &point, &bytes) && used + point_columns(point) < columns) {
        buf_add_slice(to, bytes);
        used += point_columns(point);
    }
    buf_add_text(to, TEXT_ELLIPSIS);
    text_fill(to, columns - used - 1);
}

void text_fit(struct buf *to, struct slice clean, size_t columns, bool right)
{
    size_t needed = text_columns(clean);

    if (columns == 0)
        return;
    if (needed > columns) {
        text_cut(to, clean, columns);
        return;
    }
    if (right)
        text_fill(to, columns - needed);
    buf_add_slice(to, clean);
    if (!right)
        text_fill(to, columns - needed);
}
