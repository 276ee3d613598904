/* SPDX-License-Identifier: MIT */
/*
 * The negative test matrix: every operation of the catalog, asked wrongly in every way its rows
 * allow.
 *
 *     matrix URL TOKEN KEY_FILE      asks; prints one line a failure and a last line with the
 * numbers matrix --operations            prints the type of each operation
 *
 * Nothing here knows an operation. A reply passes when it has the wanted status and the one error
 * shape, and names the field that was wrong. No request here may change a host: each is refused.
 */
#include "client.h"
#include "request.h"
#include "wrong.h"

#include "http/token.h"

#define ANSWER_MS 10000L

struct matrix {
    struct client *client;
    const char *token; /* of an admin */
    struct token_key key;
    unsigned passed, failed;
};

/* One request and what must come back. */
struct probe {
    const struct op *op;
    const char *what; /* for the failure's line */
    struct call call; /* method and path from the row unless they are given here */
    int status;
    const char *field; /* NULL: the reply need not name one */
    const char *named; /* what the text must name; NULL: the field */
};

/* ---- the reply ---- */

static bool member_has_text(struct json object, const char *name)
{
    struct json value;

    return json_member(object, name, &value) && value.kind == JSON_STRING && value.text.size > 2;
}

/* "args" is named by "args", "args[0]" and "args.key". */
static bool names_field(struct json reply, const char *field)
{
    struct json value;
    struct slice text;
    size_t size = strlen(field);

    if (!json_member(reply, "field", &value) || value.kind != JSON_STRING)
        return false;
    text = (struct slice){.at = value.text.at + 1, .size = value.text.size - 2};
    return slice_starts(text, field) && (text.size == size || strchr("[.", text.at[size]));
}

static bool text_names(struct json reply, const char *name)
{
    struct json value;

    return json_member(reply, "error", &value) &&
           memmem(value.text.at, value.text.size, name, strlen(name));
}

static bool allows(const struct matrix *m, const char *method)
{
    const char *allow = client_header(m->client, "Allow");

    return allow && strstr(allow, method);
}

/* What is wrong with the reply, or NULL. */
static const char *fault_of(const struct matrix *m, const struct probe *probe, int status)
{
    struct json reply, value;
    int64_t code;

    if (!status)
        return "no answer";
    if (status != probe->status)
        return "wrong status";
    if (!client_json(m->client, &reply) || reply.kind != JSON_OBJECT)
        return "the body is no JSON object";
    if (!json_member(reply, "code", &value) || value.kind != JSON_NUMBER ||
        !json_i64(value, &code) || code != status)
        return "code is not the status";
    if (!member_has_text(reply, "error") || !member_has_text(reply, "reason") ||
        !member_has_text(reply, "request_id"))
        return "error, reason or request_id is missing";
    if (status == 405 && !allows(m, probe->op->method))
        return "Allow does not name the method";
    if (!probe->field)
        return NULL;
    if (!names_field(reply, probe->field))
        return "field does not name the field";
    if (!text_names(reply, probe->named ? probe->named : probe->field))
        return "the text does not name the field";
    return NULL;
}

static void ask(struct matrix *m, const struct probe *probe)
{
    int status = client_call(m->client, &probe->call);
    const char *fault = fault_of(m, probe, status);
    struct slice body = slice_cut_at_character(client_body(m->client), 200);

    if (!fault) {
        m->passed++;
        return;
    }
    m->failed++;
    printf("matrix: %s %s, %s: %s: got %d, want %d: %.*s\n", probe->call.method, probe->call.path,
           probe->what, fault, status, probe->status, (int)body.size, body.at);
}

/* ---- fields ---- */

static void ask_wrong(struct matrix *m, const struct op *op, const char *prefix,
                      const struct variant *variant, const struct wrong *wrong)
{
    const struct field *field = variant_field(variant);
    struct arena arena = {0};
    const char *name = variant_name(variant, &arena);
    /* Two members of one name make a body that is no document, whatever the name is. */
    bool of_body = wrong->twice && field->place == PLACE_BODY;
    struct request request;

    request_build(op, prefix, variant, &request);
    ask(m, &(struct probe){.op = op,
                           .what = arena_printf(&arena, "%s %s", name, wrong->name),
                           .call = {.method = op->method,
                                    .path = buf_text(&request.path),
                                    .token = m->token,
                                    .body = request.body.size ? buf_text(&request.body) : NULL},
                           .status = 400,
                           .field = of_body ? "body" : name,
                           .named = of_body ? field->wire : name});
    request_release(&request);
    arena_release(&arena);
}

