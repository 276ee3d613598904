/* SPDX-License-Identifier: MIT */
/*
 * JSON to structs of the rows: which members there may and must be, pairs, defaults; and the calls
 * for whole documents.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <assert.h>

/* ---- members ---- */

/* `likely` is tried first: members mostly come in the order of the rows. */
static const struct field *field_of_key(const struct schema *schema, struct json key,
                                        const struct field *likely)
{
    if (likely->wire && json_string_is(key, likely->wire))
        return likely;
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (json_string_is(key, field->wire))
            return field;
    }
    return NULL;
}

static int decode_member(const struct decoder *d, const struct spot *up, const struct field *field,
                         struct json json, void *ret)
{
    struct spot spot = spot_of(up, field);
    int r;

    if (json.kind == JSON_NULL && (field->presence == PRESENCE_NULLABLE || !d->written))
        return 0;
    r = decode_json(d, &spot, json, (char *)ret + field->offset);
    if (r)
        return r;
    *field_has(field, ret) = true;
    return 0;
}

static int refuse_key(const struct decoder *d, const struct spot *up, const struct schema *schema,
                      unsigned places, struct json key)
{
    struct known known = {.schemas = {schema}, .places = places};
    struct spot spot = {.up = up, .name = {.at = key.text.at + 1, .size = key.text.size - 2}};

    return spot_refuse_unknown(&spot, "member", &known, d->why);
}

static int check_nullable_are_there(const struct decoder *d, const struct spot *up,
                                    const struct schema *schema, struct json object)
{
    struct json value;

    for (const struct field *field = schema->fields; field->wire; field++) {
        struct spot spot = spot_of(up, field);
        if (field->presence == PRESENCE_NULLABLE && !json_member(object, field->wire, &value))
            return spot_refuse_missing(&spot, field->doc, d->why);
    }
    return 0;
}

int decode_members(const struct decoder *d, const struct spot *up, const struct schema *schema,
                   unsigned places, struct json object, void *ret)
{
    const struct field *likely = schema->fields;
    int r;

    for (struct json_walk w = json_walk(object); json_next(&w);) {
        const struct field *field = field_of_key(schema, w.key, likely);
        if (!field || !(places & 1u << field->place))
            return refuse_key(d, up, schema, places, w.key);
        r = decode_member(d, up, field, w.value, ret);
        if (r)
            return r;
        likely = field + 1;
    }
    return d->written ? check_nullable_are_there(d, up, schema, object) : 0;
}

/* ---- what a struct needs beside right members ---- */

/* NULL, or how the two go against the pair. */
static const char *pair_fault(const struct pair *pair, const char *object)
{
    bool has_a = *(const bool *)(object + pair->has_a);
    bool has_b = *(const bool *)(object + pair->has_b);

    if (has_a && has_b && (pair->kind == PAIR_EXACTLY_ONE || pair->kind == PAIR_AT_MOST_ONE))
        return "not accepted together with";
    if (!has_a && !has_b && (pair->kind == PAIR_EXACTLY_ONE || pair->kind == PAIR_AT_LEAST_ONE))
        return "required, or instead of it";
    if (has_a && !has_b && pair->kind == PAIR_NEEDS)
        return "not accepted without";
    return NULL;
}

static int check_pairs(const struct decoder *d, const struct spot *up, const struct schema *schema,
                       const void *object)
{
    char text[REFUSAL_TEXT_SIZE];

    for (const struct pair *pair = schema->pairs; pair->a; pair++) {
        const char *fault = pair_fault(pair, object);
        if (!fault)
            continue;
        struct spot spot = {.up = up, .name = slice_of(pair->a)};
        snprintf(text, sizeof(text), "%s %s", fault, pair->b);
        return spot_refuse_text(&spot, text, d->why);
    }
    return 0;
}

/* A default that would go against a pair does not stand in: what was decoded can be encoded and
   decoded again. */
static void set_default(const struct decoder *d, const struct schema *schema,
                        const struct field *field, void *ret)
{
    struct spot spot = spot_of(NULL, field);
    bool *has = field_has(field, ret);

    *has = true;
    for (const struct pair *pair = schema->pairs; pair->a; pair++)
        *has = *has && !pair_fault(pair, ret);
    if (!*has)
        return;
    int r = decode_text(d, &spot, slice_of(field->default_text), (char *)ret + field->offset);
    assert(r == 0 && "defaults pass their own rules (test_rows.c)");
    (void)r;
}

/* Pairs speak of what was given: defaults come last. */
int decode_finish(const struct decoder *d, const struct spot *up, const struct schema *schema,
                  void *ret)
{
    int r;

    for (const struct field *field = schema->fields; field->wire; field++) {
        struct spot spot = spot_of(up, field);
        if (field->presence == PRESENCE_REQUIRED && !*field_has(field, ret))
            return spot_refuse_missing(&spot, field->doc, d->why);
    }
    r = check_pairs(d, up, schema, ret);
    if (r)
        return r;
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field->default_text && !*field_has(field, ret))
            set_default(d, schema, field, ret);
    }
    return 0;
}

/* ---- whole documents ---- */

const struct field *schema_whole(const struct schema *schema)
{
    return schema->fields->wire && schema->fields->place == PLACE_WHOLE ? schema->fields : NULL;
}

bool field_is_in_body(const struct field *field)
{
    return field->place == PLACE_BODY || field->place == PLACE_WHOLE;
}

bool schema_needs_body(const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field->presence == PRESENCE_REQUIRED && field_is_in_body(field))
            return true;
    }
    return false;
}

int decode_document(struct slice text, size_t values_max, struct json *ret, struct refusal *why)
{
    struct refusal fault;
    int r = json_check(text, values_max, ret, &fault);

    if (r > 0)
        return refuse(why, (enum outcome)r, "body", "body: %s", fault.text);
    return r;
}

static int decode_schema(const struct decoder *d, const struct schema *schema, struct json json,
                         void *ret)
{
    static const struct rule any = {.kind = RULE_KIND_ANY};
    const struct type type = {.kind = KIND_OBJ, .schema = schema};
    const struct spot top = {.name = SLICE("body"), .type = &type, .rule = &any};
    const struct field *whole = schema_whole(schema);
    int r;

    memset(ret, 0, schema->size);
    if (whole) {
        r = decode_member(d, NULL, whole, json, ret);
        return r ? r : decode_finish(d, NULL, schema, ret);
    }
    if (json.kind != JSON_OBJECT)
        return spot_refuse(&top, json.text, d->why);
    r = decode_members(d, NULL, schema, PLACES_ALL, json, ret);
    return r ? r : decode_finish(d, NULL, schema, ret);
}

int schema_decode_value(const struct schema *schema, struct json object, struct arena *arena,
                        void *ret, struct refusal *why)
{
    const struct decoder d = {.arena = arena, .why = why, .list_max = SIZE_MAX};

    return decode_schema(&d, schema, object, ret);
}

int schema_decode(const struct schema *schema, struct slice json, size_t values_max,
                  struct arena *arena, void *ret, struct refusal *why)
{
    struct json document;
    int r = decode_document(json, values_max, &document, why);

    if (r)
        return r;
    return schema_decode_value(schema, document, arena, ret, why);
}

int schema_check(const struct schema *schema, struct slice json, size_t values_max,
                 struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const struct decoder d = {.arena = &arena, .why = why, .list_max = SIZE_MAX, .written = true};
    struct json document;
    int r = decode_document(json, values_max, &document, why);

    if (r)
        return r;
    return decode_schema(&d, schema, document, arena_alloc(&arena, schema->size));
}
