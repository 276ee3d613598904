/* SPDX-License-Identifier: MIT */
/*
 * From what was given on the command line to a request, checked before anything is sent.
 */
#include "cli/request.h"

#include "base/mem.h"
#include "cli/body.h"

#include <ctype.h>

#define PATH_QUERY_MAX ((size_t)1 << 20)

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
 * Body
 */

static bool any_given_in(const struct argument_set *set, const struct schema *root,
                         enum place place)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == root && set->v[i].n_values > 0 && set->v[i].field->place == place)
            return true;
    }
    return false;
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
    return body_write(set, op->in, 1u << PLACE_BODY, ret, why);
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
    buf_init(&path, PATH_QUERY_MAX);
    buf_init(&query, PATH_QUERY_MAX);
    struct op_request parts = {.query = {.size = 0}};

    int r = body_prepare(set, op->in, why);
    if (r)
        return r;
    r = path_of(op, set, &path, &parts, why);
    if (r)
        return r;
    query_of(op, set, &query);
    if (buf_overflowed(&path) || buf_overflowed(&query))
        return refuse(why, OUTCOME_USAGE, NULL, "path and query are over %zu bytes",
                      PATH_QUERY_MAX);
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

    int r = body_prepare(set, schema, why);
    if (!r)
        r = body_write(set, schema, BODY_PLACES_ALL, &object, why);
    if (r)
        return r;
    if (schema_decode(schema, object, JSON_VALUES_MAX, set->arena, ret, &refused))
        return reword(set, &refused, why);
    return 0;
}
