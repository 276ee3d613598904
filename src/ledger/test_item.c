/* SPDX-License-Identifier: MIT */
/*
 * Items, word for word: what users see of a job in each of its states. Every item is proven against
 * job_item.
 */
#include "ledger/fixture.h"

#include "base/mem.h"

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 3);
    fixture.now_us = FIXTURE_START_US + US_PER_S;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

/* Everything behind the id. */
static void assert_item(struct fixture *fixture, const struct fixture_job *job,
                        const char *expected)
{
    const char *item = fixture_item(fixture, &job->id);
    char id[UUID_TEXT_SIZE];

    uuid_format(&job->id, id);
    assert_memory_equal(item, "{\"id\":\"", 7);
    assert_memory_equal(item + 7, id, UUID_TEXT_SIZE - 1);
    assert_string_equal(item + 7 + UUID_TEXT_SIZE - 1, expected);
}

static void assert_has(struct fixture *fixture, const struct fixture_job *job, const char *part)
{
    const char *item = fixture_item(fixture, &job->id);

    if (!strstr(item, part))
        fail_msg("no %s in %s", part, item);
}

static void assert_has_not(struct fixture *fixture, const struct fixture_job *job, const char *part)
{
    const char *item = fixture_item(fixture, &job->id);

    if (strstr(item, part))
        fail_msg("%s in %s", part, item);
}

#define T(fraction) "\"2025-11-24T16:00:01." fraction "Z\""
#define OPERATION   "\"operation\":{\"type\":\"node.hostname.get\",\"data\":{\"a\":1}}"
#define SUBMITTED                                                                                  \
    "{\"timestamp\":" T("000000") ",\"event\":\"submitted\",\"message\":\"Job submitted to "       \
                                  "queue\"}"

static void a_waiting_job_has_its_host_and_no_answer(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_HOST, 1);

    assert_item(*state, &job,
                "\",\"status\":\"submitted\",\"created\":" T(
                    "000000") "," OPERATION
                              ",\"target\":\"web-01\",\"user\":\"alice\",\"changed\":null,"
                              "\"hostname\":\"web-01\",\"updated_at\":" T(
                                  "000000") ",\"timeline\":[" SUBMITTED "]}");
}

static void a_completed_query_has_a_result_and_changed_nothing(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_ANY, 1);

    fixture_apply(*state, record_run(RECORD_ACKNOWLEDGED, job.seq, 0));
    fixture_apply(*state, record_run(RECORD_STARTED, job.seq, 0));
    fixture_apply(*state, record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL,
                                          "{\"hostname\": \"web-01\"}"));
    assert_item(
        *state, &job,
        "\",\"status\":\"completed\",\"created\":" T(
            "000000") "," OPERATION ",\"target\":\"_any\",\"user\":\"alice\",\"result\":{"
                      "\"hostname\": \"web-01\"},"
                      "\"changed\":false,\"hostname\":\"web-01\",\"updated_at\":" T(
                          "003000") ",\"timeline\":[" SUBMITTED
                                    ",{\"timestamp\":" T(
                                        "001000") ",\"event\":\"acknowledged\",\"hostname\":\"web-"
                                                  "01\","
                                                  "\"message\":\"Job acknowledged by agent "
                                                  "web-01\"},"
                                                  "{\"timestamp\":" T(
                                                      "002000") ",\"event\":\"started\","
                                                                "\"hostname\":\"web-01\","
                                                                "\"message\":\"Job processing "
                                                                "started on web-01\"},"
                                                                "{\"timestamp\":" T(
                                                                    "003000") ",\"event\":"
                                                                              "\"completed\","
                                                                              "\"hostname\":\"web-"
                                                                              "01\","
                                                                              "\"message\":\"Job "
                                                                              "completed "
                                                                              "successfully on "
                                                                              "web-01\"}]}");
}

static void a_failed_job_says_why_and_shows_no_result(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_HOST, 1);

    fixture_apply(*state, record_finished(job.seq, 0, run_state_FAILED, run_code_ERROR,
                                          "disk \"sda\" is gone", "{\"exit_code\":1}"));
    assert_item(
        *state, &job,
        "\",\"status\":\"failed\",\"created\":" T(
            "000000") "," OPERATION ",\"target\":\"web-01\",\"user\":\"alice\",\"changed\":null,"
                      "\"error\":\"disk \\\"sda\\\" is "
                      "gone\",\"hostname\":\"web-01\",\"updated_at\":" T(
                          "001000") ",\"timeline\":[" SUBMITTED
                                    ",{\"timestamp\":" T(
                                        "001000") ",\"event\":\"failed\",\"hostname\":\"web-01\","
                                                  "\"message\":\"Job failed on web-01\","
                                                  "\"error\":\"disk \\\"sda\\\" is gone\"}]}");
}

