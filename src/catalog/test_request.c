/* SPDX-License-Identifier: MIT */
/*
 * Requests: what is accepted, and the exact text of each refusal.
 *
 * What no row uses yet is tried on `trial`, a schema made by hand.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define JOB "0190b9a0-0000-7000-8000-000000000001"

struct request {
    const char *type, *path, *query, *body;
};

static struct arena arena;
static struct refusal why;
static _Alignas(16) char in[4096], shared[4096];

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int decode_op(const struct op *op, const struct request *request)
{
    const struct op_request parts = {
        .path = {slice_of(request->path)},
        .query = slice_of(request->query),
        .body = slice_of(request->body),
    };

    assert_non_null(op);
    assert_true(op->in->size <= sizeof(in) && op_shared_in(op)->size <= sizeof(shared));
    memset(in, 0x5A, sizeof(in));
    why = (struct refusal){.outcome = OUTCOME_DONE};
    return op_decode(op, &parts, &arena, in, shared, &why);
}

static int decode(const struct request *request)
{
    return decode_op(op_by_type(request->type), request);
}

static void refused(const struct request *request, const char *field, const char *text)
{
    assert_int_equal(decode(request), OUTCOME_INVALID);
    assert_int_equal(why.outcome, OUTCOME_INVALID);
    assert_string_equal(why.text, text);
    assert_string_equal(why.field, field);
}

/* ---- query ---- */

static void defaults_stand_in_for_what_is_absent(void **state)
{
    const struct job_list_in *list = (const void *)in;

    (void)state;
    assert_int_equal(decode(&(struct request){.type = "job.list"}), 0);
    assert_true(list->has_limit && list->limit == 10);
    assert_false(list->has_offset);
    assert_false(list->has_status);
}

static void a_query_is_decoded(void **state)
{
    const struct job_list_in *list = (const void *)in;

    (void)state;
    assert_int_equal(decode(&(struct request){
                         .type = "job.list", .query = "&limit=%31%30%30&&status=partial_failure&"}),
                     0);
    assert_int_equal(list->limit, 100);
    assert_int_equal(list->status.n, 1);
    assert_int_equal(list->status.v[0], job_status_PARTIAL_FAILURE);
}

static void shared_options_are_decoded_beside_the_own_ones(void **state)
{
    const struct node_target *target = (const void *)shared;

    (void)state;
    assert_int_equal(decode(&(struct request){"node.disk.get", "group%3Aweb.dev",
                                              "expires=1h30m&wait=250ms", NULL}),
                     0);
    assert_string_equal(target->hostname, "group:web.dev");
    assert_int_equal(target->wait, 250 * US_PER_MS);
    assert_int_equal(target->expires, 90 * 60 * US_PER_S);
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    refused(&(struct request){.type = "job.list", .query = "limit=101"}, "limit",
            "limit: '101' is not accepted; expected an integer from 1 to 100");
    refused(&(struct request){.type = "job.list", .query = "limit=0"}, "limit",
            "limit: '0' is not accepted; expected an integer from 1 to 100");
    refused(&(struct request){.type = "job.list", .query = "offset=-1"}, "offset",
            "offset: '-1' is not accepted; expected an integer of at least 0");
    refused(&(struct request){.type = "job.list", .query = "offset=9223372036854775808"}, "offset",
            "offset: '9223372036854775808' is not accepted; expected an integer of at least 0");
    refused(
        &(struct request){"node.disk.get", "web-01", "wait=2h", NULL}, "wait",
        "wait: '2h' is not accepted; expected a duration such as 30s, 5m, 2h or 7d, from 0s to 1h");
}

static void values_of_another_kind_are_refused(void **state)
{
    static const char *const no_integers[] = {"limit=",    "limit",     "limit=x",    "limit=1.0",
                                              "limit=1e1", "limit=+1",  "limit=%201", "limit=1%20",
                                              "limit=01",  "limit=0x1", "limit=null"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_integers); i++) {
        assert_int_equal(decode(&(struct request){.type = "job.list", .query = no_integers[i]}),
                         OUTCOME_INVALID);
        assert_string_equal(why.field, "limit");
    }
    refused(
        &(struct request){.type = "job.list", .query = "status=done"}, "status",
        "status: 'done' is not accepted; expected one of submitted, processing, completed, failed, "
        "partial_failure, skipped");
}

