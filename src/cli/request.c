/* SPDX-License-Identifier: MIT */
/*
 * Writing requests from arguments.
 *
 * A value that can't be what its kind needs is still written, as JSON text: the decoder then
 * refuses it in its own words. Only what would break the document itself (bad JSON, bytes that are
 * no UTF-8) is refused here.
 */
#include "cli/request.h"

#include "base/file.h"
#include "base/mem.h"

#include <ctype.h>

#define TEXT_MAX ((size_t)4 << 20)

/*
 * Values
 */

/* JSON never begins with '@', so @FILE can't be meant as JSON; "@-" is standard input. */
static int value_from_file(struct argument_set *set, const struct argument *argument,
                           const char **value, struct refusal *why)
{
    const char *path = *value + 1;
    struct slice contents;

    if ((*value)[0] != '@')
        return 0;
    int r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, REQUEST_FILE_MAX, set->arena,
                      &contents);
    if (r)
        return refuse(why, OUTCOME_USAGE, NULL, "%s: can't read %s: %s",
                      argument_shown(set, argument), path, strerror(-r));
    if (memchr(contents.at, '\0', contents.size))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: %s holds a NUL, which no JSON does",
                      argument_shown(set, argument), path);
    *value = contents.at;
    return 0;
}

static int value_prepare(struct argument_set *set, const struct argument *argument,
                         const char **value, struct refusal *why)
{
    struct refusal json_why;
    struct json json;

    if (argument->field->type.kind == KIND_MAP && !strchr(*value, '='))
        return refuse(why, OUTCOME_USAGE, NULL, "%s needs key=value, not %s",
                      argument_shown(set, argument), *value);
    if (!slice_is_utf8(slice_of(*value)))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: the value is not UTF-8",
                      argument_shown(set, argument));
    if (!argument_takes_json(argument))
        return 0;
    int r = value_from_file(set, argument, value, why);
    if (r)
        return r;
    r = json_check(slice_of(*value), JSON_VALUES_MAX, &json, &json_why);
    if (r)
        return refuse(why, OUTCOME_USAGE, NULL, "%s takes JSON; %s", argument_shown(set, argument),
                      json_why.text);
    return 0;
}

static int values_prepare(struct argument_set *set, const struct schema *root, struct refusal *why)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root != root)
            continue;
        for (size_t j = 0; j < set->v[i].n_values; j++) {
            int r = value_prepare(set, &set->v[i], &set->v[i].values[j], why);
            if (r)
                return r;
        }
    }
    return 0;
}

static bool is_number(const char *text)
{
    struct json json;

    return json_check(slice_of(text), 1, &json, NULL) == 0 && json.kind == JSON_NUMBER;
}

static void write_value(struct json_writer *w, const struct argument *argument, const char *value)
{
    const struct type *type = argument_type(argument);
    bool number = (type->kind == KIND_I64 || type->kind == KIND_F64) && is_number(value);

    if (number || type->kind == KIND_FLAG || argument_takes_json(argument))
        json_raw(w, slice_of(value));
    else
        json_text(w, value);
}

static void write_argument(struct json_writer *w, const struct argument *argument)
{
    if (argument->field->type.kind == KIND_LIST) {
        json_begin_array(w);
        for (size_t i = 0; i < argument->n_values; i++)
            write_value(w, argument, argument->values[i]);
        json_end_array(w);
    } else if (argument->field->type.kind == KIND_MAP) {
        json_begin_object(w);
        for (size_t i = 0; i < argument->n_values; i++) {
            struct slice rest = slice_of(argument->values[i]), key;
            slice_cut(&rest, '=', &key);
            json_key_slice(w, key);
            write_value(w, argument, rest.at);
        }
        json_end_object(w);
    } else {
        write_value(w, argument, argument->values[0]);
    }
}

/* The decoder would say so too, but of the body as a whole. */
static int check_required(const struct argument_set *set, const struct schema *root,
                          struct refusal *why)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        bool target = argument->field->place == PLACE_PATH && !argument->positional;
        if (argument->root == root && argument->required && argument->n_values == 0 && !target)
            return refuse(why, OUTCOME_USAGE, NULL, "%s is required: %s",
                          argument_shown(set, argument), argument->field->doc);
    }
    return 0;
}

/*
 * Bodies
 */