static void a_broadcast_answers_by_host(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_ALL, 3);
    struct record done = record_finished(job.seq, 1, run_state_COMPLETED, run_code_NONE, NULL, "2");

    done.run.has_changed = done.run.changed = true;
    done.run.started_us = FIXTURE_START_US + US_PER_S;
    done.run.finished_us = FIXTURE_START_US + US_PER_S + 500;
    fixture_apply(*state, done);
    fixture_apply(
        *state, record_finished(job.seq, 2, run_state_FAILED, run_code_REFUSED, "not here", NULL));
    assert_item(
        *state, &job,
        "\",\"status\":\"processing\",\"created\":" T(
            "000000") "," OPERATION
                      ",\"target\":\"_all\",\"user\":\"alice\",\"changed\":null,\"updated_at\":" T(
                          "002000") ",\"responses\":{\"web-02\":{\"status\":\"completed\",\"data\":"
                                    "2,\"changed\":true,"
                                    "\"hostname\":\"web-02\"},\"web-03\":{\"status\":\"failed\","
                                    "\"changed\":null,"
                                    "\"error\":\"not here\",\"hostname\":\"web-03\"}},"
                                    "\"agent_states\":{\"web-02\":{\"status\":\"completed\","
                                    "\"duration\":\"500µs\"},"
                                    "\"web-03\":{\"status\":\"failed\",\"error\":\"not "
                                    "here\",\"code\":\"refused\"}},"
                                    "\"timeline\":[" SUBMITTED ",{\"timestamp\":" T(
                                        "000000") ",\"event\":\"started\",\"hostname\":\"web-02\","
                                                  "\"message\":\"Job processing started on "
                                                  "web-02\"},"
                                                  "{\"timestamp\":" T(
                                                      "000500") ",\"event\":\"completed\","
                                                                "\"hostname\":\"web-02\","
                                                                "\"message\":\"Job completed "
                                                                "successfully on web-02\"},"
                                                                "{\"timestamp\":" T(
                                                                    "002000") ",\"event\":"
                                                                              "\"failed\","
                                                                              "\"hostname\":\"web-"
                                                                              "03\","
                                                                              "\"message\":\"Job "
                                                                              "refused by "
                                                                              "web-03\",\"error\":"
                                                                              "\"not here\"}]}");
    fixture_apply(*state,
                  record_finished(job.seq, 0, run_state_SKIPPED, run_code_NONE, "no", NULL));
    assert_has(*state, &job, "\"status\":\"partial_failure\"");
    assert_has(*state, &job, "\"changed\":true,\"error\":\"web-03: not here\",\"updated_at\"");
}

static void a_broadcast_to_one_host_has_result_and_responses(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_LABEL, 1);

    assert_has(*state, &job, "\"responses\":{},\"agent_states\":{},");
    fixture_apply(*state,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "[1]"));
    assert_has(*state, &job, "\"result\":[1],\"changed\":false,\"hostname\":\"web-01\"");
    assert_has(*state, &job,
               "\"responses\":{\"web-01\":{\"status\":\"completed\",\"data\":[1],"
               "\"changed\":false,\"hostname\":\"web-01\"}}");
}

static void a_skipped_job_has_the_skip_as_its_error(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_ALL, 2);

    for (uint32_t run = 0; run < 2; run++)
        fixture_apply(*state, record_finished(job.seq, run, run_state_SKIPPED, run_code_NONE,
                                              "wrong family", NULL));
    assert_has(*state, &job, "\"status\":\"skipped\"");
    assert_has(*state, &job, "\"changed\":null,\"error\":\"web-01: wrong family\"");
    assert_has(*state, &job,
               "\"message\":\"Job skipped on web-02 (unsupported OS family)\","
               "\"error\":\"wrong family\"}");
}

/* The first by name is not the first by number. */
static void the_error_is_of_the_first_failed_host_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 3);

    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_FAILED, run_code_ERROR, "a", NULL));
    fixture_apply(fixture,
                  record_finished(job.seq, 1, run_state_COMPLETED, run_code_NONE, NULL, "1"));
    fixture_apply(fixture,
                  record_finished(job.seq, 2, run_state_FAILED, run_code_ERROR, "c", NULL));
    assert_has(fixture, &job, "\"error\":\"web-01: a\",\"updated_at\"");
    fixture_apply(fixture,
                  (struct record){.kind = RECORD_AGENT,
                                  .agent = {.host = 1,
                                            .machine_id = "00000000000000000000000000000001",
                                            .hostname = "zeus",
                                            .labels = SLICE("{}"),
                                            .epoch = 1}});
    assert_has(fixture, &job, "\"error\":\"web-03: c\",\"updated_at\"");
    assert_has(fixture, &job, "\"responses\":{\"web-02\":");
    assert_has(fixture, &job, "\"zeus\":{\"status\":\"failed\",\"changed\":null,\"error\":\"a\"");
}

