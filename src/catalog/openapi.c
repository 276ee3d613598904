/* SPDX-License-Identifier: MIT */
/*
 * The OpenAPI 3.1 document, from the rows alone: paths, parameters, replies and refusals.
 *
 * Paths come first and note which structs they name; components (openapi_schema.c) come last.
 */
#include "catalog/openapi.h"

#include "base/mem.h"

#define HTTP_ACCEPTED     202
#define HTTP_NOT_MODIFIED 304
#define HTTP_ERROR_MIN    400
#define HTTP_ERROR_MAX    599

/* ---- questions about an operation ---- */

static bool has_body(const struct op *op)
{
    for (const struct field *field = op->in->fields; field->wire; field++) {
        if (field_is_in_body(field))
            return true;
    }
    return false;
}

static bool schema_waits(const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field->place == PLACE_QUERY && strcmp(field->wire, "wait") == 0)
            return true;
    }
    return false;
}

/* Whoever takes the parameter `wait` makes a job, and may answer 202 before its runs are final. */
static bool op_waits(const struct op *op)
{
    return schema_waits(op->in) || schema_waits(op_shared_in(op));
}

/* ---- refusals ---- */

/* Which operations may answer an outcome; all may, unless the table says otherwise. */
enum meets {
    MEETS_ALL,
    MEETS_TOKEN,  /* all that are not PUBLIC */
    MEETS_NAMES,  /* something is named in the path */
    MEETS_BODY,   /* a body is taken */
    MEETS_CHANGE, /* a job is made, or the ledger changed */
    MEETS_WAIT,   /* the result is waited for */
    MEETS_PATH,   /* no operation: the path itself */
    MEETS_CLI,    /* nothing of the API */
};
static const enum meets outcome_meets[OUTCOME_COUNT] = {
    [OUTCOME_UNAUTHORIZED] = MEETS_TOKEN, [OUTCOME_FORBIDDEN] = MEETS_TOKEN,
    [OUTCOME_NOT_FOUND] = MEETS_NAMES,    [OUTCOME_METHOD] = MEETS_PATH,
    [OUTCOME_CONFLICT] = MEETS_CHANGE,    [OUTCOME_TOO_LARGE] = MEETS_BODY,
    [OUTCOME_MEDIA_TYPE] = MEETS_BODY,    [OUTCOME_RUN_FAILED] = MEETS_WAIT,
    [OUTCOME_TIMEOUT] = MEETS_WAIT,       [OUTCOME_NO_SPACE] = MEETS_CHANGE,
    [OUTCOME_UNREACHABLE] = MEETS_CLI,    [OUTCOME_USAGE] = MEETS_CLI,
};

static bool op_meets(const struct op *op, enum outcome outcome)
{
    switch (outcome_meets[outcome]) {
    case MEETS_ALL:
        return true;
    case MEETS_TOKEN:
        return op->permission != PERMISSION_PUBLIC;
    case MEETS_NAMES:
        return strchr(op->path, '{') != NULL;
    case MEETS_BODY:
        return has_body(op);
    case MEETS_CHANGE:
        return op_makes_run(op) || strcmp(op->method, "GET") != 0;
    case MEETS_WAIT:
        return op_waits(op);
    case MEETS_PATH:
    case MEETS_CLI:
        break;
    }
    return false;
}

static bool op_may_answer(const struct op *op, int http)
{
    for (int i = OUTCOME_DONE + 1; i < OUTCOME_COUNT; i++) {
        if (outcome_http((enum outcome)i) == http && op_meets(op, (enum outcome)i))
            return true;
    }
    return false;
}

static void begin_code(struct openapi *o, int http)
{
    char code[16];

    snprintf(code, sizeof(code), "%d", http);
    openapi_begin(o, code);
}

static void put_refusals(struct openapi *o, const struct op *op)
{
    for (int http = HTTP_ERROR_MIN; http <= HTTP_ERROR_MAX; http++) {
        if (!op_may_answer(op, http))
            continue;
        begin_code(o, http);
        openapi_put_ref(o, "responses/%d", http);
        openapi_end(o);
    }
}

static void begin_content(struct openapi *o, const char *type)
{
    openapi_begin(o, "content");
    openapi_begin(o, type);
    openapi_begin(o, "schema");
}

static void begin_json_content(struct openapi *o)
{
    begin_content(o, "application/json");
}

static void end_json_content(struct openapi *o)
{
    openapi_end(o);
    openapi_end(o);
    openapi_end(o);
}