static bool any_given_below(const struct argument_set *set, const struct schema *root,
                            const char *prefix)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == root && set->v[i].n_values > 0 &&
            slice_starts(slice_of(set->v[i].wire), prefix))
            return true;
    }
    return false;
}

static bool any_given_in(const struct argument_set *set, const struct schema *root,
                         enum place place)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == root && set->v[i].n_values > 0 && set->v[i].field->place == place)
            return true;
    }
    return false;
}

static int too_long(struct refusal *why)
{
    return refuse(why, OUTCOME_USAGE, NULL, "all values together are over %zu bytes", TEXT_MAX);
}

static void write_members(struct json_writer *w, const struct argument_set *set,
                          const struct schema *root, const struct schema *schema,
                          const char *prefix, unsigned places);

/* Fields of an object are written only when one was given, so that an optional object may be left
 * out. */
static void write_field(struct json_writer *w, const struct argument_set *set,
                        const struct schema *root, const struct field *field, const char *prefix)
{
    const char *wire = arena_printf(set->arena, "%s%s", prefix, field->wire);

    if (field->type.kind == KIND_OBJ) {
        const char *inner = arena_printf(set->arena, "%s.", wire);
        if (!any_given_below(set, root, inner))
            return;
        json_key(w, field->wire);
        json_begin_object(w);
        write_members(w, set, root, field->type.schema, inner, ~0u);
        json_end_object(w);
        return;
    }
    const struct argument *argument = argument_find(set, wire, root);
    if (argument->n_values == 0)
        return;
    json_key(w, field->wire);
    write_argument(w, argument);
}

static void write_members(struct json_writer *w, const struct argument_set *set,
                          const struct schema *root, const struct schema *schema,
                          const char *prefix, unsigned places)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (places & (1u << field->place))
            write_field(w, set, root, field, prefix);
    }
}

/* The object of all fields in these places, as text in the arena. */
static int write_object(const struct argument_set *set, const struct schema *schema,
                        unsigned places, struct slice *ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, TEXT_MAX);
    struct json_writer w = json_writer(&text);

    json_begin_object(&w);
    write_members(&w, set, schema, schema, "", places);
    json_end_object(&w);
    if (buf_overflowed(&text))
        return too_long(why);
    *ret = slice_of(arena_copy(set->arena, buf_slice(&text)));
    return 0;
}

/* Nothing given is no body, which the controller reads as {}. */
static int body_of(const struct op *op, const struct argument_set *set, struct slice *ret,
                   struct refusal *why)
{
    const struct field *first = op->in->fields;

    *ret = (struct slice){.size = 0};
    if (first->wire && first->place == PLACE_WHOLE) {
        const struct argument *whole = argument_find(set, first->wire, op->in);
        if (whole->n_values > 0)
            *ret = slice_of(whole->values[0]);
        return 0;
    }
    if (!any_given_in(set, op->in, PLACE_BODY))
        return 0;
    return write_object(set, op->in, 1u << PLACE_BODY, ret, why);
}

/*
 * Paths and queries
 */

/* RFC 3986: everything but unreserved characters; `keep` also stays. */
static void percent_encode(struct buf *to, const char *text, const char *keep)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c) || strchr(keep, c))
            buf_add_char(to, (char)c);
        else
            buf_printf(to, "%%%02X", c);
    }
}

static int add_parameter(struct buf *to, const struct op *op, struct argument_set *set,
                         struct slice name, struct refusal *why)
{
    bool rest_of_path = name.size > 0 && name.at[name.size - 1] == '*';
    name.size -= rest_of_path;
    const char *wire = arena_copy(set->arena, name);
    struct argument *argument = argument_find(set, wire, op->in);
    if (!argument)
        argument = argument_find(set, wire, op_shared_in(op));
    if (argument->n_values == 0 && !argument->positional && op->class == CLASS_QUERY)
        argument_add_value(set, argument, REQUEST_TARGET_DEFAULT);
    if (argument->n_values == 0 && !argument->positional)
        return refuse(why, OUTCOME_USAGE, NULL,
                      "%s changes hosts: say which with --%s (a host name, a machine id, a label "
                      "such as group:web, _any or _all)",
                      op->verb, argument->name);
    percent_encode(to, argument->values[0], rest_of_path ? "/" : "");
    return 0;
}

/* Fills the {names} of the row's path, and notes each value for the decoder. */
static int path_of(const struct op *op, struct argument_set *set, struct buf *to,
                   struct op_request *parts, struct refusal *why)
{
    struct slice rest = slice_of(op->path), text, name;
    size_t n = 0;

