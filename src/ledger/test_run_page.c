/* SPDX-License-Identifier: MIT */
/*
 * Pages of a job's runs: order, limits, states, and the same cost at the end of 10,000 as at the
 * beginning.
 */
#include "ledger/fixture.h"

#include "base/json.h"
#include "base/mem.h"

#define N_RUNS 10000u

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static void add_hosts(struct fixture *fixture, uint32_t n)
{
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (uint32_t host = 1; host <= n; host++) {
        char machine_id[40], hostname[40];
        snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
        /* The order of names is not that of numbers. */
        snprintf(hostname, sizeof(hostname), "web-%05u", (unsigned)(n - host));
        struct record record = {.kind = RECORD_AGENT,
                                .time_us = fixture->now_us,
                                .agent = {.host = host,
                                          .machine_id = machine_id,
                                          .hostname = hostname,
                                          .labels = SLICE("{}"),
                                          .epoch = 1}};
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static struct fixture_job submit_to_all(struct fixture *fixture, uint32_t n)
{
    host_number *hosts CLEANUP(mem_freep) = mem_alloc(n * sizeof(*hosts));
    struct fixture_job job = {.id = uuid_make(fixture->now_us)};

    for (uint32_t i = 0; i < n; i++)
        hosts[i] = i + 1;
    job.seq = fixture_apply(fixture,
                            (struct record){
                                .kind = RECORD_SUBMITTED,
                                .submitted = {.id = job.id,
                                              .op = op_by_type("node.disk.get"),
                                              .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                                              .user = "alice",
                                              .hosts = hosts,
                                              .n_hosts = n}})
                  .seq;
    return job;
}

/* The page, proven against its schema; its run numbers. */
static struct ledger_run_page page_of(struct fixture *fixture, const struct uuid *id,
                                      const struct ledger_run_question *question,
                                      int64_t *ret_numbers)
{
    struct ledger_run_page page;
    struct refusal why;
    struct json items, number;
    unsigned n = 0;

    buf_clear(&fixture->text);
    assert_int_equal(ledger_run_page(fixture->reader, id, question, &page, &fixture->text), 0);
    assert_int_equal(json_check(buf_slice(&fixture->text), JSON_VALUES_MAX_RESULT, &items, NULL),
                     0);
    for (struct json_walk walk = json_walk(items); json_next(&walk); n++) {
        if (schema_check(&job_run_schema, walk.value.text, JSON_VALUES_MAX_RESULT, &why))
            fail_msg("%s: %s", why.field, why.text);
        assert_true(json_member(walk.value, "run", &number));
        assert_true(json_i64(number, &ret_numbers[n]));
    }
    assert_int_equal(n, page.n_items);
    return page;
}

static enum run_state state_of(uint32_t run)
{
    return (enum run_state)(run % 7 < run_state_COUNT ? run % 7 : run_state_WAITING);
}

static void give_states(struct fixture *fixture, uint64_t seq, uint32_t n)
{
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (uint32_t run = 0; run < n; run++) {
        enum run_state state = state_of(run);
        struct record record =
            record_finished(seq, run, state, state == run_state_FAILED ? run_code_ERROR : 0,
                            state == run_state_FAILED ? "it broke" : NULL,
                            state == run_state_COMPLETED ? "{\"disks\":[]}" : NULL);
        if (state == run_state_WAITING)
            continue;
        if (state == run_state_ACKNOWLEDGED || state == run_state_STARTED)
            record = record_run(state == run_state_STARTED ? RECORD_STARTED : RECORD_ACKNOWLEDGED,
                                seq, run);
        record.time_us = fixture->now_us++;
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void ten_thousand_runs_are_met_once_each_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_run_question question = {.limit = LEDGER_RUN_PAGE_MAX};
    int64_t numbers[LEDGER_RUN_PAGE_MAX];
    struct ledger_run_page page;
    int64_t next = 0;

    add_hosts(fixture, N_RUNS);
    struct fixture_job job = submit_to_all(fixture, N_RUNS);
    give_states(fixture, job.seq, N_RUNS);
    do {
        page = page_of(fixture, &job.id, &question, numbers);
        assert_int_equal(page.total, N_RUNS);
        for (unsigned i = 0; i < page.n_items; i++)
            assert_int_equal(numbers[i], next++);
        assert_int_equal(page.has_next, next < N_RUNS);
        question.from = page.next;
    } while (page.has_next);
    assert_int_equal(next, N_RUNS);
    question.from = N_RUNS;
    assert_int_equal(page_of(fixture, &job.id, &question, numbers).n_items, 0);
}

static void states_are_counted_and_chosen(void **state)
{
    struct fixture *fixture = *state;
    int64_t numbers[LEDGER_RUN_PAGE_MAX];

    add_hosts(fixture, 200);
    struct fixture_job job = submit_to_all(fixture, 200);
    give_states(fixture, job.seq, 200);
    for (unsigned states = 1; states < 1u << run_state_COUNT; states++) {
        struct ledger_run_question question = {.states = states, .limit = 7};
        struct ledger_run_page page;
        uint32_t wanted = 0, met = 0, run = 0;
        for (uint32_t i = 0; i < 200; i++)
            wanted += (states & 1u << state_of(i)) != 0;
        do {
            page = page_of(fixture, &job.id, &question, numbers);
            assert_int_equal(page.total, wanted);
            for (unsigned i = 0; i < page.n_items; i++, run++, met++) {
                while (!(states & 1u << state_of(run)))
                    run++;
                assert_int_equal(numbers[i], run);
            }
            question.from = page.next;
        } while (page.has_next);
        assert_int_equal(met, wanted);
    }
}

static void a_run_says_all_that_is_known(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_run_question question = {.limit = 10};
    int64_t numbers[LEDGER_RUN_PAGE_MAX];
    struct record failed;

    add_hosts(fixture, 3);
    struct fixture_job job = submit_to_all(fixture, 3);
    failed = record_finished(job.seq, 0, run_state_FAILED, run_code_TIMEOUT, "slow \"x\"", NULL);
    failed.time_us = FIXTURE_START_US + 4 * US_PER_S;
    failed.run.acknowledged_us = FIXTURE_START_US;
    failed.run.started_us = FIXTURE_START_US + US_PER_S;
    failed.run.finished_us = FIXTURE_START_US + 3 * US_PER_S;
    fixture_apply(fixture, failed);
    fixture_apply(fixture, record_finished(job.seq, 2, run_state_COMPLETED, run_code_NONE, NULL,
                                           "{\"disks\":[]}"));
    struct ledger_run_page page = page_of(fixture, &job.id, &question, numbers);
    assert_int_equal(page.counts.failed, 1);
    assert_int_equal(page.counts.completed, 1);
    const char *items = buf_text(&fixture->text);
    assert_non_null(strstr(
        items, "{\"run\":0,\"hostname\":\"web-00002\",\"status\":\"failed\",\"code\":\"timeout\","
               "\"changed\":null,\"error\":\"slow \\\"x\\\"\","
               "\"acknowledged\":\"2025-11-24T16:00:00.000000Z\","
               "\"started\":\"2025-11-24T16:00:01.000000Z\","
               "\"finished\":\"2025-11-24T16:00:03.000000Z\",\"duration\":\"2s\"},"
               "{\"run\":1,\"hostname\":\"web-00001\",\"status\":\"waiting\",\"changed\":null},"
               "{\"run\":2,\"hostname\":\"web-00000\",\"status\":\"completed\",\"changed\":false,"
               "\"data\":{\"disks\":[]}"));
}

static void one_run_is_a_page_and_no_job_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_run_question question = {.limit = 10};
    int64_t numbers[LEDGER_RUN_PAGE_MAX];
    struct ledger_run_page page;
    struct uuid unknown = uuid_make(1);

    add_hosts(fixture, 1);
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    page = page_of(fixture, &job.id, &question, numbers);
    assert_int_equal(page.n_items, 1);
    assert_false(page.has_next);
    assert_int_equal(ledger_run_page(fixture->reader, &unknown, &question, &page, &fixture->text),
                     OUTCOME_NOT_FOUND);
}

static void a_page_of_runs_ends_at_8_mib(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_run_question question = {.limit = 10};
    int64_t numbers[LEDGER_RUN_PAGE_MAX];
    size_t size = (size_t)3 << 20;
    char *data CLEANUP(mem_freep) = mem_alloc(size + 1);

    add_hosts(fixture, 5);
    struct fixture_job job = submit_to_all(fixture, 5);
    memset(data, 'x', size);
    data[0] = data[size - 1] = '"';
    for (uint32_t run = 0; run < 5; run++)
        fixture_apply(
            fixture, record_finished(job.seq, run, run_state_COMPLETED, run_code_NONE, NULL, data));
    struct ledger_run_page page = page_of(fixture, &job.id, &question, numbers);
    assert_int_equal(page.n_items, 2);
    assert_int_equal(page.next, 2);
    question.from = 4;
    page = page_of(fixture, &job.id, &question, numbers);
    assert_int_equal(page.n_items, 1);
    assert_false(page.has_next);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ten_thousand_runs_are_met_once_each_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(states_are_counted_and_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_says_all_that_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_run_is_a_page_and_no_job_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_of_runs_ends_at_8_mib, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