static void each_code_has_its_own_sentence(void **state)
{
    static const char *const sentences[run_code_COUNT] = {
        [run_code_ERROR] = "\"message\":\"Job failed on web-01\"",
        [run_code_TIMEOUT] = "\"message\":\"Job timed out on web-01\"",
        [run_code_EXPIRED] = "\"message\":\"Job expired on web-01 before it started\"",
        [run_code_CANCELLED] = "\"message\":\"Job cancelled on web-01\"",
        [run_code_INTERRUPTED] =
            "\"message\":\"Job interrupted on web-01: its agent stopped while running it\"",
        [run_code_LOST] =
            "\"message\":\"Job lost on web-01: the host went silent while running it\"",
        [run_code_REFUSED] = "\"message\":\"Job refused by web-01\"",
    };

    for (unsigned code = run_code_ERROR; code < run_code_COUNT; code++) {
        struct fixture_job job = fixture_submit(*state, TARGET_HOST, 1);
        struct record failed = record_finished(job.seq, 0, run_state_FAILED, code, NULL, NULL);
        if (code == run_code_LOST) { /* presumed, and only of what has started */
            fixture_apply(*state, record_run(RECORD_STARTED, job.seq, 0));
            failed.run.by_agent = false;
            failed.run.to.presumed = true;
        }
        fixture_apply(*state, failed);
        assert_has(*state, &job, sentences[code]);
        assert_has(*state, &job, "\"changed\":null,\"error\":\"");
    }
}

static void what_was_presumed_stays_in_the_timeline(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record expired =
        record_finished(job.seq, 0, run_state_FAILED, run_code_EXPIRED, "silent", NULL);
    struct record done = record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "7");

    expired.run.by_agent = false;
    expired.run.to.presumed = true;
    fixture_apply(fixture, expired);
    assert_has(fixture, &job, "\"error\":\"silent\",\"hostname\"");
    done.run.started_us = FIXTURE_START_US + US_PER_S + 500;
    done.run.finished_us = FIXTURE_START_US + US_PER_S + 700;
    fixture_apply(fixture, done);
    assert_has(fixture, &job, "\"status\":\"completed\"");
    assert_has(fixture, &job, "\"result\":7,\"changed\":false,\"hostname\"");
    assert_has(fixture, &job,
               "\"message\":\"Job completed successfully on web-01\"},{\"timestamp\":" T(
                   "001000") ",\"event\":\"failed\",\"hostname\":\"web-01\","
                             "\"message\":\"Job expired on web-01 before it "
                             "started\",\"error\":\"silent\"}]}");
}

static void retried_cancelled_released_and_moved_are_in_the_timeline(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ANY, 1);
    struct record retried = {.kind = RECORD_RETRIED, .job = {.seq = job.seq}};
    struct record cancelled = {.kind = RECORD_CANCELLED,
                               .job = {.seq = job.seq, .user = "bob \"b\""}};
    struct record moved = record_run(RECORD_MOVED, job.seq, 0);

    moved.run.host = 2;
    memset(retried.job.new_id.bytes, 0xAB, sizeof(retried.job.new_id.bytes));
    fixture_apply(fixture, record_run(RECORD_ACKNOWLEDGED, job.seq, 0));
    fixture_apply(fixture, record_run(RECORD_RELEASED, job.seq, 0));
    fixture_apply(fixture, moved);
    fixture_apply(fixture, cancelled);
    fixture_apply(fixture, retried);
    assert_item(
        fixture, &job,
        "\",\"status\":\"submitted\",\"created\":" T(
            "000000") "," OPERATION ",\"target\":\"_any\",\"user\":\"alice\",\"changed\":null,"
                      "\"hostname\":\"web-02\","
                      "\"updated_at\":" T(
                          "005000") ",\"timeline\":[" SUBMITTED
                                    ",{\"timestamp\":" T(
                                        "002000") ",\"event\":\"released\",\"hostname\":\"web-01\","
                                                  "\"message\":\"Job given back by web-01\"},"
                                                  "{\"timestamp\":" T(
                                                      "003000") ",\"event\":\"moved\",\"hostname\":"
                                                                "\"web-02\","
                                                                "\"message\":\"Job moved to "
                                                                "web-02\"},"
                                                                "{\"timestamp\":" T(
                                                                    "004000") ",\"event\":"
                                                                              "\"cancelled\","
                                                                              "\"message\":\"Job "
                                                                              "cancelled by bob "
                                                                              "\\\"b\\\"\"},"
                                                                              "{\"timestamp\":" T(
                                                                                  "005000") ",\"eve"
                                                                                            "nt\":"
                                                                                            "\"retr"
                                                                                            "ied\","
                                                                                            "\"mess"
                                                                                            "age\":"
                                                                                            "\"Job "
                                                                                            "retrie"
                                                                                            "d as "
                                                                                            "ababab"
                                                                                            "ab-"
                                                                                            "abab-"
                                                                                            "abab-"
                                                                                            "abab-"
                                                                                            "ababab"
                                                                                            "ababab"
                                                                                            "\"}]"
                                                                                            "}");
}