static void a_single_value_given_twice_is_refused(void **state)
{
    (void)state;
    refused(&(struct request){.type = "job.list", .query = "limit=1&limit=1"}, "limit",
            "limit: given more than once; expected it once");
}

static void unknown_parameters_are_refused_with_the_known_ones(void **state)
{
    (void)state;
    refused(&(struct request){.type = "job.list", .query = "cuont=1"}, "cuont",
            "cuont: unknown parameter; accepted are status, operation, hostname, target, user, "
            "since, until, changed, code, bulk, view, limit, offset, cursor");
    refused(&(struct request){"node.disk.get", "web-01", "hostname=x", NULL}, "hostname",
            "hostname: unknown parameter; accepted are wait, expires, sensitive");
    refused(&(struct request){"job.get", JOB, "x", NULL}, "x",
            "x: unknown parameter; no parameter is accepted");
    refused(&(struct request){"job.get", JOB, "=1", NULL}, "''",
            "'': unknown parameter; no parameter is accepted");
}

static void malformed_percent_encoding_is_refused(void **state)
{
    static const char *const queries[] = {"status=%", "status=%4", "status=%g0", "status=%0g",
                                          "status=a%"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_int_equal(decode(&(struct request){.type = "job.list", .query = queries[i]}),
                         OUTCOME_INVALID);
        assert_non_null(strstr(why.text, "expected two hexadecimal digits after each %"));
    }
    refused(&(struct request){.type = "job.list", .query = "%zz=1"}, "query",
            "query: '%zz' is not accepted; expected two hexadecimal digits after each %");
    refused(&(struct request){.type = "job.get", .path = "a%2"}, "id",
            "id: 'a%2' is not accepted; expected two hexadecimal digits after each %");
}

static void nul_and_bad_utf8_are_refused_after_decoding(void **state)
{
    (void)state;
    refused(&(struct request){.type = "job.list", .query = "status=failed%00"}, "status",
            "status: 'failed%00' is not accepted; text cannot hold U+0000");
    refused(&(struct request){.type = "job.list", .query = "status=%C3%28"}, "status",
            "status: '%C3%28' is not accepted; expected UTF-8");
    refused(&(struct request){.type = "node.disk.get", .path = "%ed%a0%80"}, "hostname",
            "hostname: '%ed%a0%80' is not accepted; expected UTF-8");
}

static void what_is_shown_is_cut_and_escaped(void **state)
{
    char query[400] = "status=";

    (void)state;
    refused(&(struct request){.type = "job.list", .query = "status=%1b%5b31m%7f%c2%85"}, "status",
            "status: '\\x1b[31m\\x7f\\xc2\\x85' is not accepted; expected one of submitted, "
            "processing, completed, "
            "failed, partial_failure, skipped");
    memset(query + strlen(query), 'x', 300);
    assert_int_equal(decode(&(struct request){.type = "job.list", .query = query}),
                     OUTCOME_INVALID);
    assert_non_null(strstr(why.text, "xxxx…' is not accepted"));
    assert_true(strlen(why.text) < 200);
}

/* ---- path ---- */

static void plus_is_a_plus_in_paths_and_a_space_in_queries(void **state)
{
    (void)state;
    refused(&(struct request){.type = "node.disk.get", .path = "a+b"}, "hostname",
            "hostname: 'a+b' is not accepted; expected a host name, machine id, _any, _all, or a "
            "label such as "
            "group:web.dev");
    refused(
        &(struct request){.type = "job.list", .query = "status=a+b"}, "status",
        "status: 'a b' is not accepted; expected one of submitted, processing, completed, failed, "
        "partial_failure, skipped");
}

static void targets_are_any_all_hosts_and_labels(void **state)
{
    static const char *const good[] = {"_any",      "_all",
                                       "web-01",    "web_01.example.com",
                                       "a",         "9f0c",
                                       "group:web", "group:web.dev.eu",
                                       "k-e_y:v",   "0123456789abcdef0123456789abcdef"};
    static const char *const bad[] = {"",       "_none", "-web",  ".",      "a..b", "a.",
                                      ".a",     "a b",   "a/b",   "group:", ":web", "a:b:c",
                                      "g:a..b", "g:.a",  "g.x:a", "wéb"};
    bool ok;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(format_check("target", good[i], &ok) && ok);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_true(format_check("target", bad[i], &ok) && !ok);
}