    while (slice_cut(&rest, '{', &text)) {
        buf_add_slice(to, text);
        slice_cut(&rest, '}', &name);
        size_t before = to->size;
        int r = add_parameter(to, op, set, name, why);
        if (r)
            return r;
        struct slice value = {.at = to->at + before, .size = to->size - before};
        parts->path[n++] = slice_of(arena_copy(set->arena, value));
    }
    buf_add_slice(to, text);
    return 0;
}

static void query_of(const struct op *op, const struct argument_set *set, struct buf *to)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        if (argument->field->place != PLACE_QUERY ||
            (argument->root != op->in && argument->root != op_shared_in(op)))
            continue;
        for (size_t j = 0; j < argument->n_values; j++) {
            buf_printf(to, "%s%s=", to->size ? "&" : "", argument->wire);
            percent_encode(to, argument->values[j], "");
        }
    }
}

/*
 * Checking
 */

/* "limit: '0' is not accepted; …" becomes "--limit: '0' is not accepted; …". */
static int reword(const struct argument_set *set, const struct refusal *refused,
                  struct refusal *why)
{
    size_t field_size = strcspn(refused->field, "[");
    const char *wire =
        arena_copy(set->arena, (struct slice){.at = refused->field, .size = field_size});

    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        if (field_size == 0 || strcmp(argument->wire, wire) != 0)
            continue;
        const char *text = refused->text;
        if (slice_starts(slice_of(text), wire))
            text += field_size;
        return refuse(why, OUTCOME_USAGE, NULL, "%s%s", argument_shown(set, argument), text);
    }
    return refuse(why, OUTCOME_USAGE, NULL, "%s", refused->text);
}

/* A decoded field named `wait` says how long the reply may take. */
static void note_wait(const struct schema *schema, const void *object, struct request *request)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field->type.kind == KIND_DURATION && strcmp(field->wire, "wait") == 0)
            request->wait_us = *(const int64_t *)((const char *)object + field->offset);
    }
}

static int request_check(const struct op *op, const struct argument_set *set,
                         const struct op_request *parts, struct request *request,
                         struct refusal *why)
{
    const struct schema *shared = op_shared_in(op);
    void *input = arena_alloc(set->arena, op->in->size);
    void *shared_input = arena_alloc(set->arena, shared->size);
    struct refusal refused;

    if (op_decode(op, parts, set->arena, input, shared_input, &refused))
        return reword(set, &refused, why);
    note_wait(op->in, input, request);
    note_wait(shared, shared_input, request);
    return 0;
}

int request_make(const struct op *op, struct argument_set *set, struct request *ret,
                 struct refusal *why)
{
    CLEANUP(buf_release) struct buf path;
    CLEANUP(buf_release) struct buf query;
    buf_init(&path, TEXT_MAX);
    buf_init(&query, TEXT_MAX);
    struct op_request parts = {.query = {.size = 0}};

    int r = values_prepare(set, op->in, why);
    if (!r)
        r = check_required(set, op->in, why);
    if (r)
        return r;
    r = path_of(op, set, &path, &parts, why);
    if (r)
        return r;
    query_of(op, set, &query);
    if (buf_overflowed(&path) || buf_overflowed(&query))
        return too_long(why);
    parts.query = slice_of(arena_copy(set->arena, buf_slice(&query)));
    r = body_of(op, set, &parts.body, why);
    if (r)
        return r;
    struct request request = {
        .method = op->method,
        .path = arena_printf(set->arena, "%s%s%s", buf_text(&path), query.size ? "?" : "",
                             buf_text(&query)),
        .body = parts.body,
        .waits_for = argument_value_of_format(set, "target"),
    };
    r = request_check(op, set, &parts, &request, why);
    if (r)
        return r;
    *ret = request;
    return 0;
}

int request_options(struct argument_set *set, const struct schema *schema, void *ret,
                    struct refusal *why)
{
    struct refusal refused;
    struct slice object;

    int r = values_prepare(set, schema, why);
    if (!r)
        r = check_required(set, schema, why);
    if (!r)
        r = write_object(set, schema, ~0u, &object, why);
    if (r)
        return r;
    if (schema_decode(schema, object, JSON_VALUES_MAX, set->arena, ret, &refused))
        return reword(set, &refused, why);
    return 0;
}