static void lines_of_several_hosts_are_in_order_of_time(void **state)
{
    static const char *const lines[] = {
        "processing started on web-02", "processing started on web-01",
        "completed successfully on web-02", "completed successfully on web-01"};
    struct fixture_job job = fixture_submit(*state, TARGET_ALL, 2);

    for (uint32_t run = 0; run < 2; run++) {
        struct record done =
            record_finished(job.seq, run, run_state_COMPLETED, run_code_NONE, NULL, "1");
        done.run.started_us = FIXTURE_START_US + US_PER_S + 500 - 100 * run;
        done.run.finished_us = FIXTURE_START_US + US_PER_S + 900 - 100 * run;
        fixture_apply(*state, done);
    }
    const char *at = fixture_item(*state, &job.id);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        at = strstr(at, lines[i]);
        assert_non_null(at);
    }
}

static void a_large_broadcast_shows_a_thousand_runs(void **state)
{
    struct fixture *fixture = *state;

    for (uint32_t host = 4; host <= LEDGER_RUNS_SHOWN + 1; host++) {
        char name[32];
        snprintf(name, sizeof(name), "x-%04u", (unsigned)host);
        fixture_apply(fixture, (struct record){.kind = RECORD_AGENT,
                                               .agent = {.host = host,
                                                         .machine_id = name,
                                                         .hostname = name,
                                                         .labels = SLICE("{}")}});
    }
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, LEDGER_RUNS_SHOWN + 1);
    fixture_apply(fixture, record_finished(job.seq, LEDGER_RUNS_SHOWN, run_state_FAILED,
                                           run_code_ERROR, "last", NULL));
    fixture_apply(fixture, record_finished(job.seq, LEDGER_RUNS_SHOWN - 1, run_state_COMPLETED,
                                           run_code_NONE, NULL, "1"));
    assert_has(fixture, &job, "\"runs_shown\":1000,\"runs_total\":1001,");
    assert_has(fixture, &job, "\"x-1000\":{\"status\":\"completed\"");
    assert_has_not(fixture, &job, "x-1001");
    for (uint32_t run = 0; run < LEDGER_RUNS_SHOWN - 1; run++)
        fixture_apply(fixture,
                      record_finished(job.seq, run, run_state_COMPLETED, run_code_NONE, NULL, "1"));
    assert_has(fixture, &job, "\"error\":\"x-1001: last\"");
}

static void large_results_cut_the_runs_shown(void **state)
{
    static char data[(1 << 20) + 3];
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 3);

    memset(data, 'x', sizeof(data) - 1);
    data[0] = data[sizeof(data) - 2] = '"';
    for (uint32_t run = 0; run < 3; run++)
        fixture_apply(
            fixture, record_finished(job.seq, run, run_state_COMPLETED, run_code_NONE, NULL, data));
    assert_has_not(fixture, &job, "runs_shown");
    job = fixture_submit(fixture, TARGET_ALL, 3);
    for (uint32_t run = 0; run < 3; run++) {
        struct record failed =
            record_finished(job.seq, run, run_state_FAILED, run_code_ERROR, NULL, data);
        failed.run.error = (struct slice){.at = data, .size = sizeof(data) / 2};
        fixture_apply(fixture, failed);
    }
    assert_has(fixture, &job, "\"runs_shown\":1,\"runs_total\":3,");
}

/* A few kilobytes of the kind that hosts answer with. */
static struct slice large_result(struct buf *to)
{
    buf_add_text(to, "[");
    for (unsigned i = 0; i < 100; i++)
        buf_printf(to,
                   "%s{\"name\":\"package-%u\",\"version\":\"1.%u.0\",\"status\":\"installed\"}",
                   i ? "," : "", i * 7919, i);
    buf_add_text(to, "]");
    return buf_slice(to);
}

