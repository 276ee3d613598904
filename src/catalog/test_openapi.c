/* SPDX-License-Identifier: MIT */
/*
 * The OpenAPI document: whole, without loose ends, and no more than the API.
 */
#include "base/mem.h"
#include "catalog/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DOCUMENT_CAP ((size_t)16 << 20)

static struct buf text;
static struct json document;

static int write_document(void **state)
{
    struct refusal why;

    (void)state;
    buf_init(&text, DOCUMENT_CAP);
    openapi_write(&text, "1.2.3");
    if (buf_overflowed(&text) ||
        json_check(buf_slice(&text), JSON_VALUES_MAX_RESULT, &document, &why)) {
        print_error("%s\n", why.text);
        return -1;
    }
    return 0;
}

static int release_document(void **state)
{
    (void)state;
    buf_release(&text);
    return 0;
}

/* The value at "/"-separated names, "~1" standing for "/" (RFC 6901); false when there is none. */
static bool find(struct json from, const char *pointer, struct json *ret)
{
    struct slice rest = slice_of(pointer), name;
    char key[256];

    for (bool more = true; more;) {
        size_t size = 0;
        more = slice_cut(&rest, '/', &name);
        for (size_t i = 0; i < name.size && size + 1 < sizeof(key); i++) {
            bool slash = name.at[i] == '~' && i + 1 < name.size && name.at[i + 1] == '1';
            key[size++] = slash ? '/' : name.at[i];
            i += slash;
        }
        key[size] = '\0';
        if (from.kind != JSON_OBJECT || !json_member(from, key, &from))
            return false;
    }
    *ret = from;
    return true;
}

static struct json get(struct json from, const char *pointer)
{
    struct json value = {.kind = JSON_NULL};

    if (!find(from, pointer, &value))
        fail_msg("no %s", pointer);
    return value;
}

static struct json operation(const struct op *op)
{
    char pointer[512] = "paths/";
    size_t size = strlen(pointer);

    for (const char *at = op->path; *at; at++) {
        if (*at == '*')
            continue;
        size +=
            (size_t)snprintf(pointer + size, sizeof(pointer) - size, *at == '/' ? "~1" : "%c", *at);
    }
    size += (size_t)snprintf(pointer + size, sizeof(pointer) - size, "/%s", op->method);
    for (char *at = pointer + size - strlen(op->method); *at; at++)
        *at = (char)(*at | 0x20);
    return get(document, pointer);
}

static size_t count(struct json array_or_object)
{
    size_t n = 0;

    for (struct json_walk w = json_walk(array_or_object); json_next(&w);)
        n++;
    return n;
}

static void every_operation_stands_under_its_path(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        struct json op = operation(&op_catalog[i]);
        assert_true(json_string_is(get(op, "operationId"), op_catalog[i].name));
        assert_true(json_string_is(get(op, "x-operation"), op_catalog[i].type));
        assert_true(
            json_string_is(get(op, "x-permission"), permission_word(op_catalog[i].permission)));
        assert_int_equal(count(get(op, "security")), op_catalog[i].permission != PERMISSION_PUBLIC);
    }
    for (struct json_walk w = json_walk(get(document, "paths")); json_next(&w);)
        n += count(w.value);
    assert_int_equal(n, OP_COUNT);
}

static size_t count_places(const struct schema *schema, enum place place)
{
    size_t n = 0;

    for (const struct field *field = schema->fields; field->wire; field++)
        n += field->place == place;
    return n;
}

static void parameters_are_the_fields_of_path_and_query(void **state)
{
    struct json wait;

    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        size_t n = 0, prefer = 0;
        for (int place = PLACE_PATH; place <= PLACE_QUERY; place++)
            n += count_places(op->in, (enum place)place) +
                 count_places(op_shared_in(op), (enum place)place);
        for (struct json_walk w = json_walk(get(operation(op), "parameters")); json_next(&w);)
            prefer += json_member(w.value, "$ref", &wait);
        assert_int_equal(count(get(operation(op), "parameters")), n + prefer);
        if (op_makes_run(op))
            assert_int_equal(prefer, 1);
    }
    assert_false(find(operation(&op_catalog[OP_job_list]), "requestBody", &wait));
    assert_int_equal(get(operation(&op_catalog[OP_command_exec]), "requestBody/required").kind,
                     JSON_TRUE);
    assert_int_equal(get(operation(&op_catalog[OP_job_retry]), "requestBody/required").kind,
                     JSON_FALSE);
}

static void check_refs(struct json value)
{
    struct arena arena = {0};
    struct json target;
    const char *ref;

    if (value.kind != JSON_OBJECT && value.kind != JSON_ARRAY)
        return;
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        check_refs(w.value);
        if (!w.members || !json_string_is(w.key, "$ref") || w.value.kind != JSON_STRING)
            continue;
        assert_int_equal(json_string(w.value, &arena, &ref, NULL), 0);
        assert_int_equal(strncmp(ref, "#/", 2), 0);
        if (!find(document, ref + 2, &target))
            fail_msg("%s leads nowhere", ref);
    }
    arena_release(&arena);
}

static void references_lead_somewhere(void **state)
{
    (void)state;
    check_refs(document);
}

