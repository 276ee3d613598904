/* SPDX-License-Identifier: MIT */
/*
 * One value from JSON or a parameter's text to C, by its type and rule; structs are decoded in
 * schema.c.
 *
 * The text has passed json_check(): what is refused here are wrong kinds and broken rules.
 * Recursion is bounded by JSON_DEPTH_MAX, memory by the number of values that json_check() let
 * through.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <assert.h>

_Static_assert(sizeof(struct sequence) == sizeof(struct str_list) &&
                   offsetof(struct sequence, n) == offsetof(struct str_list, n) &&
                   offsetof(struct sequence, n) == offsetof(struct str_map, n),
               "every list(t) and map(t) is a struct sequence");

/* ---- scalars ---- */

static int decode_i64(const struct decoder *d, const struct spot *spot, struct json json,
                      int64_t *ret)
{
    int64_t value;

    if (json.kind != JSON_NUMBER || !json_i64(json, &value) || !rule_allows_i64(spot->rule, value))
        return spot_refuse(spot, json.text, d->why);
    *ret = value;
    return 0;
}

static int decode_f64(const struct decoder *d, const struct spot *spot, struct json json,
                      double *ret)
{
    double value;

    if (json.kind != JSON_NUMBER || !json_f64(json, &value) || !rule_allows_f64(spot->rule, value))
        return spot_refuse(spot, json.text, d->why);
    *ret = value;
    return 0;
}

static int decode_flag(const struct decoder *d, const struct spot *spot, struct json json,
                       bool *ret)
{
    if (json.kind != JSON_TRUE && json.kind != JSON_FALSE)
        return spot_refuse(spot, json.text, d->why);
    *ret = json.kind == JSON_TRUE;
    return 0;
}

static int decode_str(const struct decoder *d, const struct spot *spot, struct slice text,
                      const char **ret)
{
    if (!rule_allows_text(spot->rule, text))
        return spot_refuse(spot, text, d->why);
    *ret = text.at;
    return 0;
}

/* What stands for a secret is none: who copies a job's input from where it is shown would set a
   password to three asterisks. */
static int decode_secret(const struct decoder *d, const struct spot *spot, struct slice text,
                         struct secret *ret)
{
    bool is_shown = slice_is(text, SECRET_SHOWN);

    if (is_shown && !d->written)
        return spot_refuse_text(spot,
                                "it is secret and was not kept: " SECRET_SHOWN
                                " only stands for it; give it anew",
                                d->why);
    if (!is_shown && !rule_allows_text(spot->rule, text))
        return spot_refuse(spot, text, d->why);
    *ret = secret_of(text);
    return 0;
}

static int decode_choice(const struct decoder *d, const struct spot *spot, struct slice text,
                         unsigned *ret)
{
    int position = word_find(spot->type->words, spot->type->n_words, text.at);

    if (position < 0)
        return spot_refuse(spot, text, d->why);
    *ret = (unsigned)position;
    return 0;
}

static int decode_duration(const struct decoder *d, const struct spot *spot, struct slice text,
                           int64_t *ret)
{
    int64_t value;

    if (!duration_parse(text, &value) || !rule_allows_i64(spot->rule, value))
        return spot_refuse(spot, text, d->why);
    *ret = value;
    return 0;
}

/* Numbers, flags and JSON in a parameter are read as JSON reads them; no white space around. */
static int decode_text_as_json(const struct decoder *d, const struct spot *spot, struct slice text,
                               void *ret)
{
    struct json json;

    if (json_check(text, JSON_VALUES_MAX, &json, NULL) || json.text.size != text.size)
        return spot_refuse(spot, text, d->why);
    return decode_json(d, spot, json, ret);
}

int decode_text(const struct decoder *d, const struct spot *spot, struct slice text, void *ret)
{
    switch (spot->type->kind) {
    case KIND_STR:
        return decode_str(d, spot, text, ret);
    case KIND_SECRET:
        return decode_secret(d, spot, text, ret);
    case KIND_CHOICE:
        return decode_choice(d, spot, text, ret);
    case KIND_DURATION:
        return decode_duration(d, spot, text, ret);
    case KIND_I64:
    case KIND_F64:
    case KIND_FLAG:
    case KIND_ANY:
    case KIND_OBJ:
    case KIND_LIST:
    case KIND_MAP:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
    case KIND_LINES:
        break;
    }
    return decode_text_as_json(d, spot, text, ret);
}

static int decode_string(const struct decoder *d, const struct spot *spot, struct json json,
                         void *ret)
{
    const char *text;
    size_t size;

    if (json.kind != JSON_STRING)
        return spot_refuse(spot, json.text, d->why);
    if (json_string(json, d->arena, &text, &size))
        return spot_refuse_because(spot, json.text, "text cannot hold U+0000", d->why);
    return decode_text(d, spot, (struct slice){.at = text, .size = size}, ret);
}

