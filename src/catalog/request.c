/* SPDX-License-Identifier: MIT */
/*
 * Requests to structs of the rows: path, query and body of one request into the operation's own
 * input and into what its class shares.
 *
 * Percent-decoding is strict and comes once, after routing and splitting; what it yields is UTF-8
 * without NUL.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <assert.h>

struct part {
    const struct schema *schema;
    char *object;
};

struct request_decoder {
    struct decoder d;
    struct part parts[2]; /* the operation's own, what its class shares */
};

/* ---- percent-encoding (RFC 3986 §2.1) ---- */

enum plus { PLUS_IS_PLUS, PLUS_IS_SPACE /* in queries, as forms write them */ };

/* NULL, or the fault in words. *ret is NUL-terminated in the arena. */
static const char *percent_decode(struct slice text, enum plus plus, struct arena *arena,
                                  struct slice *ret)
{
    char *to = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_digit(text.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return "expected two hexadecimal digits after each %";
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus == PLUS_IS_SPACE) {
            c = ' ';
        }
        if (c == '\0')
            return "text cannot hold U+0000";
        to[size++] = c;
    }
    *ret = (struct slice){.at = to, .size = size};
    return slice_is_utf8(*ret) ? NULL : "expected UTF-8";
}

/* ---- fields of both parts ---- */

static const struct field *part_field(const struct part *part, enum place place, struct slice name)
{
    for (const struct field *field = part->schema->fields; field->wire; field++) {
        if (field->place == place && slice_is(name, field->wire))
            return field;
    }
    return NULL;
}

static const struct field *request_field(const struct request_decoder *rd, enum place place,
                                         struct slice name, char **ret_object)
{
    for (size_t i = 0; i < COUNT_OF(rd->parts); i++) {
        const struct field *field = part_field(&rd->parts[i], place, name);
        if (field) {
            *ret_object = rd->parts[i].object;
            return field;
        }
    }
    return NULL;
}

/* ---- path ---- */

static int decode_path_parameter(const struct request_decoder *rd, struct slice name,
                                 struct slice encoded)
{
    char *object;
    const struct field *field = request_field(rd, PLACE_PATH, name, &object);
    struct slice text;

    assert(field && "each {name} of a path is a PATH field (test_rows.c)");
    struct spot spot = spot_of(NULL, field);
    const char *fault = percent_decode(encoded, PLUS_IS_PLUS, rd->d.arena, &text);
    if (fault)
        return spot_refuse_because(&spot, encoded, fault, rd->d.why);
    *field_has(field, object) = true;
    return decode_text(&rd->d, &spot, text, object + field->offset);
}

/* `values` in the order of the {names}; {name*} takes the rest of the path and is decoded all the
 * same. */
static int decode_path(const struct request_decoder *rd, const char *path,
                       const struct slice *values)
{
    struct slice rest = slice_of(path), head, name;

    for (size_t i = 0; slice_cut(&rest, '{', &head); i++) {
        assert(i < PATH_PARAMETERS_MAX);
        slice_cut(&rest, '}', &name);
        if (name.size > 0 && name.at[name.size - 1] == '*')
            name.size--;
        int r = decode_path_parameter(rd, name, values[i]);
        if (r)
            return r;
    }
    return 0;
}

/* ---- query ---- */

#define STRING_OF(number)       STRING_OF_VALUE(number)
#define STRING_OF_VALUE(number) #number

/* The list's last value. */
static int decode_list_value(const struct decoder *d, const struct spot *list_spot,
                             struct slice text, struct sequence *list)
{
    const struct type *element = list_spot->type->element;
    struct spot spot = *list_spot;

    if (list->n == QUERY_PARAMETERS_MAX)
        return spot_refuse_text(
            list_spot, "more than " STRING_OF(QUERY_PARAMETERS_MAX) " values are not accepted",
            d->why);
    if (!list->v)
        list->v = arena_alloc(d->arena, QUERY_PARAMETERS_MAX * element->size);
    spot.type = element;
    return decode_text(d, &spot, text, (char *)list->v + list->n++ * element->size);
}

/* A repeated parameter is one more value of its list; words of an ENUM, which have no comma, may
   stand in one parameter, joined by commas. */
static int decode_list_values(const struct decoder *d, const struct spot *list_spot,
                              struct slice text, struct sequence *list)
{
    struct slice word;

    if (list_spot->type->element->kind != KIND_CHOICE)
        return decode_list_value(d, list_spot, text, list);
    for (bool more = true; more;) {
        more = slice_cut(&text, ',', &word);
        word.at = arena_copy(d->arena, word); /* NUL-terminated */
        int r = decode_list_value(d, list_spot, word, list);
        if (r)
            return r;
    }
    return 0;
}

