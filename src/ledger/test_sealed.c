/* SPDX-License-Identifier: MIT */
/*
 * Sealed input: there for each run until that run is final, however it ends, and for no longer.
 */
#include "ledger/fixture.h"

#include "base/mem.h"
#include "ledger/verify.h"

#define N_RUNS 3

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));

    fixture_make(fixture);
    fixture_add_hosts(fixture, N_RUNS);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_expect_sound(*state);
    fixture_release(*state);
    mem_free(*state);
    return 0;
}

static struct fixture_job submit_sealed(struct fixture *fixture)
{
    static const host_number hosts[N_RUNS] = {1, 2, 3};
    const struct slice sealed[N_RUNS] = {SLICE("of 0"), SLICE("of 1"), SLICE("of 2")};
    struct fixture_job job = {.id = uuid_make(fixture->now_us)};
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = job.id,
                                          .op = op_by_type("command.shell.execute"),
                                          .data = SLICE("\"***\""),
                                          .sensitive = true,
                                          .sealed = sealed,
                                          .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                                          .user = "alice",
                                          .hosts = hosts,
                                          .n_hosts = N_RUNS}};

    job.seq = fixture_apply(fixture, record).seq;
    return job;
}

/* What is sealed for a run, or "" when nothing is. */
static const char *sealed_of(struct fixture *fixture, const struct fixture_job *job, uint32_t run)
{
    static struct arena arena;
    struct slice sealed;

    arena_release(&arena);
    int r = ledger_sealed(fixture->reader, &job->id, run, &arena, &sealed);
    if (r == OUTCOME_NOT_FOUND)
        return "";
    assert_int_equal(r, 0);
    return arena_copy(&arena, sealed);
}

static void each_run_has_its_own_until_it_is_final(void **state)
{
    static const struct run_point ends[N_RUNS] = {
        {.state = run_state_COMPLETED},
        {.state = run_state_FAILED, .code = run_code_EXPIRED, .presumed = true},
        {.state = run_state_FAILED, .code = run_code_CANCELLED},
    };
    struct fixture *fixture = *state;
    struct fixture_job job = submit_sealed(fixture);
    char expected[16];

    for (uint32_t run = 0; run < N_RUNS; run++) {
        snprintf(expected, sizeof(expected), "of %u", (unsigned)run);
        assert_string_equal(sealed_of(fixture, &job, run), expected);
        struct record end =
            record_finished(job.seq, run, ends[run].state, ends[run].code, NULL, NULL);
        end.run.to = ends[run];
        end.run.by_agent = !ends[run].presumed;
        fixture_apply(fixture, end);
        assert_string_equal(sealed_of(fixture, &job, run), "");
    }
}

static void it_outlives_states_that_are_not_final_and_a_crash(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = submit_sealed(fixture);

    fixture_apply(fixture, record_run(RECORD_ACKNOWLEDGED, job.seq, 1));
    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 1));
    fixture_apply(fixture, record_run(RECORD_RELEASED, job.seq, 0));
    fixture_reopen(fixture, false);
    assert_string_equal(sealed_of(fixture, &job, 0), "of 0");
    assert_string_equal(sealed_of(fixture, &job, 1), "of 1");
}

static void it_goes_with_the_job(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = submit_sealed(fixture);
    static const uint64_t first = 0;
    struct slice key, value;

    fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = job.seq}});
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(
        table_seek(&fixture->ledger->txn, TABLE_SEALED, u64_slice(&first), &key, &value),
        OUTCOME_NOT_FOUND);
    ledger_abort(fixture->ledger);
}

static void a_sensitive_job_says_so_and_shows_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = submit_sealed(fixture);
    CLEANUP(arena_release) struct arena arena = {0};
    struct ledger_job found;

    const char *item = fixture_item(fixture, &job.id);
    assert_non_null(strstr(item, "\"data\":\"***\""));
    assert_non_null(strstr(item, "\"sensitive\":true"));
    assert_int_equal(ledger_job(fixture->reader, &job.id, &arena, &found), 0);
    assert_true(found.sensitive && found.sealed);
    job = fixture_submit(fixture, TARGET_HOST, 1);
    assert_null(strstr(fixture_item(fixture, &job.id), "sensitive"));
    assert_string_equal(sealed_of(fixture, &job, 0), "");
}

static void a_row_that_should_be_gone_is_found_by_a_check(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = submit_sealed(fixture);
    struct run_key key = run_key(job.seq, 0), other = run_key(job.seq, N_RUNS);
    struct verify_report *report = mem_alloc(sizeof(*report));
    struct refusal why;

    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, NULL));
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    table_put(&fixture->ledger->txn, TABLE_SEALED, run_key_slice(&key), SLICE("of 0"));
    table_put(&fixture->ledger->txn, TABLE_SEALED, run_key_slice(&other), SLICE("of 3"));
    assert_int_equal(ledger_commit(fixture->ledger), 0);
    assert_int_equal(ledger_verify(fixture->dir, report, &why), 0);
    assert_int_equal(report->n_findings, 2);
    assert_non_null(strstr(report->shown[0], "still here"));
    assert_non_null(strstr(report->shown[1], "none of the job's"));
    mem_free(report);
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    table_delete(&fixture->ledger->txn, TABLE_SEALED, run_key_slice(&key));
    table_delete(&fixture->ledger->txn, TABLE_SEALED, run_key_slice(&other));
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_run_has_its_own_until_it_is_final),
        TEST(it_outlives_states_that_are_not_final_and_a_crash),
        TEST(it_goes_with_the_job),
        TEST(a_sensitive_job_says_so_and_shows_nothing),
        TEST(a_row_that_should_be_gone_is_found_by_a_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
