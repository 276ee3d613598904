/* SPDX-License-Identifier: MIT */
/*
 * Pages as text: arrays and lines, whole and in summary, and where they end when they may not be
 * longer.
 */
#include "ledger/fixture.h"

#include "base/mem.h"

#include <stdio.h>

#define N_JOBS 40

static void submit_jobs(struct fixture *fixture)
{
    char data[1200];

    for (unsigned i = 0; i < N_JOBS; i++) {
        struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
        snprintf(data, sizeof(data), "\"%0*u\"", (int)(i * 37 % 1000 + 1), i);
        fixture_apply(fixture,
                      record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, data));
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 2);
    fixture.now_us = FIXTURE_START_US + US_PER_S;
    submit_jobs(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static struct ledger_page list(struct fixture *fixture, const struct ledger_question *question,
                               struct buf *items)
{
    struct ledger_page page;

    buf_init(items, 16 << 20);
    assert_int_equal(ledger_list(fixture->reader, question, &page, items), 0);
    assert_false(buf_overflowed(items));
    return page;
}

/* The items of a page, each proven, as "id of the newest … id of the oldest" in *ids. */
static unsigned add_ids(const struct buf *items, struct buf *ids)
{
    struct json array, id;
    struct refusal why;
    unsigned n = 0;

    assert_int_equal(json_check(buf_slice(items), JSON_VALUES_MAX_RESULT, &array, &why), 0);
    for (struct json_walk w = json_walk(array); json_next(&w); n++) {
        if (schema_check(&job_item_schema, w.value.text, JSON_VALUES_MAX_RESULT, &why))
            fail_msg("%s in %.*s", why.text, (int)w.value.text.size, w.value.text.at);
        assert_true(json_member(w.value, "id", &id));
        buf_add_slice(ids, id.text);
    }
    return n;
}

/* All ids by pages of at most bytes_max, from `from` on; each page's in front of those before it
   when they are newer. */
static void walk(struct fixture *fixture, enum ledger_from from, uint64_t at, size_t bytes_max,
                 struct buf *ids)
{
    struct ledger_question question = {.from = from, .at = at, .limit = 7, .bytes_max = bytes_max};
    struct ledger_page page;

    buf_init(ids, 1 << 20);
    do {
        CLEANUP(buf_release) struct buf items, page_ids, joined;
        page = list(fixture, &question, &items);
        buf_init(&page_ids, 1 << 20);
        buf_init(&joined, 1 << 20);
        assert_int_equal(add_ids(&items, &page_ids), page.n_items);
        assert_true(page.n_items > 0);
        assert_true(page.n_items == 1 || items.size <= bytes_max + 2);
        buf_add_slice(&joined, buf_slice(from == LEDGER_FROM_OLDER ? ids : &page_ids));
        buf_add_slice(&joined, buf_slice(from == LEDGER_FROM_OLDER ? &page_ids : ids));
        buf_clear(ids);
        buf_add_slice(ids, buf_slice(&joined));
        question.at = from == LEDGER_FROM_OLDER ? page.oldest_seq : page.newest_seq;
    } while (from == LEDGER_FROM_OLDER ? page.has_older : page.has_newer);
}

static void pages_that_are_cut_leave_no_job_out_in_either_direction(void **state)
{
    CLEANUP(buf_release) struct buf items, all;
    struct ledger_question question = {.limit = LEDGER_PAGE_MAX};

    buf_init(&all, 1 << 20);
    list(*state, &question, &items);
    assert_int_equal(add_ids(&items, &all), N_JOBS);
    for (size_t bytes_max = 1; bytes_max < 12000; bytes_max += 811) {
        CLEANUP(buf_release) struct buf down, up;
        walk(*state, LEDGER_FROM_OLDER, UINT64_MAX, bytes_max, &down);
        assert_true(slice_equal(buf_slice(&down), buf_slice(&all)));
        walk(*state, LEDGER_FROM_NEWER, 0, bytes_max, &up);
        assert_true(slice_equal(buf_slice(&up), buf_slice(&all)));
    }
}

static void begin_line(void *owner, uint64_t seq, struct buf *to)
{
    unsigned *n = owner;

    (*n)++;
    buf_printf(to, "{\"cursor\":\"%u\"", (unsigned)seq);
}

static void lines_are_the_items_behind_what_they_begin_with(void **state)
{
    CLEANUP(buf_release) struct buf items, text;
    unsigned n = 0;
    struct ledger_lines lines = {.begin = begin_line, .owner = &n};
    struct ledger_question question = {.limit = LEDGER_PAGE_MAX};
    struct json array;
    struct slice line;
    char beginning[64];

    list(*state, &question, &items);
    question.lines = &lines;
    struct ledger_page page = list(*state, &question, &text);
    assert_int_equal(page.n_items, N_JOBS);
    assert_int_equal(n, N_JOBS);
    assert_int_equal(json_check(buf_slice(&items), JSON_VALUES_MAX_RESULT, &array, NULL), 0);
    struct slice rest = buf_slice(&text);
    uint64_t seq = page.newest_seq;
    for (struct json_walk w = json_walk(array); json_next(&w); seq--) {
        assert_true(slice_cut(&rest, '\n', &line));
        int size = snprintf(beginning, sizeof(beginning), "{\"cursor\":\"%u\",", (unsigned)seq);
        assert_memory_equal(line.at, beginning, size);
        assert_int_equal(line.size - (size_t)size, w.value.text.size - 1);
        assert_memory_equal(line.at + size, w.value.text.at + 1, w.value.text.size - 1);
        assert_int_equal(schema_check(&job_item_schema, line, JSON_VALUES_MAX_RESULT, NULL), 0);
    }
    assert_int_equal(rest.size, 0);
}

static void no_lines_are_no_text(void **state)
{
    CLEANUP(buf_release) struct buf text;
    unsigned n = 0;
    struct ledger_lines lines = {.begin = begin_line, .owner = &n};
    struct ledger_question question = {.limit = 10, .at = N_JOBS, .lines = &lines};

    assert_int_equal(list(*state, &question, &text).n_items, 0);
    assert_int_equal(text.size, 0);
    question.lines = NULL;
    buf_release(&text);
    list(*state, &question, &text);
    assert_true(slice_is(buf_slice(&text), "[]"));
}

/* The item of the newest job, in summary, from its runs on. */
static void assert_summary(struct fixture *fixture, const char *error, const char *runs)
{
    CLEANUP(buf_release) struct buf items, ids;
    struct ledger_question question = {.limit = 1, .view = LEDGER_SUMMARY};
    struct json array, member;

    buf_init(&ids, 1 << 20);
    list(fixture, &question, &items);
    assert_int_equal(add_ids(&items, &ids), 1);
    assert_int_equal(json_check(buf_slice(&items), JSON_VALUES_MAX_RESULT, &array, NULL), 0);
    struct json_walk w = json_walk(array);
    assert_true(json_next(&w));
    static const char *const left_out[] = {"result", "responses", "agent_states", "timeline"};
    for (size_t i = 0; i < COUNT_OF(left_out); i++)
        assert_false(json_member(w.value, left_out[i], &member));
    assert_true(json_member(w.value, "runs", &member));
    assert_true(slice_is(member.text, runs));
    assert_int_equal(json_member(w.value, "error", &member), error != NULL);
    if (error)
        assert_true(json_string_is(member, error));
    assert_true(json_member(w.value, "operation", &member));
    assert_int_equal(json_member(w.value, "hostname", &member),
                     strstr(runs, "\"total\":1,") != NULL);
}

static void a_summary_counts_runs_and_says_what_failed(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_ALL, 2);

    assert_summary(*state, NULL,
                   "{\"total\":2,\"completed\":0,\"failed\":0,\"skipped\":0,\"active\":2}");
    fixture_apply(*state,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "[1]"));
    fixture_apply(*state,
                  record_finished(job.seq, 1, run_state_FAILED, run_code_ERROR, "broken", NULL));
    assert_summary(*state, "web-02: broken",
                   "{\"total\":2,\"completed\":1,\"failed\":1,\"skipped\":0,\"active\":0}");
}

int main(void)
{
#define TEST_PAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_PAGE(pages_that_are_cut_leave_no_job_out_in_either_direction),
        TEST_PAGE(lines_are_the_items_behind_what_they_begin_with),
        TEST_PAGE(no_lines_are_no_text),
        TEST_PAGE(a_summary_counts_runs_and_says_what_failed),
    };

    return cmocka_run_group_tests_name("ledger/page", tests, NULL, NULL);
}
