/* SPDX-License-Identifier: MIT */
/*
 * Escapes (RFC 8259 §7) and kinds. escape_size() proves an escape, unescaped_next() relies on the
 * proof.
 */
#include "base/json_inside.h"

enum json_kind json_kind_of(char first)
{
    switch (first) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 'n':
        return JSON_NULL;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    default:
        return JSON_NUMBER;
    }
}

/* The UTF-16 unit of the escape "\uXXXX" at `at`, -1 when there is none. */
static int32_t unit_at(const char *at, const char *end)
{
    int32_t unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static unsigned utf8_encode(uint32_t point, char ret[4])
{
    if (point < 0x80) {
        ret[0] = (char)point;
        return 1;
    }
    unsigned size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (unsigned i = size - 1; i > 0; i--) {
        ret[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    ret[0] = (char)((0xF00 >> size) | point);
    return size;
}

size_t escape_size(const char *at, const char *end)
{
    if (end - at >= 2 && at[1] != '\0' && strchr("\"\\/bfnrt", at[1]))
        return 2;
    int32_t unit = unit_at(at, end);
    if (unit < 0 || is_low_surrogate(unit))
        return 0;
    if (!is_high_surrogate(unit))
        return 6;
    return is_low_surrogate(unit_at(at + 6, end)) ? 12 : 0;
}

struct unescaped unescaped_of(struct slice inside)
{
    return (struct unescaped){.at = inside.at, .end = inside.at + inside.size};
}

static int unescaped_letter(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter; /* " \ / */
    }
}

int unescaped_next(struct unescaped *u)
{
    if (u->n_read < u->n_bytes)
        return (uint8_t)u->bytes[u->n_read++];
    if (u->at == u->end)
        return -1;
    if (*u->at != '\\')
        return (uint8_t)*u->at++;
    if (u->at[1] != 'u') {
        u->at += 2;
        return unescaped_letter(u->at[-1]);
    }

    int32_t unit = unit_at(u->at, u->end);
    uint32_t point = (uint32_t)unit;
    u->at += 6;
    if (is_high_surrogate(unit)) {
        int32_t low = unit_at(u->at, u->end);
        point = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
        u->at += 6;
    }
    u->n_bytes = utf8_encode(point, u->bytes);
    u->n_read = 1;
    return (uint8_t)u->bytes[0];
}