/* A code that several outcomes share names them all: their words are the error's `reason`. */
static void put_refusal_response(struct openapi *o, int http)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, REFUSAL_TEXT_SIZE);
    for (int i = OUTCOME_DONE + 1; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        if (outcome_http(outcome) == http && outcome_meets[outcome] != MEETS_CLI)
            buf_printf(&text, "%s%s: %s", text.size > 0 ? "; " : "", outcome_word(outcome),
                       outcome_sentence(outcome));
    }
    if (text.size == 0)
        return;
    begin_code(o, http);
    openapi_put(o, "description", buf_text(&text));
    begin_json_content(o);
    openapi_put_schema_ref(o, &error_reply_schema);
    end_json_content(o);
    openapi_end(o);
}

/* ---- operations ---- */

static void put_parameters(struct openapi *o, const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field_is_in_body(field))
            continue;
        json_begin_object(&o->w);
        openapi_put(o, "name", field->wire);
        openapi_put(o, "in", field->place == PLACE_PATH ? "path" : "query");
        openapi_put_bool(o, "required", field->presence == PRESENCE_REQUIRED);
        openapi_put_description(o, field);
        openapi_begin(o, "schema");
        openapi_put_field(o, field);
        openapi_end(o);
        json_end_object(&o->w);
    }
}

static void put_shared_parameter(struct openapi *o, const char *name)
{
    json_begin_object(&o->w);
    openapi_put_ref(o, "parameters/%s", name);
    json_end_object(&o->w);
}

static void put_request(struct openapi *o, const struct op *op)
{
    json_key(&o->w, "parameters");
    json_begin_array(&o->w);
    put_parameters(o, op_shared_in(op));
    put_parameters(o, op->in);
    if (op_waits(op))
        put_shared_parameter(o, "prefer");
    if (op_is_tagged(op))
        put_shared_parameter(o, "if_none_match");
    json_end_array(&o->w);
    if (!has_body(op))
        return;
    openapi_begin(o, "requestBody");
    openapi_put_bool(o, "required", schema_needs_body(op->in));
    begin_json_content(o);
    openapi_put_schema_ref(o, op->in);
    end_json_content(o);
    openapi_end(o);
}

static void put_reply_ref(struct openapi *o, const struct op *op)
{
    if (op_makes_run(op))
        openapi_put_ref(o, "schemas/%s_reply", op->name);
    else
        openapi_put_schema_ref(o, op->out);
}

/* A row whose own code is 202 has two bodies under it: the results when they came in time, else the
 * job alone. */
static void put_reply_or_accepted(struct openapi *o, const struct op *op)
{
    json_key(&o->w, "anyOf");
    json_begin_array(&o->w);
    json_begin_object(&o->w);
    put_reply_ref(o, op);
    json_end_object(&o->w);
    json_begin_object(&o->w);
    openapi_put_schema_ref(o, &job_accepted_schema);
    json_end_object(&o->w);
    json_end_array(&o->w);
}

static bool has_lines(const struct op *op)
{
    const struct field *first = op->out->fields;

    return first->wire && first->type.kind == KIND_LINES;
}

static void put_tag_header(struct openapi *o, const struct op *op)
{
    if (!op_is_tagged(op))
        return;
    openapi_begin(o, "headers");
    openapi_begin(o, "ETag");
    openapi_put_ref(o, "headers/etag");
    openapi_end(o);
    openapi_end(o);
}

static void put_success(struct openapi *o, const struct op *op)
{
    begin_code(o, op->code);
    openapi_put(o, "description", op->out->doc);
    put_tag_header(o, op);
    if (op->out->fields->wire || op_makes_run(op)) {
        begin_content(o, has_lines(op) ? "application/x-ndjson" : "application/json");
        if (op->code == HTTP_ACCEPTED && op_waits(op))
            put_reply_or_accepted(o, op);
        else
            put_reply_ref(o, op);
        end_json_content(o);
    }
    openapi_end(o);
}

static void put_responses(struct openapi *o, const struct op *op)
{
    openapi_begin(o, "responses");
    put_success(o, op);
    if (op->code != HTTP_ACCEPTED && op_waits(op)) {
        begin_code(o, HTTP_ACCEPTED);
        openapi_put_ref(o, "responses/accepted");
        openapi_end(o);
    }
    if (op_is_tagged(op)) {
        begin_code(o, HTTP_NOT_MODIFIED);
        openapi_put_ref(o, "responses/not_modified");
        openapi_end(o);
    }
    put_refusals(o, op);
    openapi_end(o);
}

static void put_security(struct openapi *o, const struct op *op)
{
    openapi_put(o, "x-permission", permission_word(op->permission));
    json_key(&o->w, "security");
    json_begin_array(&o->w);
    if (op->permission != PERMISSION_PUBLIC) {
        json_begin_object(&o->w);
        json_key(&o->w, "bearer");
        json_begin_array(&o->w);
        json_text(&o->w, permission_word(op->permission));
        json_end_array(&o->w);
        json_end_object(&o->w);
    }
    json_end_array(&o->w);
}

