/* SPDX-License-Identifier: MIT */
/*
 * Walkers over checked text, and the values in it.
 *
 * What json_check() proved is skipped and not looked at again: to a walker commas and colons are
 * white space.
 */
#include "base/json.h"

#include "base/json_inside.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>

static const char *blank_skip(const char *at, const char *end)
{
    while (at < end &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':'))
        at++;
    return at;
}

static const char *string_skip(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    return at + 1;
}

static const char *scalar_skip(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && *at != ' ' && *at != '\n' &&
           *at != '\r' && *at != '\t')
        at++;
    return at;
}

static const char *container_skip(const char *at)
{
    unsigned depth = 0;

    do {
        if (*at == '"') {
            at = string_skip(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

/* The value at *at, which is moved behind it. */
static struct json value_take(const char **at, const char *end)
{
    const char *first = *at;
    enum json_kind kind = json_kind_of(*first);

    if (kind == JSON_STRING)
        *at = string_skip(first);
    else if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        *at = container_skip(first);
    else
        *at = scalar_skip(first, end);
    return (struct json){.kind = kind, .text = {.at = first, .size = (size_t)(*at - first)}};
}

struct json_walk json_walk(struct json array_or_object)
{
    struct slice text = array_or_object.text;

    assert(array_or_object.kind == JSON_OBJECT || array_or_object.kind == JSON_ARRAY);
    return (struct json_walk){
        .at = text.at + 1,
        .end = text.at + text.size - 1,
        .members = array_or_object.kind == JSON_OBJECT,
    };
}

bool json_next(struct json_walk *walk)
{
    walk->at = blank_skip(walk->at, walk->end);
    if (walk->at == walk->end)
        return false;
    if (walk->members) {
        walk->key = value_take(&walk->at, walk->end);
        walk->at = blank_skip(walk->at, walk->end);
    }
    walk->value = value_take(&walk->at, walk->end);
    return true;
}

bool json_member(struct json object, const char *name, struct json *ret)
{
    struct json_walk walk = json_walk(object);

    while (json_next(&walk)) {
        if (!json_string_is(walk.key, name))
            continue;
        *ret = walk.value;
        return true;
    }
    return false;
}

static struct slice string_inside(struct json string)
{
    assert(string.kind == JSON_STRING);
    return (struct slice){.at = string.text.at + 1, .size = string.text.size - 2};
}

bool json_string_is(struct json string, const char *text)
{
    struct slice inside = string_inside(string);

    if (!memchr(inside.at, '\\', inside.size))
        return slice_is(inside, text);
    struct unescaped u = unescaped_of(inside);
    for (int byte = unescaped_next(&u); byte >= 0; byte = unescaped_next(&u)) {
        /* An unescaped NUL is no end of `text`, which has none inside. */
        if (byte == 0 || (uint8_t)*text++ != byte)
            return false;
    }
    return *text == '\0';
}

int json_string(struct json string, struct arena *arena, const char **ret, size_t *ret_size)
{
    struct slice inside = string_inside(string);
    char *text = arena_copy(arena, inside);
    size_t size = inside.size;

    if (memchr(inside.at, '\\', inside.size)) {
        struct unescaped u = unescaped_of(inside);
        size = 0;
        for (int byte = unescaped_next(&u); byte >= 0; byte = unescaped_next(&u)) {
            if (byte == 0)
                return OUTCOME_INVALID;
            text[size++] = (char)byte;
        }
        text[size] = '\0';
    }
    *ret = text;
    if (ret_size)
        *ret_size = size;
    return 0;
}

bool json_i64(struct json number, int64_t *ret)
{
    assert(number.kind == JSON_NUMBER);
    const char *at = number.text.at;
    const char *end = at + number.text.size;
    bool negative = *at == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;

    for (at += negative; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool json_f64(struct json number, double *ret)
{
    assert(number.kind == JSON_NUMBER);
    size_t size = number.text.size;
    char small[64];
    CLEANUP(mem_freep) char *large = size < sizeof(small) ? NULL : mem_alloc(size + 1);
    char *text = large ? large : small;

    memcpy(text, number.text.at, size);
    text[size] = '\0';
    double value = strtod(text, NULL); /* no program here leaves the "C" locale */
    if (!isfinite(value))
        return false;
    *ret = value;
    return true;
}
