/* SPDX-License-Identifier: MIT */
/*
 * Slices and UTF-8.
 */
#include "base/slice.h"

#include <stdint.h>

struct slice slice_of(const char *text)
{
    return (struct slice){.at = text, .size = text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    /* memcmp must not see the NULL of an empty slice. */
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_of(text));
}

bool slice_starts(struct slice a, const char *prefix)
{
    size_t size = strlen(prefix);

    return a.size >= size &&
           slice_equal((struct slice){.at = a.at, .size = size}, slice_of(prefix));
}

bool slice_cut(struct slice *rest, char separator, struct slice *ret_head)
{
    struct slice all = *rest;
    const char *found = all.size ? memchr(all.at, separator, all.size) : NULL;

    if (!found) {
        *ret_head = all;
        *rest = (struct slice){.at = all.size ? all.at + all.size : NULL};
        return false;
    }
    size_t head_size = (size_t)(found - all.at);
    *ret_head = (struct slice){.at = all.at, .size = head_size};
    *rest = (struct slice){.at = found + 1, .size = all.size - head_size - 1};
    return true;
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* RFC 3629 §4: only the second byte's range depends on the first; that is where overlong forms,
   surrogates and what lies above U+10FFFF are kept out. */
static const struct utf8_row {
    uint8_t first_low, first_high;
    uint8_t second_low, second_high;
    uint8_t size;
} utf8_rows[] = {
    {.first_low = 0xC2, .first_high = 0xDF, .second_low = 0x80, .second_high = 0xBF, .size = 2},
    {.first_low = 0xE0, .first_high = 0xE0, .second_low = 0xA0, .second_high = 0xBF, .size = 3},
    {.first_low = 0xE1, .first_high = 0xEC, .second_low = 0x80, .second_high = 0xBF, .size = 3},
    {.first_low = 0xED, .first_high = 0xED, .second_low = 0x80, .second_high = 0x9F, .size = 3},
    {.first_low = 0xEE, .first_high = 0xEF, .second_low = 0x80, .second_high = 0xBF, .size = 3},
    {.first_low = 0xF0, .first_high = 0xF0, .second_low = 0x90, .second_high = 0xBF, .size = 4},
    {.first_low = 0xF1, .first_high = 0xF3, .second_low = 0x80, .second_high = 0xBF, .size = 4},
    {.first_low = 0xF4, .first_high = 0xF4, .second_low = 0x80, .second_high = 0x8F, .size = 4},
};

static size_t utf8_row_match(const struct utf8_row *row, const uint8_t *at, size_t room)
{
    if (room < row->size || at[1] < row->second_low || at[1] > row->second_high)
        return 0;
    for (size_t i = 2; i < row->size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    return row->size;
}

size_t slice_character_size(struct slice a)
{
    if (a.size == 0)
        return 0;
    const uint8_t *at = (const uint8_t *)a.at;
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++) {
        if (at[0] >= utf8_rows[i].first_low && at[0] <= utf8_rows[i].first_high)
            return utf8_row_match(&utf8_rows[i], at, a.size);
    }
    return 0;
}

bool slice_is_utf8(struct slice a)
{
    while (a.size > 0) {
        size_t size = slice_character_size(a);
        if (size == 0)
            return false;
        a.at += size;
        a.size -= size;
    }
    return true;
}

size_t slice_characters(struct slice a)
{
    size_t n = 0;

    for (size_t i = 0; i < a.size; i++)
        n += ((uint8_t)a.at[i] & 0xC0) != 0x80;
    return n;
}

struct slice slice_cut_at_character(struct slice a, size_t size_max)
{
    if (a.size <= size_max)
        return a;
    size_t size = size_max;
    while (size > 0 && ((uint8_t)a.at[size] & 0xC0) == 0x80)
        size--;
    return (struct slice){.at = a.at, .size = size};
}