static void host_names_have_at_most_255_bytes(void **state)
{
    char name[257];
    bool ok;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[256] = '\0';
    assert_true(format_check("hostname", name, &ok) && !ok);
    name[255] = '\0';
    assert_true(format_check("hostname", name, &ok) && ok);
    assert_true(format_check("hostname", "_any", &ok) && !ok);
}

static void only_operations_that_make_runs_can_be_submitted(void **state)
{
    bool ok;

    (void)state;
    assert_true(format_check("operation_type", "node.disk.get", &ok) && ok);
    assert_true(format_check("operation_type", "job.list", &ok) && !ok);
    assert_true(format_check("operation_type", "node.disk", &ok) && !ok);
}

/* ---- body ---- */

static void a_body_is_decoded_with_its_lists(void **state)
{
    const struct command_exec_in *exec = (const void *)in;

    (void)state;
    assert_int_equal(
        decode(&(struct request){"command.exec.execute", "web-01", NULL,
                                 "{\"args\":[\"-l\",\"\\u00e4 \\n\"],\"command\":\"ls\"}"}),
        0);
    assert_string_equal(exec->command, "ls");
    assert_int_equal(exec->args.n, 2);
    assert_string_equal(exec->args.v[1], "ä \n");
    assert_int_equal(exec->timeout, 30);
    assert_false(exec->has_cwd);
}

static void any_values_stay_as_they_were_written(void **state)
{
    const struct job_submit_in *submit = (const void *)in;

    (void)state;
    assert_int_equal(decode(&(struct request){
                         "job.submit", NULL, "wait=0s",
                         "{\"operation\":{\"type\":\"node.disk.get\",\"data\":{\"x\": 0.10 }},"
                         "\"target_hostname\":\"_all\"}"}),
                     0);
    assert_true(slice_is(submit->operation.data, "{\"x\": 0.10 }"));
    assert_int_equal(submit->wait, 0);
}

static void an_absent_body_is_empty_unless_members_are_required(void **state)
{
    const struct job_retry_in *retry = (const void *)in;

    (void)state;
    assert_int_equal(decode(&(struct request){"job.retry", JOB, NULL, NULL}), 0);
    assert_int_equal(decode(&(struct request){"job.retry", JOB, NULL, "null"}), 0);
    assert_int_equal(decode(&(struct request){"job.retry", JOB, NULL, " {} "}), 0);
    assert_int_equal(
        decode(&(struct request){"job.retry", JOB, NULL, "{\"target_hostname\":null}"}), 0);
    assert_false(retry->has_target_hostname);
    refused(&(struct request){"job.submit", NULL, NULL, NULL}, "body",
            "body: required; expected a JSON object with operation, target_hostname");
    refused(&(struct request){"job.submit", NULL, NULL, "null"}, "body",
            "body: required; expected a JSON object with operation, target_hostname");
}

static void missing_members_are_named_with_what_they_are(void **state)
{
    (void)state;
    refused(&(struct request){"command.exec.execute", "web-01", NULL, "{\"cwd\":\"/\"}"}, "command",
            "command: required; expected 1 to 4096 characters of text: Program: a path, or a name "
            "looked up in the "
            "standard PATH");
    refused(&(struct request){"command.exec.execute", "web-01", NULL, "{\"command\":null}"},
            "command",
            "command: required; expected 1 to 4096 characters of text: Program: a path, or a name "
            "looked up in the "
            "standard PATH");
    refused(&(struct request){"job.submit", NULL, NULL,
                              "{\"operation\":{},\"target_hostname\":\"_any\"}"},
            "operation.type",
            "operation.type: required; expected an operation such as node.disk.get (see "
            "/openapi.json): Operation, "
            "such as node.disk.get");
}

static void unknown_members_are_refused_with_the_known_ones(void **state)
{
    (void)state;
    refused(&(struct request){"command.exec.execute", "web-01", NULL,
                              "{\"command\":\"ls\",\"comand\":1}"},
            "comand", "comand: unknown member; accepted are command, args, cwd, stdin, timeout");
    refused(&(struct request){"job.submit", NULL, NULL, "{\"operation\":{\"typ\":1}}"},
            "operation.typ", "operation.typ: unknown member; accepted are type, data");
    refused(&(struct request){"job.retry", JOB, NULL, "{\"id\":\"" JOB "\"}"}, "id",
            "id: unknown member; accepted are target_hostname");
    refused(&(struct request){"job.list", NULL, NULL, "{\"limit\":1}"}, "limit",
            "limit: unknown member; no member is accepted");
}

