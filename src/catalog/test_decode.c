/* SPDX-License-Identifier: MIT */
/*
 * Payloads and messages: what is accepted, what a check of a reply wants beyond that, and rules in
 * words.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define JOB "0190b9a0-0000-7000-8000-000000000001"

static struct arena arena;
static struct refusal why;
static _Alignas(16) char in[4096];

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void payloads_hold_all_fields_whatever_their_place(void **state)
{
    struct job_retry_in retry;

    (void)state;
    assert_int_equal(schema_decode(&job_retry_in_schema,
                                   SLICE("{\"id\":\"" JOB "\",\"target_hostname\":\"_any\"}"),
                                   JSON_VALUES_MAX, &arena, &retry, &why),
                     0);
    assert_string_equal(retry.id, JOB);
    assert_string_equal(retry.target_hostname, "_any");
    assert_int_equal(
        schema_decode(&job_retry_in_schema, SLICE("{}"), JSON_VALUES_MAX, &arena, &retry, &why),
        OUTCOME_INVALID);
    assert_string_equal(why.field, "id");
}

static void patterns_match_the_whole_text(void **state)
{
    (void)state;
    assert_int_equal(
        schema_decode(&bus_confirm_schema, SLICE("{\"number\":0}"), 10, &arena, in, &why), 0);
    const char *pattern = NULL;
    for (const struct field *field = bus_hello_schema.fields; field->wire; field++) {
        if (strcmp(field->wire, "machine_id") == 0)
            pattern = field->rule.name;
    }
    assert_non_null(pattern);
    assert_true(pattern_check(pattern, "0123456789abcdef0123456789abcdef"));
    assert_false(pattern_check(pattern, "0123456789abcdef0123456789abcdef0"));
    assert_false(pattern_check(pattern, "x0123456789abcdef0123456789abcdef"));
    assert_false(pattern_check(pattern, "0123456789abcdef0123456789abcdef\n"));
    assert_false(pattern_check(pattern, ""));
}

static void documents_with_too_many_values_are_refused(void **state)
{
    struct bus_confirm confirm;

    (void)state;
    assert_int_equal(
        schema_decode(&bus_confirm_schema, SLICE("{\"number\":1}"), 1, &arena, &confirm, &why),
        OUTCOME_INVALID);
    assert_string_equal(why.field, "body");
}

static int check(const struct schema *schema, const char *json)
{
    why = (struct refusal){.outcome = OUTCOME_DONE};
    return schema_check(schema, slice_of(json), JSON_VALUES_MAX_RESULT, &why);
}

static void a_check_wants_exactly_what_an_encoder_writes(void **state)
{
    (void)state;
    assert_int_equal(check(&job_response_schema,
                           "{\"status\":\"completed\",\"changed\":null,\"hostname\":\"a\"}"),
                     0);
    assert_int_equal(check(&job_response_schema, "{\"status\":\"completed\",\"hostname\":\"a\"}"),
                     OUTCOME_INVALID);
    assert_string_equal(why.field, "changed");
    assert_int_equal(
        check(&job_response_schema,
              "{\"status\":\"completed\",\"changed\":true,\"error\":null,\"hostname\":\"a\"}"),
        OUTCOME_INVALID);
    assert_string_equal(why.field, "error");
    assert_int_equal(
        check(&job_response_schema, "{\"status\":\"completed\",\"changed\":1,\"hostname\":\"a\"}"),
        OUTCOME_INVALID);
    assert_int_equal(
        check(&node_disk_out_schema, "{\"disks\":[{\"name\":\"/\",\"total\":1,\"used\":1}]}"),
        OUTCOME_INVALID);
    assert_string_equal(why.field, "disks[0].free");
}

static void a_check_looks_into_encoded_values(void **state)
{
    (void)state;
#define COUNTS                                                                                     \
    "\"status_counts\":{\"submitted\":0,\"processing\":0,\"completed\":0,\"failed\":0,\"partial_"  \
    "failure\":0,"                                                                                 \
    "\"skipped\":0}"
    assert_int_equal(check(&job_list_out_schema, "{\"total_items\":0," COUNTS ",\"items\":[]}"), 0);
    assert_int_equal(check(&job_list_out_schema,
                           "{\"total_items\":0," COUNTS ",\"items\":[{\"changed\":null}]}"),
                     OUTCOME_INVALID);
    assert_string_equal(why.field, "items[0].id");
    assert_int_equal(check(&job_list_out_schema, "{\"total_items\":0," COUNTS ",\"items\":{}}"),
                     OUTCOME_INVALID);
    assert_string_equal(why.field, "items");
#undef COUNTS
    assert_int_equal(check(&job_get_out_schema, "{\"changed\":null,\"id\":\"x\"}"),
                     OUTCOME_INVALID);
    assert_string_equal(why.field, "body.id");
}

static void lists_of_results_have_no_cap_but_the_documents(void **state)
{
    struct buf json;

    (void)state;
    buf_init(&json, (size_t)4 << 20);
    buf_add_text(&json, "{\"uptime\":\"1 day\",\"disks\":[],\"missing\":[\"\"");
    for (int i = 0; i < LIST_VALUES_MAX; i++)
        buf_add_text(&json, ",\"\"");
    buf_add_text(&json, "]}");
    assert_int_equal(check(&node_status_out_schema, buf_text(&json)), 0);
    buf_release(&json);
}

static void rules_are_told_in_words(void **state)
{
    char text[REFUSAL_TEXT_SIZE], cut[8];

    (void)state;
    field_accepts(&bus_hello_schema.fields[0], text, sizeof(text));
    assert_string_equal(text, "text that matches [0-9a-f]{32}");
    field_accepts(&memory_schema.fields[0], text, sizeof(text));
    assert_string_equal(text, "an integer (bytes)");
    field_accepts(&memory_schema.fields[0], cut, sizeof(cut));
    assert_string_equal(cut, "an inte");
    field_accepts(&node_hostname_out_schema.fields[0], text, sizeof(text));
    assert_string_equal(text, "a JSON object, each value text");
}

static void durations_are_written_as_they_are_read(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {999, "0s"},
        {1000, "1ms"},
        {90 * US_PER_S, "1m30s"},
        {86400 * US_PER_S + 1000, "1d1ms"},
        {-5, "0s"},
    };
    char text[DURATION_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        duration_write(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_hold_all_fields_whatever_their_place),
        cmocka_unit_test(patterns_match_the_whole_text),
        cmocka_unit_test(documents_with_too_many_values_are_refused),
        cmocka_unit_test(a_check_wants_exactly_what_an_encoder_writes),
        cmocka_unit_test(a_check_looks_into_encoded_values),
        cmocka_unit_test(lists_of_results_have_no_cap_but_the_documents),
        cmocka_unit_test(rules_are_told_in_words),
        cmocka_unit_test(durations_are_written_as_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