static int refuse_parameter(const struct request_decoder *rd, struct slice name)
{
    struct known known = {
        .schemas = {rd->parts[0].schema, rd->parts[1].schema},
        .places = 1u << PLACE_QUERY,
    };
    struct spot spot = {.name = name};

    return spot_refuse_unknown(&spot, "parameter", &known, rd->d.why);
}

static int decode_parameter(const struct request_decoder *rd, struct slice encoded)
{
    struct slice rest = encoded, encoded_name, name, text = SLICE("");
    struct spot at_query = {.name = SLICE("query")};
    char *object;

    slice_cut(&rest, '=', &encoded_name);
    const char *fault = percent_decode(encoded_name, PLUS_IS_SPACE, rd->d.arena, &name);
    if (fault)
        return spot_refuse_because(&at_query, encoded_name, fault, rd->d.why);
    const struct field *field = request_field(rd, PLACE_QUERY, name, &object);
    if (!field)
        return refuse_parameter(rd, name);
    struct spot spot = spot_of(NULL, field);
    if (encoded_name.size < encoded.size)
        fault = percent_decode(rest, PLUS_IS_SPACE, rd->d.arena, &text);
    if (fault)
        return spot_refuse_because(&spot, rest, fault, rd->d.why);
    bool *has = field_has(field, object);
    bool repeated = *has;
    *has = true;
    if (field->type.kind == KIND_LIST)
        return decode_list_values(&rd->d, &spot, text, (void *)(object + field->offset));
    if (repeated)
        return spot_refuse_text(&spot, "given more than once; expected it once", rd->d.why);
    return decode_text(&rd->d, &spot, text, object + field->offset);
}

static int decode_query(const struct request_decoder *rd, struct slice query)
{
    const struct spot spot = {.name = SLICE("query")};
    struct slice parameter;
    int n = 0;

    for (bool more = query.size > 0; more;) {
        more = slice_cut(&query, '&', &parameter);
        if (parameter.size == 0)
            continue;
        if (++n > QUERY_PARAMETERS_MAX)
            return spot_refuse_text(
                &spot, "more than " STRING_OF(QUERY_PARAMETERS_MAX) " parameters are not accepted",
                rd->d.why);
        int r = decode_parameter(rd, parameter);
        if (r)
            return r;
    }
    return 0;
}

/* ---- body ---- */

/* "body: required; expected a JSON object with command" */
static int refuse_no_body(const struct request_decoder *rd)
{
    const struct spot spot = {.name = SLICE("body")};
    const char *separator = " with ";
    struct buf text;

    buf_init(&text, REFUSAL_TEXT_SIZE);
    buf_add_text(&text, "required; expected a JSON object");
    for (const struct field *field = rd->parts[0].schema->fields; field->wire; field++) {
        if (field->presence != PRESENCE_REQUIRED || field->place != PLACE_BODY)
            continue;
        buf_add_text(&text, separator);
        buf_add_text(&text, field->wire);
        separator = ", ";
    }
    int r = spot_refuse_text(&spot, buf_text(&text), rd->d.why);
    buf_release(&text);
    return r;
}

static int decode_body(const struct request_decoder *rd, struct slice body)
{
    const struct part *own = &rd->parts[0];
    const struct field *whole = schema_whole(own->schema);
    struct json json = {.kind = JSON_NULL};
    int r;

    if (body.size > 0) {
        r = decode_document(body, JSON_VALUES_MAX, &json, rd->d.why);
        if (r)
            return r;
    }
    if (json.kind == JSON_NULL)
        return schema_needs_body(own->schema) ? refuse_no_body(rd) : 0;
    if (whole) {
        struct spot spot = spot_of(NULL, whole);
        *field_has(whole, own->object) = true;
        return decode_json(&rd->d, &spot, json, own->object + whole->offset);
    }
    if (json.kind != JSON_OBJECT) {
        const struct spot spot = {.name = SLICE("body")};
        return spot_refuse_because(&spot, json.text, "expected a JSON object", rd->d.why);
    }
    return decode_members(&rd->d, NULL, own->schema, 1u << PLACE_BODY, json, own->object);
}

int op_decode(const struct op *op, const struct op_request *request, struct arena *arena,
              void *ret_in, void *ret_shared, struct refusal *why)
{
    const struct request_decoder rd = {
        .d = {.arena = arena, .why = why, .list_max = LIST_VALUES_MAX},
        .parts = {{.schema = op->in, .object = ret_in},
                  {.schema = op_shared_in(op), .object = ret_shared}},
    };
    int r;

    memset(ret_in, 0, op->in->size);
    memset(ret_shared, 0, op_shared_in(op)->size);
    r = decode_path(&rd, op->path, request->path);
    if (r)
        return r;
    r = decode_query(&rd, request->query);
    if (r)
        return r;
    r = decode_body(&rd, request->body);
    if (r)
        return r;
    r = decode_finish(&rd.d, NULL, op_shared_in(op), ret_shared);
    if (r)
        return r;
    return decode_finish(&rd.d, NULL, op->in, ret_in);
}