static void nested_values_are_named_by_their_place(void **state)
{
    (void)state;
    refused(&(struct request){"command.exec.execute", "web-01", NULL,
                              "{\"command\":\"ls\",\"args\":[\"a\",3]}"},
            "args[1]", "args[1]: '3' is not accepted; expected at most 65536 characters of text");
    refused(&(struct request){"job.submit", NULL, NULL, "{\"operation\":{\"type\":\"node.disk\"}}"},
            "operation.type",
            "operation.type: 'node.disk' is not accepted; expected an operation such as "
            "node.disk.get (see "
            "/openapi.json)");
    refused(&(struct request){"job.submit", NULL, NULL, "{\"operation\":[]}"}, "operation",
            "operation: '[]' is not accepted; expected a JSON object");
}

static void a_string_with_nul_is_refused(void **state)
{
    (void)state;
    refused(
        &(struct request){"command.exec.execute", "web-01", NULL, "{\"command\":\"l\\u0000s\"}"},
        "command", "command: '\"l\\u0000s\"' is not accepted; text cannot hold U+0000");
}

static void a_body_that_is_no_json_object_is_refused(void **state)
{
    (void)state;
    refused(&(struct request){"job.retry", JOB, NULL, "[]"}, "body",
            "body: '[]' is not accepted; expected a JSON object");
    assert_int_equal(decode(&(struct request){"job.retry", JOB, NULL, "{\"a\":"}), OUTCOME_INVALID);
    assert_string_equal(why.field, "body");
    assert_int_equal(strncmp(why.text, "body: byte 5: ", 14), 0);
    assert_int_equal(decode(&(struct request){"job.retry", JOB, NULL, "{\"a\":1,\"a\":2}"}),
                     OUTCOME_INVALID);
    assert_string_equal(why.field, "body");
}

static void lengths_are_counted_in_characters(void **state)
{
    char body[3 * 4096 + 64];
    size_t size = (size_t)snprintf(body, sizeof(body), "{\"command\":\"");

    (void)state;
    for (int i = 0; i < 4096; i++, size += 3)
        memcpy(body + size, "€", 3);
    memcpy(body + size, "\"}", 3);
    assert_int_equal(decode(&(struct request){"command.exec.execute", "web-01", NULL, body}), 0);
    memcpy(body + size, "x\"}", 4);
    assert_int_equal(decode(&(struct request){"command.exec.execute", "web-01", NULL, body}),
                     OUTCOME_INVALID);
    assert_non_null(strstr(why.text, "€…' is not accepted; expected 1 to 4096 characters of text"));
    assert_true(slice_is_utf8(slice_of(why.text)));
}

static void longer_lists_than_the_cap_are_refused(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, (size_t)1 << 20);
    buf_add_text(&body, "{\"command\":\"ls\",\"args\":[\"\"");
    for (int i = 1; i < LIST_VALUES_MAX; i++)
        buf_add_text(&body, ",\"\"");
    buf_add_text(&body, "]}");
    assert_int_equal(
        decode(&(struct request){"command.exec.execute", "web-01", NULL, buf_text(&body)}), 0);
    body.size -= 2;
    buf_add_text(&body, ",\"\"]}");
    refused(&(struct request){"command.exec.execute", "web-01", NULL, buf_text(&body)}, "args",
            "args: more than 10000 values are not accepted");
    buf_release(&body);
}

static void a_refusal_needs_no_room(void **state)
{
    const struct op_request request = {.query = SLICE("limit=x")};

    (void)state;
    assert_int_equal(op_decode(&op_catalog[OP_job_list], &request, &arena, in, shared, NULL),
                     OUTCOME_INVALID);
}

/* ---- what no row uses yet ---- */

struct trial {
    struct job_status_list states;
    bool has_states;
    const char *cursor;
    bool has_cursor;
    int64_t offset;
    bool has_offset;
    bool force;
    bool has_force;
    double ratio;
    bool has_ratio;
    const char *id;
    bool has_id;
    const char *rest;
    bool has_rest;
    struct i64_map limits;
    bool has_limits;
};