static size_t row_size(struct fixture *fixture, uint64_t seq, uint32_t run)
{
    struct run_key key = run_key(seq, run);
    struct slice row;

    assert_int_equal(reader_begin(fixture->reader, NULL, NULL), 0);
    assert_int_equal(table_get(&fixture->reader->txn, TABLE_RUNS, run_key_slice(&key), &row), 0);
    reader_end(fixture->reader);
    return row.size;
}

static void a_large_result_is_packed_and_shown_as_it_came(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job one = fixture_submit(fixture, TARGET_HOST, 1);
    struct fixture_job many = fixture_submit(fixture, TARGET_ALL, 2);
    struct arena arena CLEANUP(arena_release) = {0};
    struct buf text CLEANUP(buf_release);
    struct ledger_run *runs;
    uint32_t n;

    buf_init(&text, STORED_ROW_MAX);
    struct slice result = large_result(&text);
    const char *shown = buf_text(&text);
    assert_true(result.size > 4 * PACK_MIN);
    fixture_apply(fixture,
                  record_finished(one.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, shown));
    fixture_apply(fixture,
                  record_finished(many.seq, 1, run_state_COMPLETED, run_code_NONE, NULL, shown));
    assert_true(row_size(fixture, one.seq, 0) < result.size / 3);
    assert_has(fixture, &one, shown);
    assert_has(fixture, &many, shown);
    assert_int_equal(ledger_runs(fixture->reader, &many.id, &arena, &runs, &n), 0);
    assert_int_equal(n, 2);
    assert_true(slice_equal(runs[1].data, result));
    fixture_expect_sound(fixture);
}

static void results_that_are_together_too_large_are_not_copied(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena CLEANUP(arena_release) = {0};
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 2);
    size_t size = LEDGER_RUNS_BYTES / 2;
    char *data CLEANUP(mem_freep) = mem_alloc(size + 2);
    struct ledger_run *runs;
    uint32_t n;

    memset(data, 'x', size + 1);
    data[0] = data[size - 1] = '"';
    data[size] = '\0';
    for (uint32_t run = 0; run < 2; run++)
        fixture_apply(
            fixture, record_finished(job.seq, run, run_state_COMPLETED, run_code_NONE, NULL, data));
    assert_int_equal(ledger_runs(fixture->reader, &job.id, &arena, &runs, &n), 0);
    assert_int_equal(n, 2);
    job = fixture_submit(fixture, TARGET_ALL, 2);
    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, data));
    fixture_apply(fixture,
                  record_finished(job.seq, 1, run_state_FAILED, run_code_ERROR, "no", data));
    assert_int_equal(ledger_runs(fixture->reader, &job.id, &arena, &runs, &n), OUTCOME_TOO_LARGE);
}

static void text_that_is_no_utf8_is_replaced(void **state)
{
    struct fixture_job job = fixture_submit(*state, TARGET_HOST, 1);

    fixture_apply(*state, record_finished(job.seq, 0, run_state_FAILED, run_code_ERROR,
                                          "bad \xff byte", NULL));
    assert_has(*state, &job, "\"error\":\"bad \xef\xbf\xbd byte\"");
}

static void an_unknown_id_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct uuid id = uuid_make(1);

    assert_int_equal(ledger_item(fixture->reader, &id, &fixture->text), OUTCOME_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_waiting_job_has_its_host_and_no_answer),
        TEST(a_completed_query_has_a_result_and_changed_nothing),
        TEST(a_failed_job_says_why_and_shows_no_result),
        TEST(a_broadcast_answers_by_host),
        TEST(a_broadcast_to_one_host_has_result_and_responses),
        TEST(a_skipped_job_has_the_skip_as_its_error),
        TEST(the_error_is_of_the_first_failed_host_by_name),
        TEST(each_code_has_its_own_sentence),
        TEST(what_was_presumed_stays_in_the_timeline),
        TEST(retried_cancelled_released_and_moved_are_in_the_timeline),
        TEST(lines_of_several_hosts_are_in_order_of_time),
        TEST(a_large_broadcast_shows_a_thousand_runs),
        TEST(large_results_cut_the_runs_shown),
        TEST(a_large_result_is_packed_and_shown_as_it_came),
        TEST(results_that_are_together_too_large_are_not_copied),
        TEST(text_that_is_no_utf8_is_replaced),
        TEST(an_unknown_id_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