static void replies_of_runs_hold_the_envelope_and_the_output(void **state)
{
    struct json properties = get(document, "components/schemas/node_disk_result/properties");
    struct json value;

    (void)state;
    assert_true(json_member(properties, "hostname", &value) &&
                json_member(properties, "status", &value));
    assert_true(json_string_is(get(properties, "disks/items/$ref"), "#/components/schemas/disk"));
    assert_true(json_string_is(
        get(document, "components/schemas/node_disk_reply/properties/results/items/$ref"),
        "#/components/schemas/node_disk_result"));
    assert_true(slice_is(get(document, "components/schemas/node_disk_reply/required").text,
                         "[\"job_id\",\"results\"]"));
    assert_true(json_string_is(get(operation(&op_catalog[OP_node_disk]),
                                   "responses/200/content/application~1json/schema/$ref"),
                               "#/components/schemas/node_disk_reply"));
    assert_true(json_string_is(get(operation(&op_catalog[OP_node_disk]), "responses/202/$ref"),
                               "#/components/responses/accepted"));
    assert_int_equal(count(get(operation(&op_catalog[OP_command_exec]),
                               "responses/202/content/application~1json/schema/anyOf")),
                     2);
}

static void every_code_of_success_and_refusal_is_there(void **state)
{
    char pointer[64];

    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        snprintf(pointer, sizeof(pointer), "responses/%d", op_catalog[i].code);
        get(operation(&op_catalog[i]), pointer);
        get(operation(&op_catalog[i]), "responses/400");
    }
    static const int codes[] = {400, 401, 403, 404, 405, 409, 413, 414,
                                415, 429, 431, 500, 503, 504, 507};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        snprintf(pointer, sizeof(pointer), "components/responses/%d", codes[i]);
        get(document, pointer);
    }
    get(document, "components/responses/accepted");
    get(document, "components/responses/not_modified");
    assert_int_equal(count(get(document, "components/responses")), COUNT_OF(codes) + 2);
    assert_false(find(operation(&op_catalog[OP_health_get]), "responses/401", &(struct json){0}));
    get(operation(&op_catalog[OP_job_get]), "responses/404");
    get(operation(&op_catalog[OP_node_disk]), "responses/504");
}

static void replies_with_a_tag_say_so(void **state)
{
    struct json list = operation(&op_catalog[OP_job_list]);

    (void)state;
    assert_true(
        json_string_is(get(list, "responses/304/$ref"), "#/components/responses/not_modified"));
    assert_true(
        json_string_is(get(list, "responses/200/headers/ETag/$ref"), "#/components/headers/etag"));
    assert_true(slice_is(get(document, "components/parameters/if_none_match/name").text,
                         "\"If-None-Match\""));
    get(document, "components/headers/etag/schema");
    assert_false(find(operation(&op_catalog[OP_health_get]), "responses/304", &(struct json){0}));
}

static void lines_have_a_type_of_their_own(void **state)
{
    struct json export = operation(&op_catalog[OP_job_export]);

    (void)state;
    assert_true(
        json_string_is(get(export, "responses/200/content/application~1x-ndjson/schema/$ref"),
                       "#/components/schemas/job_export_out"));
    assert_true(json_string_is(get(document, "components/schemas/job_export_out/$ref"),
                               "#/components/schemas/job_item"));
}

static void rules_and_defaults_are_told(void **state)
{
    struct json properties = get(document, "components/schemas/command_exec_in/properties");

    (void)state;
    assert_true(slice_is(get(properties, "timeout/minimum").text, "1"));
    assert_true(slice_is(get(properties, "timeout/maximum").text, "300"));
    assert_true(slice_is(get(properties, "timeout/default").text, "30"));
    assert_true(slice_is(get(properties, "args/items/maxLength").text, "65536"));
    assert_int_equal(count(get(document, "components/schemas/job_item/properties/changed/anyOf")),
                     2);
    assert_int_equal(count(get(document, "components/schemas/job_status/enum")), job_status_COUNT);
    assert_true(
        json_string_is(get(document, "components/schemas/disk/properties/total/x-unit"), "bytes"));
}

static void what_is_no_part_of_the_api_is_not_told(void **state)
{
    struct json schema;

    (void)state;
    assert_false(find(document, "components/schemas/bus_task", &schema));
    assert_false(find(document, "components/schemas/node_target", &schema));
    assert_true(json_string_is(get(document, "info/version"), "1.2.3"));
    assert_int_equal(count(get(document, "servers")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_stands_under_its_path),
        cmocka_unit_test(parameters_are_the_fields_of_path_and_query),
        cmocka_unit_test(references_lead_somewhere),
        cmocka_unit_test(replies_of_runs_hold_the_envelope_and_the_output),
        cmocka_unit_test(every_code_of_success_and_refusal_is_there),
        cmocka_unit_test(replies_with_a_tag_say_so),
        cmocka_unit_test(lines_have_a_type_of_their_own),
        cmocka_unit_test(rules_and_defaults_are_told),
        cmocka_unit_test(what_is_no_part_of_the_api_is_not_told),
    };

    return cmocka_run_group_tests(tests, write_document, release_document);
}