static void ask_field(struct matrix *m, const struct op *op, const char *prefix,
                      const struct variant *variant)
{
    struct variant broken = *variant;
    struct buf text;

    buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < n_wrongs; i++) {
        buf_clear(&text);
        if (!wrongs[i].write(variant_field(variant), &text))
            continue;
        broken.text = wrongs[i].absent ? NULL : buf_text(&text);
        broken.twice = wrongs[i].twice;
        ask_wrong(m, op, prefix, &broken, &wrongs[i]);
    }
    buf_release(&text);
}

static void ask_fields(struct matrix *m, const struct op *op, const char *prefix,
                       const struct schema *schema, const struct variant *outer)
{
    if (outer->depth == FIELD_DEPTH_MAX)
        return;
    for (const struct field *field = schema->fields; field->wire; field++) {
        struct variant variant = *outer;

        variant.fields[variant.depth++] = field;
        ask_field(m, op, prefix, &variant);
        if (field->type.kind == KIND_OBJ)
            ask_fields(m, op, prefix, field->type.schema, &variant);
    }
}

/* ---- whole requests ---- */

static const struct body_case {
    const char *what, *body, *content_type, *field;
    int status;
} body_cases[] = {
    {"malformed JSON", "{\"a\":", NULL, "body", 400},
    {"text after the JSON", "{} x", NULL, "body", 400},
    {"an array for an object", "[]", NULL, "body", 400},
    {"an unknown member", "{\"unheard\":1}", NULL, "unheard", 400},
    {"a repeated unknown member", "{\"unheard\":1,\"unheard\":1}", NULL, "body", 400},
    {"a body that is not UTF-8", "{\"a\":\"\xff\"}", NULL, "body", 400},
    {"too deep JSON", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NULL,
     "body", 400},
    {"a number with a leading zero", "{\"unheard\":01}", NULL, "body", 400},
    {"a number without an end", "{\"unheard\":1.}", NULL, "body", 400},
    {"a NUL in a string", "{\"unheard\":\"\\u0000\"}", NULL, "unheard", 400},
    {"half a surrogate", "{\"unheard\":\"\\ud800\"}", NULL, "body", 400},
    {"another content type", "{}", "text/plain", NULL, 415},
    {"another charset", "{}", "application/json; charset=latin1", NULL, 415},
    {"a form", "a=1", "application/x-www-form-urlencoded", NULL, 415},
};

static const struct query_case {
    const char *what, *query, *field;
} query_cases[] = {
    {"an unknown parameter", "unheard=1", "unheard"},
    {"an unknown parameter without a value", "unheard", "unheard"},
    {"a malformed escape in a parameter's name", "%zz=1", NULL},
    {"a NUL in a parameter's name", "%00=1", NULL},
    {"a semicolon", "a;b", NULL},
    {"half an escape in a parameter's name", "a%2=1", NULL},
    {"bytes that are no UTF-8 in a parameter's name", "%c0%80=1", NULL},
};

static void ask_bodies(struct matrix *m, const struct op *op, const char *path)
{
    /* What a body on GET means is left to the client (RFC 9110 §9.3.1). */
    if (!strcmp(op->method, "GET"))
        return;
    for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
        const struct body_case *c = &body_cases[i];

        ask(m, &(struct probe){.op = op,
                               .what = c->what,
                               .call = {.method = op->method,
                                        .path = path,
                                        .token = m->token,
                                        .body = c->body,
                                        .content_type = c->content_type},
                               .status = c->status,
                               .field = c->field});
    }
}