static void put_tag(struct openapi *o, const char *type)
{
    struct slice rest = slice_of(type), domain;

    slice_cut(&rest, '.', &domain);
    json_key(&o->w, "tags");
    json_begin_array(&o->w);
    json_slice(&o->w, domain);
    json_end_array(&o->w);
}

static void put_operation(struct openapi *o, const struct op *op)
{
    char method[16];

    snprintf(method, sizeof(method), "%s", op->method);
    for (char *at = method; *at; at++)
        *at = (char)(*at | 0x20); /* lower case */
    openapi_begin(o, method);
    openapi_put(o, "operationId", op->name);
    openapi_put(o, "summary", op->doc);
    openapi_put(o, "x-operation", op->type);
    put_tag(o, op->type);
    put_security(o, op);
    put_request(o, op);
    put_responses(o, op);
    openapi_end(o);
}

/* ---- the document ---- */

/* "{name*}" of the rows is "{name}" here: OpenAPI has no word for the rest of a path. */
static void begin_path(struct openapi *o, const char *path)
{
    char key[256];
    size_t size = 0;

    for (; *path && size + 1 < sizeof(key); path++) {
        if (*path != '*')
            key[size++] = *path;
    }
    key[size] = '\0';
    openapi_begin(o, key);
}

static bool path_came_before(size_t position)
{
    for (size_t i = 0; i < position; i++) {
        if (strcmp(op_catalog[i].path, op_catalog[position].path) == 0)
            return true;
    }
    return false;
}

static void put_paths(struct openapi *o)
{
    openapi_begin(o, "paths");
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (path_came_before(i))
            continue;
        begin_path(o, op_catalog[i].path);
        for (size_t k = i; k < OP_COUNT; k++) {
            if (strcmp(op_catalog[k].path, op_catalog[i].path) == 0)
                put_operation(o, &op_catalog[k]);
        }
        openapi_end(o);
    }
    openapi_end(o);
}

static void put_shared_responses(struct openapi *o)
{
    openapi_begin(o, "responses");
    openapi_begin(o, "accepted");
    openapi_put(o, "description", job_accepted_schema.doc);
    begin_json_content(o);
    openapi_put_schema_ref(o, &job_accepted_schema);
    end_json_content(o);
    openapi_end(o);
    openapi_begin(o, "not_modified");
    openapi_put(o, "description", "The reply with this tag is still what would be sent");
    openapi_end(o);
    for (int http = HTTP_ERROR_MIN; http <= HTTP_ERROR_MAX; http++)
        put_refusal_response(o, http);
    openapi_end(o);
}

static void put_components(struct openapi *o)
{
    openapi_begin(o, "components");
    json_key(&o->w, "securitySchemes");
    json_raw(
        &o->w,
        SLICE("{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}}"));
    openapi_begin(o, "parameters");
    json_key(&o->w, "prefer");
    json_raw(&o->w, SLICE("{\"name\":\"Prefer\",\"in\":\"header\",\"required\":false,"
                          "\"description\":\"respond-async: 202 at once, without waiting for the "
                          "result (RFC 7240)\","
                          "\"schema\":{\"type\":\"string\"}}"));
    json_key(&o->w, "if_none_match");
    json_raw(&o->w,
             SLICE("{\"name\":\"If-None-Match\",\"in\":\"header\",\"required\":false,"
                   "\"description\":\"Tags of earlier replies: 304 when one of them is still "
                   "what would be sent (RFC 9110)\","
                   "\"schema\":{\"type\":\"string\"}}"));
    openapi_end(o);
    openapi_begin(o, "headers");
    json_key(&o->w, "etag");
    json_raw(&o->w, SLICE("{\"description\":\"Of this reply, for If-None-Match; not with a moment "
                          "that counts back from now\","
                          "\"schema\":{\"type\":\"string\"}}"));
    openapi_end(o);
    put_shared_responses(o);
    openapi_put_schemas(o); /* last: all that is wanted has been named */
    openapi_end(o);
}

void openapi_write(struct buf *to, const char *version)
{
    struct openapi o = {.w = json_writer(to)};

    json_begin_object(&o.w);
    openapi_put(&o, "openapi", "3.1.0");
    openapi_begin(&o, "info");
    openapi_put(&o, "title", "Reeve");
    openapi_put(&o, "description",
                "One REST API over a fleet of Linux hosts. Every path exists with and without the "
                "prefix /api. Words of a list in a query may also be joined by commas.");
    openapi_put(&o, "version", version);
    openapi_end(&o);
    json_key(&o.w, "servers");
    json_raw(&o.w, SLICE("[{\"url\":\"/\"},{\"url\":\"/api\"}]"));
    put_paths(&o);
    put_components(&o);
    json_end_object(&o.w);
}