/* ---- objects, lists, maps ---- */

static int decode_object(const struct decoder *d, const struct spot *spot, struct json json,
                         void *ret)
{
    int r;

    if (json.kind != JSON_OBJECT)
        return spot_refuse(spot, json.text, d->why);
    r = decode_members(d, spot, spot->type->schema, PLACES_ALL, json, ret);
    if (r)
        return r;
    return decode_finish(d, spot, spot->type->schema, ret);
}

static size_t count_values(struct json json)
{
    size_t n = 0;

    for (struct json_walk w = json_walk(json); json_next(&w);)
        n++;
    return n;
}

static int refuse_count(const struct decoder *d, const struct spot *spot)
{
    char text[64];

    snprintf(text, sizeof(text), "more than %zu values are not accepted", d->list_max);
    return spot_refuse_text(spot, text, d->why);
}

static int decode_list(const struct decoder *d, const struct spot *spot, struct json json,
                       struct sequence *ret)
{
    const struct type *element = spot->type->element;
    struct spot at = {.up = spot, .type = element, .rule = spot->rule};

    if (json.kind != JSON_ARRAY)
        return spot_refuse(spot, json.text, d->why);
    size_t n = count_values(json);
    if (n > d->list_max)
        return refuse_count(d, spot);
    char *values = arena_alloc(d->arena, n * element->size);
    for (struct json_walk w = json_walk(json); json_next(&w); at.index++) {
        int r = decode_json(d, &at, w.value, values + at.index * element->size);
        if (r)
            return r;
    }
    *ret = (struct sequence){.v = values, .n = n};
    return 0;
}

static int decode_map(const struct decoder *d, const struct spot *spot, struct json json,
                      struct sequence *ret)
{
    const struct type *element = spot->type->element;

    if (json.kind != JSON_OBJECT)
        return spot_refuse(spot, json.text, d->why);
    size_t n = count_values(json);
    if (n > d->list_max)
        return refuse_count(d, spot);
    char *entries = arena_alloc(d->arena, n * element->entry_size), *entry = entries;
    for (struct json_walk w = json_walk(json); json_next(&w); entry += element->entry_size) {
        const char **key = (const char **)(void *)entry;
        if (json_string(w.key, d->arena, key, NULL))
            return spot_refuse_text(spot, "names cannot hold U+0000", d->why);
        struct spot at = {.up = spot, .name = slice_of(*key), .type = element, .rule = spot->rule};
        int r = decode_json(d, &at, w.value, entry + element->val_offset);
        if (r)
            return r;
    }
    *ret = (struct sequence){.v = entries, .n = n};
    return 0;
}

/* Keeps the text, having proved that it decodes. */
static int decode_encoded(const struct decoder *d, const struct spot *spot, struct json json,
                          struct slice *ret)
{
    int r = decode_object(d, spot, json, arena_alloc(d->arena, spot->type->schema->size));

    if (r)
        return r;
    *ret = json.text;
    return 0;
}

static int decode_encoded_list(const struct decoder *d, const struct spot *spot, struct json json,
                               struct slice *ret)
{
    const struct type element = {.kind = KIND_OBJ, .schema = spot->type->schema};
    struct spot at = {.up = spot, .type = &element, .rule = spot->rule};
    struct slice text;

    if (json.kind != JSON_ARRAY)
        return spot_refuse(spot, json.text, d->why);
    for (struct json_walk w = json_walk(json); json_next(&w); at.index++) {
        int r = decode_encoded(d, &at, w.value, &text);
        if (r)
            return r;
    }
    *ret = json.text;
    return 0;
}

int decode_json(const struct decoder *d, const struct spot *spot, struct json json, void *ret)
{
    switch (spot->type->kind) {
    case KIND_STR:
    case KIND_SECRET:
    case KIND_CHOICE:
    case KIND_DURATION:
        return decode_string(d, spot, json, ret);
    case KIND_I64:
        return decode_i64(d, spot, json, ret);
    case KIND_F64:
        return decode_f64(d, spot, json, ret);
    case KIND_FLAG:
        return decode_flag(d, spot, json, ret);
    case KIND_ANY:
        *(struct slice *)ret = json.text;
        return 0;
    case KIND_OBJ:
        return decode_object(d, spot, json, ret);
    case KIND_LIST:
        return decode_list(d, spot, json, ret);
    case KIND_MAP:
        return decode_map(d, spot, json, ret);
    case KIND_ENCODED:
        return decode_encoded(d, spot, json, ret);
    case KIND_ENCODED_LIST:
        return decode_encoded_list(d, spot, json, ret);
    case KIND_LINES: /* no JSON value: whoever reads them decodes each */
        return spot_refuse(spot, json.text, d->why);
    }
    assert(!"a kind of enum kind");
    return 0;
}