static void ask_queries(struct matrix *m, const struct op *op, const char *path, const char *body)
{
    struct arena arena = {0};

    for (size_t i = 0; i < sizeof(query_cases) / sizeof(query_cases[0]); i++) {
        const struct query_case *c = &query_cases[i];

        ask(m,
            &(struct probe){.op = op,
                            .what = c->what,
                            .call = {.method = op->method,
                                     .path = arena_printf(&arena, "%s%c%s", path,
                                                          strchr(path, '?') ? '&' : '?', c->query),
                                     .token = m->token,
                                     .body = body},
                            .status = 400,
                            .field = c->field});
    }
    arena_release(&arena);
}

/* A token that may do everything but this operation; the caller releases *ret. */
static void token_without(const struct matrix *m, int permission, struct buf *ret)
{
    struct token token = {.subject = "matrix",
                          .permissions =
                              role_permissions(ROLE_ADMIN) & ~(UINT64_C(1) << permission),
                          .issued_s = time(NULL),
                          .expires_s = time(NULL) + 3600};

    buf_init(ret, TOKEN_TEXT_MAX);
    struct role_set roles;

    role_set_init(&roles);
    token_make(&m->key, &roles, &token, ret);
}

static void ask_tokens(struct matrix *m, const struct op *op, struct call call)
{
    struct buf weak;

    if (op->permission == PERMISSION_PUBLIC)
        return;
    call.token = NULL;
    ask(m, &(struct probe){.op = op, .what = "no token", .call = call, .status = 401});
    call.token = "e30.e30.e30";
    ask(m, &(struct probe){.op = op, .what = "a bad token", .call = call, .status = 401});
    token_without(m, op->permission, &weak);
    call.token = buf_text(&weak);
    ask(m, &(struct probe){.op = op, .what = "no permission", .call = call, .status = 403});
    buf_release(&weak);
}

/* A method that no operation of this path has. */
static const char *other_method(const struct op *op)
{
    static const char *const methods[] = {"PATCH", "PUT", "DELETE", "POST", "GET"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        bool taken = false;

        for (int other = 0; other < OP_COUNT; other++)
            taken = taken || (!strcmp(op_catalog[other].path, op->path) &&
                              !strcmp(op_catalog[other].method, methods[i]));
        if (!taken)
            return methods[i];
    }
    return NULL;
}

static void ask_whole(struct matrix *m, const struct op *op, const char *prefix)
{
    struct request request;
    struct call call = {.method = op->method, .token = m->token};

    request_build(op, prefix, &(struct variant){.depth = 0}, &request);
    call.path = buf_text(&request.path);
    call.body = request.body.size ? buf_text(&request.body) : NULL;
    ask_tokens(m, op, call);
    ask_queries(m, op, call.path, call.body);
    ask_bodies(m, op, call.path);
    call.method = other_method(op);
    if (call.method)
        ask(m, &(struct probe){.op = op, .what = "wrong method", .call = call, .status = 405});
    request_release(&request);
}

static void ask_operation(struct matrix *m, const struct op *op, const char *prefix)
{
    const struct variant whole = {.depth = 0};

    ask_whole(m, op, prefix);
    ask_fields(m, op, prefix, op_shared_in(op), &whole);
    ask_fields(m, op, prefix, op->in, &whole);
}

static int list_operations(void)
{
    for (int i = 0; i < OP_COUNT; i++)
        puts(op_catalog[i].type);
    return 0;
}

int main(int argc, char **argv)
{
    static struct matrix m;
    struct refusal why;

    if (argc == 2 && !strcmp(argv[1], "--operations"))
        return list_operations();
    if (argc != 4) {
        fprintf(stderr, "usage: matrix URL TOKEN KEY_FILE | matrix --operations\n");
        return 2;
    }
    if (token_key_load(argv[3], &m.key, &why)) {
        fprintf(stderr, "matrix: %s\n", why.text);
        return 2;
    }
    m.client = client_new(argv[1], ANSWER_MS);
    m.token = argv[2];
    /* Both prefixes lead to the same rows: the first operation proves it, the others take turns. */
    for (int i = 0; i < OP_COUNT; i++) {
        if (i == 0 || i % 2)
            ask_operation(&m, &op_catalog[i], "");
        if (i % 2 == 0)
            ask_operation(&m, &op_catalog[i], "/api");
    }
    client_free(m.client);
    printf("matrix: %u passed, %u failed\n", m.passed, m.failed);
    return m.failed || !m.passed;
}