static const struct type state_type = {
    .kind = KIND_CHOICE,
    .words = job_status_words,
    .n_words = job_status_COUNT,
    .size = sizeof(enum job_status),
};
static const struct type limit_type = {
    .kind = KIND_I64,
    .size = sizeof(int64_t),
    .entry_size = sizeof(struct i64_entry),
    .val_offset = offsetof(struct i64_entry, val),
};

#define TRIAL(member)                                                                              \
    .wire = #member, .doc = "Trial", .offset = offsetof(struct trial, member),                     \
    .has_offset = offsetof(struct trial, has_##member)
static const struct field trial_fields[] = {
    {TRIAL(states), .place = PLACE_QUERY, .presence = PRESENCE_OPTIONAL,
     .type = {.kind = KIND_LIST, .element = &state_type}},
    {TRIAL(cursor), .place = PLACE_QUERY, .presence = PRESENCE_OPTIONAL,
     .type = {.kind = KIND_STR}},
    {TRIAL(offset), .place = PLACE_QUERY, .presence = PRESENCE_OPTIONAL, .default_text = "7",
     .type = {.kind = KIND_I64}},
    {TRIAL(force), .place = PLACE_QUERY, .presence = PRESENCE_OPTIONAL,
     .type = {.kind = KIND_FLAG}},
    {TRIAL(ratio), .place = PLACE_QUERY, .presence = PRESENCE_OPTIONAL, .type = {.kind = KIND_F64},
     .rule = {.kind = RULE_KIND_RANGE, .min = 0, .max = 1}},
    {TRIAL(id), .place = PLACE_PATH, .presence = PRESENCE_REQUIRED, .type = {.kind = KIND_STR}},
    {TRIAL(rest), .place = PLACE_PATH, .presence = PRESENCE_REQUIRED, .type = {.kind = KIND_STR}},
    {TRIAL(limits), .place = PLACE_BODY, .presence = PRESENCE_NULLABLE,
     .type = {.kind = KIND_MAP, .element = &limit_type},
     .rule = {.kind = RULE_KIND_RANGE, .min = 1, .max = 9}},
    {.wire = NULL},
};
#define TRIAL_PAIR(a_, b_)                                                                         \
    .a = #a_, .b = #b_, .has_a = offsetof(struct trial, has_##a_),                                 \
    .has_b = offsetof(struct trial, has_##b_)
static const struct pair trial_pairs[] = {
    {.kind = PAIR_AT_MOST_ONE, TRIAL_PAIR(offset, cursor)},
    {.kind = PAIR_NEEDS, TRIAL_PAIR(force, ratio)},
    {.a = NULL},
};
static const struct schema trial_schema = {
    .name = "trial",
    .doc = "Trial",
    .fields = trial_fields,
    .pairs = trial_pairs,
    .size = sizeof(struct trial),
};

static int decode_trial(const char *query, const char *body)
{
    const struct op op = {
        .name = "trial",
        .path = "/trial/{id}/of/{rest*}",
        .class = CLASS_LOCAL,
        .in = &trial_schema,
        .out = &none_schema,
    };
    const struct op_request request = {
        .path = {SLICE("a%2Fb"), SLICE("c/d%20e")},
        .query = slice_of(query),
        .body = slice_of(body),
    };

    why = (struct refusal){.outcome = OUTCOME_DONE};
    return op_decode(&op, &request, &arena, in, shared, &why);
}

static void a_list_in_a_query_is_a_repeated_parameter(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial("states=failed&force=true&states=skipped&ratio=0.5", NULL), 0);
    assert_int_equal(trial->states.n, 2);
    assert_int_equal(trial->states.v[0], job_status_FAILED);
    assert_int_equal(trial->states.v[1], job_status_SKIPPED);
    assert_int_equal(decode_trial("states=failed&states=nope", NULL), OUTCOME_INVALID);
    assert_string_equal(why.field, "states");
}

static void words_of_a_list_may_be_joined_by_commas(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial("states=failed,skipped&states=completed", NULL), 0);
    assert_int_equal(trial->states.n, 3);
    assert_int_equal(trial->states.v[0], job_status_FAILED);
    assert_int_equal(trial->states.v[1], job_status_SKIPPED);
    assert_int_equal(trial->states.v[2], job_status_COMPLETED);
    assert_int_equal(decode_trial("states=failed%2Cskipped", NULL), 0);
    assert_int_equal(trial->states.n, 2);
    assert_int_equal(decode_trial("states=failed,", NULL), OUTCOME_INVALID);
    assert_string_equal(why.field, "states");
    assert_int_equal(decode_trial("states=,failed", NULL), OUTCOME_INVALID);
    assert_int_equal(decode_trial("states=failed,nope,skipped", NULL), OUTCOME_INVALID);
    assert_non_null(strstr(why.text, "'nope'"));
}

