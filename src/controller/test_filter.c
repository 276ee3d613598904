/* SPDX-License-Identifier: MIT */
/*
 * Filters: what requests decode to, and what the ledger is then asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/filter.h"

#define NOW_US INT64_C(1795500748123456) /* 2026-11-24T06:12:28.123456Z */
#define HOUR   (3600 * US_PER_S)

struct asked {
    struct arena arena;
    struct job_filter filter;
    struct ledger_filter resolved;
    struct refusal why;
};

static int asked_setup(void **state)
{
    *state = mem_alloc(sizeof(struct asked));
    return 0;
}

static int asked_teardown(void **state)
{
    struct asked *asked = *state;

    arena_release(&asked->arena);
    mem_free(asked);
    return 0;
}

/* What the filter in `json` resolves to. */
static int ask(struct asked *asked, const char *json)
{
    int r = schema_decode(&job_filter_schema, slice_of(json), JSON_VALUES_MAX, &asked->arena,
                          &asked->filter, &asked->why);

    assert_int_equal(r, 0);
    return filter_resolve(&asked->filter, NOW_US, &asked->arena, &asked->resolved, &asked->why);
}

static uint64_t question(struct asked *asked, const char *json)
{
    assert_int_equal(ask(asked, json), 0);
    return filter_question(&asked->filter);
}

static void an_empty_filter_asks_for_all_jobs(void **state)
{
    static const struct ledger_filter all;
    struct asked *asked = *state;

    assert_int_equal(ask(asked, "{}"), 0);
    assert_memory_equal(&asked->resolved, &all, sizeof(all));
    assert_true(filter_is_empty(&asked->filter));
    assert_false(filter_has_more_than_status(&asked->filter));
}

static void each_field_reaches_the_ledger(void **state)
{
    struct asked *asked = *state;
    struct uuid bulk;

    assert_int_equal(
        ask(asked,
            "{\"status\":[\"failed\",\"skipped\"],\"operation\":\"network.\",\"hostname\":\"web-"
            "01\","
            "\"target\":\"group:web\",\"user\":\"ann\",\"since\":\"2026-11-24T04:00:00Z\","
            "\"until\":\"2026-11-24T05:00:00Z\",\"changed\":false,\"code\":[\"none\",\"lost\"],"
            "\"bulk\":\"019ab3c1-0000-7000-8000-000000000001\"}"),
        0);
    const struct ledger_filter *to = &asked->resolved;
    assert_int_equal(to->statuses, 1u << job_status_FAILED | 1u << job_status_SKIPPED);
    assert_int_equal(to->codes, 1u << run_code_NONE | 1u << run_code_LOST);
    assert_string_equal(to->operation, "network.");
    assert_string_equal(to->hostname, "web-01");
    assert_string_equal(to->target, "group:web");
    assert_string_equal(to->user, "ann");
    assert_true(to->has_changed && !to->changed);
    assert_int_equal(to->until_us - to->since_us, HOUR);
    assert_true(uuid_parse(SLICE("019ab3c1-0000-7000-8000-000000000001"), &bulk));
    assert_true(uuid_equal(to->bulk, &bulk));
    assert_true(filter_has_more_than_status(&asked->filter));
    assert_false(filter_is_empty(&asked->filter));
}

static void a_filter_is_taken_from_any_struct_with_its_rows(void **state)
{
    struct job_list_in in = {0};

    (void)state;
    SET(&in, user, "ann");
    SET(&in, changed, true);
    struct job_filter filter = FILTER_OF(&in);
    assert_string_equal(filter.user, "ann");
    assert_true(filter.has_user && filter.has_changed && filter.changed);
    assert_false(filter.has_status || filter.has_since || filter.has_bulk);
}

static void a_duration_counts_back_from_now(void **state)
{
    struct asked *asked = *state;

    assert_int_equal(ask(asked, "{\"since\":\"2h\",\"until\":\"30m\"}"), 0);
    assert_int_equal(asked->resolved.since_us, NOW_US - 2 * HOUR);
    assert_int_equal(asked->resolved.until_us, NOW_US - HOUR / 2);
}

static void times_before_1970_are_any_time_and_no_time(void **state)
{
    struct asked *asked = *state;

    assert_int_equal(ask(asked, "{\"since\":\"1960-01-01T00:00:00Z\"}"), 0);
    assert_int_equal(asked->resolved.since_us, 0);
    assert_int_equal(ask(asked, "{\"until\":\"1960-01-01T00:00:00Z\"}"), 0);
    assert_int_equal(asked->resolved.until_us, 1);
}

static void assert_since_is_refused(struct asked *asked, const char *since, const char *until)
{
    const char *json =
        arena_printf(&asked->arena, "{\"since\":\"%s\",\"until\":\"%s\"}", since, until);

    assert_int_equal(ask(asked, json), OUTCOME_INVALID);
    assert_string_equal(asked->why.field, "since");
    assert_non_null(strstr(asked->why.text, since));
    assert_non_null(strstr(asked->why.text, until));
}

static void since_must_be_before_until(void **state)
{
    struct asked *asked = *state;

    assert_since_is_refused(asked, "1h", "2h");
    assert_since_is_refused(asked, "2h", "2h");
    assert_since_is_refused(asked, "2026-11-24T05:00:00Z", "2026-11-24T06:00:00+01:00");
    assert_since_is_refused(asked, "1961-01-01T00:00:00Z", "1960-01-01T00:00:00Z");
    assert_int_equal(ask(asked, "{\"since\":\"2h\",\"until\":\"1h\"}"), 0);
}

static void a_list_without_a_value_is_refused(void **state)
{
    struct asked *asked = *state;

    assert_int_equal(ask(asked, "{\"status\":[]}"), OUTCOME_INVALID);
    assert_string_equal(asked->why.field, "status");
    assert_int_equal(ask(asked, "{\"code\":[]}"), OUTCOME_INVALID);
    assert_string_equal(asked->why.field, "code");
}

static void a_question_is_the_filter_as_it_was_asked(void **state)
{
    struct asked *asked = *state;

    assert_true(question(asked, "{}") == question(asked, "{}"));
    assert_true(question(asked, "{\"since\":\"2h\"}") == question(asked, "{\"since\":\"2h\"}"));
    assert_true(question(asked, "{\"since\":\"2h\"}") != question(asked, "{\"since\":\"3h\"}"));
    assert_true(question(asked, "{\"since\":\"2h\"}") != question(asked, "{\"until\":\"2h\"}"));
    assert_true(question(asked, "{\"changed\":true}") != question(asked, "{\"changed\":false}"));
    assert_true(question(asked, "{\"status\":[\"failed\"]}") != question(asked, "{}"));
}

int main(void)
{
#define ASKED(test) cmocka_unit_test_setup_teardown(test, asked_setup, asked_teardown)
    const struct CMUnitTest tests[] = {
        ASKED(an_empty_filter_asks_for_all_jobs),
        ASKED(each_field_reaches_the_ledger),
        ASKED(a_filter_is_taken_from_any_struct_with_its_rows),
        ASKED(a_duration_counts_back_from_now),
        ASKED(times_before_1970_are_any_time_and_no_time),
        ASKED(since_must_be_before_until),
        ASKED(a_list_without_a_value_is_refused),
        ASKED(a_question_is_the_filter_as_it_was_asked),
    };

    return cmocka_run_group_tests_name("controller/filter", tests, NULL, NULL);
}