static void words_beyond_the_cap_are_refused(void **state)
{
    struct buf query;

    (void)state;
    buf_init(&query, (size_t)1 << 16);
    buf_add_text(&query, "states=failed");
    for (int i = 1; i < QUERY_PARAMETERS_MAX; i++)
        buf_add_text(&query, ",failed");
    assert_int_equal(decode_trial(buf_text(&query), NULL), 0);
    buf_add_text(&query, ",failed");
    assert_int_equal(decode_trial(buf_text(&query), NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "states: more than 64 values are not accepted");
    buf_release(&query);
}

static void the_parameter_beyond_the_cap_is_refused(void **state)
{
    struct buf query;

    (void)state;
    buf_init(&query, (size_t)1 << 16);
    for (int i = 0; i < QUERY_PARAMETERS_MAX; i++)
        buf_add_text(&query, "states=failed&");
    assert_int_equal(decode_trial(buf_text(&query), NULL), 0);
    buf_add_text(&query, "states=failed");
    assert_int_equal(decode_trial(buf_text(&query), NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "query: more than 64 parameters are not accepted");
    assert_string_equal(why.field, "query");
    buf_release(&query);
}

static void path_parameters_are_decoded_after_routing(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial(NULL, NULL), 0);
    assert_string_equal(trial->id, "a/b");
    assert_string_equal(trial->rest, "c/d e");
}

static void pairs_speak_of_what_was_given_not_of_defaults(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial(NULL, NULL), 0);
    assert_true(trial->has_offset && trial->offset == 7);
    assert_int_equal(decode_trial("cursor=x", NULL), 0);
    assert_false(trial->has_offset);
    assert_int_equal(decode_trial("cursor=x&offset=1", NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "offset: not accepted together with cursor");
    assert_int_equal(decode_trial("force=false", NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "force: not accepted without ratio");
    assert_string_equal(why.field, "force");
}

static void each_kind_of_pair_is_checked(void **state)
{
    static const struct {
        enum pair_kind kind;
        bool has_a, has_b, ok;
    } cases[] = {
        {PAIR_EXACTLY_ONE, 0, 0, 0},  {PAIR_EXACTLY_ONE, 1, 0, 1},  {PAIR_EXACTLY_ONE, 0, 1, 1},
        {PAIR_EXACTLY_ONE, 1, 1, 0},  {PAIR_AT_LEAST_ONE, 0, 0, 0}, {PAIR_AT_LEAST_ONE, 1, 0, 1},
        {PAIR_AT_LEAST_ONE, 0, 1, 1}, {PAIR_AT_LEAST_ONE, 1, 1, 1}, {PAIR_AT_MOST_ONE, 0, 0, 1},
        {PAIR_AT_MOST_ONE, 1, 0, 1},  {PAIR_AT_MOST_ONE, 0, 1, 1},  {PAIR_AT_MOST_ONE, 1, 1, 0},
        {PAIR_NEEDS, 0, 0, 1},        {PAIR_NEEDS, 1, 0, 0},        {PAIR_NEEDS, 0, 1, 1},
        {PAIR_NEEDS, 1, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct pair pairs[] = {{.kind = cases[i].kind, TRIAL_PAIR(cursor, force)},
                                     {.a = NULL}};
        const struct field none[] = {{.wire = NULL}};
        const struct schema schema = {.fields = none, .pairs = pairs, .size = sizeof(struct trial)};
        const struct decoder d = {.arena = &arena};
        struct trial trial = {.has_cursor = cases[i].has_a, .has_force = cases[i].has_b};
        assert_int_equal(decode_finish(&d, NULL, &schema, &trial),
                         cases[i].ok ? 0 : OUTCOME_INVALID);
    }
}

static void flags_and_numbers_are_read_as_json_reads_them(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial("force=true&ratio=2.5e-1", NULL), 0);
    assert_true(trial->force && trial->ratio == 0.25);
    assert_int_equal(decode_trial("force=1&ratio=1", NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "force: '1' is not accepted; expected true or false");
    assert_int_equal(decode_trial("ratio=1.01", NULL), OUTCOME_INVALID);
    assert_string_equal(why.text, "ratio: '1.01' is not accepted; expected a number from 0 to 1");
    assert_int_equal(decode_trial("ratio=nan", NULL), OUTCOME_INVALID);
}

static void maps_keep_their_order_and_name_the_key_at_fault(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial(NULL, "{\"limits\":{\"b\":1,\"\":9}}"), 0);
    assert_int_equal(trial->limits.n, 2);
    assert_string_equal(trial->limits.v[0].key, "b");
    assert_string_equal(trial->limits.v[1].key, "");
    assert_int_equal(trial->limits.v[1].val, 9);
    assert_int_equal(decode_trial(NULL, "{\"limits\":{\"b\":1,\"x\\t\":10}}"), OUTCOME_INVALID);
    assert_string_equal(why.text,
                        "limits.x\\x09: '10' is not accepted; expected an integer from 1 to 9");
    assert_int_equal(decode_trial(NULL, "{\"limits\":{\"\\u0000\":1}}"), OUTCOME_INVALID);
    assert_string_equal(why.field, "limits");
}

static void null_is_a_value_of_nullable_members(void **state)
{
    const struct trial *trial = (const void *)in;

    (void)state;
    assert_int_equal(decode_trial(NULL, "{\"limits\":null}"), 0);
    assert_false(trial->has_limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_in_for_what_is_absent),
        cmocka_unit_test(a_query_is_decoded),
        cmocka_unit_test(shared_options_are_decoded_beside_the_own_ones),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(values_of_another_kind_are_refused),
        cmocka_unit_test(a_single_value_given_twice_is_refused),
        cmocka_unit_test(unknown_parameters_are_refused_with_the_known_ones),
        cmocka_unit_test(malformed_percent_encoding_is_refused),
        cmocka_unit_test(nul_and_bad_utf8_are_refused_after_decoding),
        cmocka_unit_test(what_is_shown_is_cut_and_escaped),
        cmocka_unit_test(plus_is_a_plus_in_paths_and_a_space_in_queries),
        cmocka_unit_test(targets_are_any_all_hosts_and_labels),
        cmocka_unit_test(host_names_have_at_most_255_bytes),
        cmocka_unit_test(only_operations_that_make_runs_can_be_submitted),
        cmocka_unit_test(a_body_is_decoded_with_its_lists),
        cmocka_unit_test(any_values_stay_as_they_were_written),
        cmocka_unit_test(an_absent_body_is_empty_unless_members_are_required),
        cmocka_unit_test(missing_members_are_named_with_what_they_are),
        cmocka_unit_test(unknown_members_are_refused_with_the_known_ones),
        cmocka_unit_test(nested_values_are_named_by_their_place),
        cmocka_unit_test(a_string_with_nul_is_refused),
        cmocka_unit_test(a_body_that_is_no_json_object_is_refused),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(longer_lists_than_the_cap_are_refused),
        cmocka_unit_test(a_refusal_needs_no_room),
        cmocka_unit_test(a_list_in_a_query_is_a_repeated_parameter),
        cmocka_unit_test(words_of_a_list_may_be_joined_by_commas),
        cmocka_unit_test(words_beyond_the_cap_are_refused),
        cmocka_unit_test(the_parameter_beyond_the_cap_is_refused),
        cmocka_unit_test(path_parameters_are_decoded_after_routing),
        cmocka_unit_test(pairs_speak_of_what_was_given_not_of_defaults),
        cmocka_unit_test(each_kind_of_pair_is_checked),
        cmocka_unit_test(flags_and_numbers_are_read_as_json_reads_them),
        cmocka_unit_test(maps_keep_their_order_and_name_the_key_at_fault),
        cmocka_unit_test(null_is_a_value_of_nullable_members),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
