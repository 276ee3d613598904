/* SPDX-License-Identifier: MIT */
/*
 * Records, one at a time: what each does to the ledger, and what it refuses.
 */
#include "ledger/fixture.h"

#include "base/mem.h"
#include "ledger/names.h"

#define N_HOSTS 5u

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, N_HOSTS);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static struct ledger_job job_of(struct fixture *fixture, const struct fixture_job *job)
{
    static struct arena arena;
    struct ledger_job found;

    arena_reset(&arena);
    assert_int_equal(ledger_job(fixture->reader, &job->id, &arena, &found), 0);
    return found;
}

static struct ledger_run run_of(struct fixture *fixture, const struct fixture_job *job,
                                uint32_t run)
{
    static struct arena arena;
    struct ledger_run *runs;
    uint32_t n;

    arena_reset(&arena);
    assert_int_equal(ledger_runs(fixture->reader, &job->id, &arena, &runs, &n), 0);
    for (uint32_t i = 0; i < n; i++) {
        if (runs[i].run == run)
            return runs[i];
    }
    fail_msg("no run %u", (unsigned)run);
    return (struct ledger_run){0};
}

static void expect_refused(struct fixture *fixture, struct record record, int outcome)
{
    struct ledger_effect effect = {.seq = 77};
    uint64_t version = fixture->ledger->published;

    assert_int_equal(fixture_try(fixture, &record, &effect), outcome);
    assert_int_equal(effect.seq, 77);
    assert_int_equal(fixture->ledger->published, version); /* nothing was written */
}

static void expect_repeat(struct fixture *fixture, struct record record)
{
    struct ledger_effect effect;
    uint64_t version = fixture->ledger->published;

    assert_int_equal(fixture_try(fixture, &record, &effect), 0);
    assert_false(effect.became_final);
    assert_int_equal(fixture->ledger->published, version);
}

static void a_submitted_job_is_as_it_was_asked(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job submitted = fixture_submit(fixture, TARGET_LABEL, 3);
    struct ledger_job job = job_of(fixture, &submitted);

    assert_int_equal(job.seq, submitted.seq);
    assert_true(uuid_equal(&job.id, &submitted.id));
    assert_ptr_equal(job.op, op_by_type("node.hostname.get"));
    assert_string_equal(job.operation, "node.hostname.get");
    assert_true(slice_is(job.data, "{\"a\":1}"));
    assert_string_equal(job.target, "group:web");
    assert_int_equal(job.target_kind, TARGET_LABEL);
    assert_string_equal(job.user, "alice");
    assert_int_equal(job.status, job_status_SUBMITTED);
    assert_false(job.cancelled);
    assert_int_equal(job.limit_us, 60 * US_PER_S);
    assert_int_equal(job.start_by_us, job.created_us + 30 * US_PER_S);
    assert_int_equal(job.counts.total, 3);
    assert_int_equal(run_of(fixture, &submitted, 2).host, 3);
    assert_string_equal(run_of(fixture, &submitted, 2).hostname, "web-03");
}

static void one_run_is_found_without_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job single = fixture_submit(fixture, TARGET_HOST, 1);
    struct fixture_job several = fixture_submit(fixture, TARGET_ALL, 3);
    struct uuid unknown = uuid_make(1);
    struct run_point at;
    host_number host;

    fixture_apply(fixture, record_run(RECORD_STARTED, several.seq, 1));
    assert_int_equal(ledger_run_point(fixture->reader, &several.id, 1, &host, &at), 0);
    assert_int_equal(host, 2);
    assert_int_equal(at.state, run_state_STARTED);
    assert_int_equal(ledger_run_point(fixture->reader, &several.id, 2, &host, &at), 0);
    assert_int_equal(host, 3);
    assert_int_equal(at.state, run_state_WAITING);
    assert_int_equal(ledger_run_point(fixture->reader, &single.id, 0, &host, &at), 0);
    assert_int_equal(host, 1);
    assert_int_equal(ledger_run_point(fixture->reader, &single.id, 1, &host, &at),
                     OUTCOME_NOT_FOUND);
    assert_int_equal(ledger_run_point(fixture->reader, &unknown, 0, &host, &at), OUTCOME_NOT_FOUND);
}

static void a_submission_that_is_not_sound_is_refused(void **state)
{
    static const host_number falling[] = {2, 1}, twice[] = {1, 1}, unknown[] = {1, N_HOSTS + 1},
                             zero[] = {0};
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 1);
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = uuid_make(1),
                                          .op = op_by_type("node.hostname.get"),
                                          .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                                          .user = "alice",
                                          .n_hosts = 2}};

    record.submitted.hosts = falling;
    expect_refused(fixture, record, OUTCOME_CONFLICT);
    record.submitted.hosts = twice;
    expect_refused(fixture, record, OUTCOME_CONFLICT);
    record.submitted.hosts = unknown;
    expect_refused(fixture, record, OUTCOME_NOT_FOUND);
    record.submitted.hosts = zero;
    record.submitted.n_hosts = 1;
    expect_refused(fixture, record, OUTCOME_NOT_FOUND);
    record.submitted.n_hosts = 0;
    expect_refused(fixture, record, OUTCOME_CONFLICT);
    record.submitted.hosts = unknown;
    record.submitted.n_hosts = 1;
    record.submitted.id = job.id;
    expect_refused(fixture, record, OUTCOME_CONFLICT);
}

static void a_run_goes_through_its_states(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct ledger_effect effect;
    int64_t created_us = job_of(fixture, &job).created_us;

    effect = fixture_apply(fixture, record_run(RECORD_ACKNOWLEDGED, job.seq, 0));
    assert_int_equal(effect.status, job_status_PROCESSING);
    assert_int_equal(effect.seq, job.seq);
    effect = fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    assert_false(effect.became_final);
    effect = fixture_apply(
        fixture, record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "{}"));
    assert_int_equal(effect.status, job_status_COMPLETED);
    assert_true(effect.became_final);
    struct ledger_run run = run_of(fixture, &job, 0);
    assert_int_equal(run.at.state, run_state_COMPLETED);
    assert_int_equal(run.acknowledged_us, created_us + 1 * US_PER_MS);
    assert_int_equal(run.started_us, created_us + 2 * US_PER_MS);
    assert_int_equal(run.finished_us, created_us + 3 * US_PER_MS);
    assert_true(slice_is(run.data, "{}"));
    assert_null(run.error);
}

static void repeats_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record failed =
        record_finished(job.seq, 0, run_state_FAILED, run_code_TIMEOUT, "slow", NULL);

    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    expect_repeat(fixture, record_run(RECORD_STARTED, job.seq, 0));
    expect_repeat(fixture, record_run(RECORD_ACKNOWLEDGED, job.seq, 0));
    fixture_apply(fixture, failed);
    expect_repeat(fixture, failed);
    expect_repeat(fixture, record_run(RECORD_STARTED, job.seq, 0));
    assert_int_equal(ledger_refused(fixture->ledger), 0);
    assert_string_equal(run_of(fixture, &job, 0).error, "slow");
}

static void what_the_table_does_not_name_is_refused_and_counted(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record done = record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "1");

    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    expect_refused(fixture,
                   record_finished(job.seq, 0, run_state_FAILED, run_code_EXPIRED, NULL, NULL),
                   OUTCOME_CONFLICT);
    expect_refused(fixture,
                   record_finished(job.seq, 0, run_state_STARTED, run_code_NONE, NULL, NULL),
                   OUTCOME_CONFLICT);
    expect_refused(fixture, record_run(RECORD_RELEASED, job.seq, 0), OUTCOME_CONFLICT);
    fixture_apply(fixture, done);
    expect_refused(fixture,
                   record_finished(job.seq, 0, run_state_FAILED, run_code_ERROR, NULL, NULL),
                   OUTCOME_CONFLICT);
    expect_refused(fixture, record_run(RECORD_RELEASED, job.seq, 0), OUTCOME_CONFLICT);
    assert_int_equal(ledger_refused(fixture->ledger), 5);
}

static void unknown_jobs_and_runs_are_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 2);
    static const enum record_kind run_kinds[] = {RECORD_ACKNOWLEDGED, RECORD_STARTED,
                                                 RECORD_RELEASED, RECORD_MOVED};
    static const enum record_kind job_kinds[] = {RECORD_CANCELLED, RECORD_RETRIED, RECORD_DELETED};

    for (size_t i = 0; i < COUNT_OF(run_kinds); i++) {
        expect_refused(fixture, record_run(run_kinds[i], job.seq + 1, 0), OUTCOME_NOT_FOUND);
        expect_refused(fixture, record_run(run_kinds[i], job.seq, 2), OUTCOME_NOT_FOUND);
    }
    for (size_t i = 0; i < COUNT_OF(job_kinds); i++) {
        struct record record = {.kind = job_kinds[i], .job = {.seq = job.seq + 1, .user = "x"}};
        expect_refused(fixture, record, OUTCOME_NOT_FOUND);
    }
}

static void a_job_that_is_another_version_than_was_meant_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    static const enum record_kind kinds[] = {RECORD_CANCELLED, RECORD_RETRIED, RECORD_DELETED};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
        struct record record = {
            .kind = kinds[i],
            .job = {.seq = job.seq, .user = "x", .version = job_of(fixture, &job).created_us}};
        int64_t changed_us = fixture->now_us;
        fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
        expect_refused(fixture, record, OUTCOME_CONFLICT);
        record.job.version = changed_us;
        fixture_apply(fixture, record);
    }
    assert_int_equal(ledger_refused(fixture->ledger), 0);
}

static void times_never_run_backwards(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    int64_t created_us = job_of(fixture, &job).created_us;
    struct record done = record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "1");

    /* An agent's clock that is behind, then one that is ahead. */
    done.run.acknowledged_us = created_us - 5 * US_PER_S;
    done.run.started_us = created_us + 700;
    done.run.finished_us = created_us + 99 * US_PER_S;
    fixture_apply(fixture, done);
    struct ledger_run run = run_of(fixture, &job, 0);
    assert_int_equal(run.acknowledged_us, created_us);
    assert_int_equal(run.started_us, created_us + 700);
    assert_int_equal(run.finished_us, created_us + US_PER_MS);
}

static void a_record_is_not_older_than_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_us = fixture->now_us;
    struct fixture_job first = fixture_submit(fixture, TARGET_HOST, 1);

    fixture->now_us = now_us - 3600 * US_PER_S;
    struct fixture_job second = fixture_submit(fixture, TARGET_HOST, 1);
    assert_int_equal(job_of(fixture, &first).created_us, now_us);
    assert_int_equal(job_of(fixture, &second).created_us, now_us);
}

static void the_version_of_a_job_rises_with_every_change(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct ledger_effect effect;
    struct record records[] = {record_run(RECORD_ACKNOWLEDGED, job.seq, 0),
                               record_run(RECORD_STARTED, job.seq, 0)};
    struct head head;
    int64_t updated_us = 0;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        records[i].time_us = 1; /* long ago: all at the time of the newest record */
        assert_int_equal(ledger_apply(fixture->ledger, &records[i], &effect), 0);
        assert_int_equal(head_get(&fixture->ledger->txn, job.seq, &head), 0);
        assert_true(head.updated_us > updated_us);
        updated_us = head.updated_us;
    }
    ledger_abort(fixture->ledger);
}

static struct record presumed(uint64_t seq, uint32_t run, enum run_code code)
{
    struct record record = record_finished(seq, run, run_state_FAILED, code, "silence", NULL);

    record.run.by_agent = false;
    record.run.to.presumed = true;
    return record;
}

static void only_the_agent_overrules_a_presumption(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record done = record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "1");
    struct record guess = done;
    struct ledger_effect effect;

    assert_true(fixture_apply(fixture, presumed(job.seq, 0, run_code_EXPIRED)).became_final);
    guess.run.by_agent = false;
    expect_refused(fixture, guess, OUTCOME_CONFLICT);
    effect = fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    assert_int_equal(effect.status, job_status_PROCESSING);
    struct ledger_run run = run_of(fixture, &job, 0);
    assert_int_equal(run.at.code, run_code_NONE);
    assert_null(run.error);
    assert_int_equal(run.finished_us, 0);
    effect = fixture_apply(fixture, done);
    assert_true(effect.became_final);
}

static struct head head_of(struct fixture *fixture, uint64_t seq)
{
    struct head head;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(head_get(&fixture->ledger->txn, seq, &head), 0);
    ledger_abort(fixture->ledger);
    return head;
}

static uint8_t codes_of(struct fixture *fixture, const struct fixture_job *job)
{
    return head_of(fixture, job->seq).codes;
}

static void a_job_has_the_codes_of_the_runs_that_failed(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 4);

    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 2));
    fixture_apply(fixture, presumed(job.seq, 0, run_code_LOST));
    fixture_apply(fixture, presumed(job.seq, 2, run_code_LOST));
    fixture_apply(fixture,
                  record_finished(job.seq, 3, run_state_FAILED, run_code_ERROR, "e", NULL));
    assert_int_equal(codes_of(fixture, &job), 1 << run_code_LOST | 1 << run_code_ERROR);
    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 2));
    assert_int_equal(codes_of(fixture, &job), 1 << run_code_LOST | 1 << run_code_ERROR);
    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_FAILED, run_code_INTERRUPTED, "i", NULL));
    assert_int_equal(codes_of(fixture, &job), 1 << run_code_INTERRUPTED | 1 << run_code_ERROR);
}

static void a_released_run_waits_again_and_may_move(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ANY, 1);
    struct record moved = record_run(RECORD_MOVED, job.seq, 0);

    fixture_apply(fixture, record_run(RECORD_ACKNOWLEDGED, job.seq, 0));
    moved.run.host = 4;
    expect_refused(fixture, moved, OUTCOME_CONFLICT); /* somebody has it */
    struct ledger_effect effect = fixture_apply(fixture, record_run(RECORD_RELEASED, job.seq, 0));
    assert_int_equal(effect.status, job_status_SUBMITTED);
    moved.run.host = N_HOSTS + 1;
    expect_refused(fixture, moved, OUTCOME_NOT_FOUND);
    moved.run.host = 4;
    fixture_apply(fixture, moved);
    expect_repeat(fixture, moved);
    assert_string_equal(run_of(fixture, &job, 0).hostname, "web-04");
    assert_int_equal(run_of(fixture, &job, 0).acknowledged_us, 0);
}

static void a_run_of_a_broadcast_does_not_move(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 2);
    struct record moved = record_run(RECORD_MOVED, job.seq, 0);

    moved.run.host = 3;
    expect_refused(fixture, moved, OUTCOME_CONFLICT);
}

static void cancelling_sets_the_flag_once(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record cancelled = {.kind = RECORD_CANCELLED, .job = {.seq = job.seq, .user = "bob"}};

    fixture_apply(fixture, cancelled);
    assert_true(job_of(fixture, &job).cancelled);
    assert_int_equal(job_of(fixture, &job).status, job_status_SUBMITTED);
    expect_repeat(fixture, cancelled);
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static void a_full_history_refuses_retries_and_forgets_the_oldest_event(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record retried = {.kind = RECORD_RETRIED, .job = {.seq = job.seq}};

    for (unsigned i = 0; i < JOB_EVENTS_MAX; i++) {
        retried.job.new_id.bytes[15] = (uint8_t)i;
        fixture_apply(fixture, retried);
    }
    expect_refused(fixture, retried, OUTCOME_CONFLICT);
    assert_int_equal(ledger_refused(fixture->ledger), 0); /* not by the transition table */
    fixture_apply(fixture, record_run(RECORD_RELEASED, job.seq, 0));
    const char *item = fixture_item(fixture, &job.id);
    assert_int_equal(count_of(item, "Job retried as"), JOB_EVENTS_MAX - 1);
    assert_null(strstr(item, "Job retried as 00000000-0000-0000-0000-000000000000"));
    assert_non_null(strstr(item, "\"event\":\"submitted\""));
    assert_non_null(strstr(item, "\"event\":\"released\""));
}

static uint64_t entries(struct fixture *fixture, enum table table)
{
    static const char lowest[1] = {0};
    struct slice key = {.at = lowest, .size = 1};
    static const uint64_t zero = 0;
    struct slice found, value;
    uint64_t n = 0;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    if (table != TABLE_RUNS && table != TABLE_IDS)
        key = u64_slice(&zero);
    int r = table_seek(&fixture->ledger->txn, table, key, &found, &value);
    for (; r == 0; n++)
        r = table_next(&fixture->ledger->txn, table, &found, &value);
    ledger_abort(fixture->ledger);
    return n;
}

static void deleting_leaves_nothing_and_no_seq_is_used_twice(void **state)
{
    static const enum table tables[] = {TABLE_HEADS,  TABLE_JOBS, TABLE_HOSTS,
                                        TABLE_EVENTS, TABLE_RUNS, TABLE_IDS};
    struct fixture *fixture = *state;
    struct fixture_job kept = fixture_submit(fixture, TARGET_ALL, 2);
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 3);
    struct record deleted = {.kind = RECORD_DELETED, .job = {.seq = job.seq}};
    uint64_t before[COUNT_OF(tables)];

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        before[i] = entries(fixture, tables[i]);
    fixture_apply(fixture, record_run(RECORD_RELEASED, job.seq, 2));
    fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
    struct ledger_effect effect = fixture_apply(fixture, deleted);
    assert_int_equal(effect.status, job_status_PROCESSING);
    assert_int_equal(ledger_item(fixture->reader, &job.id, &fixture->text), OUTCOME_NOT_FOUND);
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        bool had = tables[i] != TABLE_EVENTS && tables[i] != TABLE_RUNS;
        assert_int_equal(entries(fixture, tables[i]), before[i] - had);
    }
    fixture_reopen(fixture, false);
    assert_int_equal(fixture_submit(fixture, TARGET_HOST, 1).seq, job.seq + 1);
    fixture_item(fixture, &kept.id);
}

static void submitted_and_deleted_in_one_batch_was_never_there(void **state)
{
    struct fixture *fixture = *state;
    static const host_number hosts[] = {1};
    struct record records[] = {
        {.kind = RECORD_SUBMITTED,
         .submitted = {.id = uuid_make(1),
                       .op = op_by_type("node.hostname.get"),
                       .target = {.kind = TARGET_HOST, .text = SLICE("web-01")},
                       .user = "alice",
                       .hosts = hosts,
                       .n_hosts = 1}},
        {.kind = RECORD_DELETED},
    };
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(ledger_apply(fixture->ledger, &records[0], &effect), 0);
    records[1].job.seq = effect.seq;
    assert_int_equal(ledger_apply(fixture->ledger, &records[1], &effect), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).total, 0);
}

static void an_aborted_batch_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct record record = record_run(RECORD_STARTED, job.seq, 0);
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    ledger_abort(fixture->ledger);
    assert_int_equal(job_of(fixture, &job).status, job_status_SUBMITTED);
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).counts[job_status_SUBMITTED], 1);
    assert_int_equal(fixture_submit(fixture, TARGET_HOST, 1).seq, job.seq + 1);
}

/* ---- agents ---- */

static struct ledger_agent agent_of(struct fixture *fixture, host_number host)
{
    static struct arena arena;
    struct ledger_agent *agents;
    uint32_t n;

    arena_reset(&arena);
    assert_int_equal(ledger_agents(fixture->reader, &arena, &agents, &n), 0);
    assert_true(host >= 1 && host <= n);
    assert_int_equal(agents[host - 1].host, host);
    return agents[host - 1];
}

static void an_agent_keeps_its_number_and_loses_its_reports_with_its_epoch(void **state)
{
    struct fixture *fixture = *state;
    struct record agent = {.kind = RECORD_AGENT,
                           .agent = {.host = 2,
                                     .machine_id = "00000000000000000000000000000002",
                                     .hostname = "db-1",
                                     .labels = SLICE("{\"group\":\"db\"}"),
                                     .epoch = 1}};
    struct record reported = {.kind = RECORD_REPORTED,
                              .reported = {.host = 2, .epoch = 1, .number = 41}};

    fixture_apply(fixture, reported);
    fixture_apply(fixture, agent);
    expect_repeat(fixture, agent);
    struct ledger_agent found = agent_of(fixture, 2);
    assert_string_equal(found.hostname, "db-1");
    assert_string_equal(found.machine_id, "00000000000000000000000000000002");
    assert_true(slice_is(found.labels, "{\"group\":\"db\"}"));
    assert_int_equal(found.reported, 41);
    assert_true(found.first_seen_us < found.changed_us);
    reported.reported.number = 40;
    expect_repeat(fixture, reported); /* known already */
    agent.agent.epoch = 2;
    fixture_apply(fixture, agent);
    assert_int_equal(agent_of(fixture, 2).reported, 0);
    assert_int_equal(agent_of(fixture, 2).epoch, 2);
    agent.agent.machine_id = "another";
    expect_refused(fixture, agent, OUTCOME_CONFLICT);
    agent.agent.host = N_HOSTS + 2;
    expect_refused(fixture, agent, OUTCOME_NOT_FOUND);
    reported.reported.host = N_HOSTS + 1;
    expect_refused(fixture, reported, OUTCOME_NOT_FOUND);
}

static void agents_are_as_they_were_after_a_restart(void **state)
{
    struct fixture *fixture = *state;

    fixture_apply(fixture, (struct record){.kind = RECORD_REPORTED,
                                           .reported = {.host = 5, .epoch = 1, .number = 9}});
    fixture_reopen(fixture, false);
    assert_string_equal(agent_of(fixture, 5).hostname, "web-05");
    assert_int_equal(agent_of(fixture, 5).reported, 9);
    assert_int_equal(agent_of(fixture, 1).first_seen_us, FIXTURE_START_US);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- names ---- */

static uint64_t submit_as(struct fixture *fixture, const char *type, const char *target,
                          const struct uuid *bulk)
{
    static const host_number host = 1;
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = uuid_make(fixture->now_us),
                                          .op = op_by_type(type),
                                          .user = "alice",
                                          .hosts = &host,
                                          .n_hosts = 1,
                                          .bulk = bulk}};

    assert_int_equal(target_parse(slice_of(target), &record.submitted.target, NULL), 0);
    return fixture_apply(fixture, record).seq;
}

static int find(struct fixture *fixture, enum name_kind kind, struct slice name, uint32_t *ret)
{
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    int r = names_find(&fixture->ledger->txn, kind, name, ret);
    ledger_abort(fixture->ledger);
    return r;
}

static void label_targets_are_numbered_as_they_were_asked(void **state)
{
    struct fixture *fixture = *state;
    uint64_t version = fixture->ledger->names_version;
    uint32_t number;

    uint64_t web = submit_as(fixture, "node.disk.get", "group:web", NULL);
    assert_true(fixture->ledger->names_version > version);
    uint64_t dev = submit_as(fixture, "node.disk.get", "group:web.dev", NULL);
    version = fixture->ledger->names_version;
    uint64_t again = submit_as(fixture, "node.disk.get", "group:web", NULL);
    uint64_t host = submit_as(fixture, "node.disk.get", "web-01", NULL);
    assert_int_equal(fixture->ledger->names_version, version);
    assert_int_equal(head_of(fixture, web).target, 1);
    assert_int_equal(head_of(fixture, dev).target, 2);
    assert_int_equal(head_of(fixture, again).target, 1);
    assert_int_equal(head_of(fixture, host).target, 0);
    assert_int_equal(find(fixture, NAME_TARGET, SLICE("group:web.dev"), &number), 0);
    assert_int_equal(number, 2);
    assert_int_equal(find(fixture, NAME_TARGET, SLICE("web-01"), &number), OUTCOME_NOT_FOUND);
    assert_int_equal(find(fixture, NAME_USER, SLICE("group:web"), &number), OUTCOME_NOT_FOUND);
    fixture_expect_sound(fixture);
}

static void a_head_of_the_first_format_has_none_of_the_later_numbers(void **state)
{
    struct head head = {.counts = {.total = 1}, .target_kind = TARGET_LABEL, .format = 1};
    struct head decoded;
    struct slice bytes = {.at = (const char *)&head, .size = 64};

    (void)state;
    head.target = head.bulk = 7; /* behind its end */
    assert_true(head_is_old(bytes));
    assert_int_equal(head_decode(bytes, &decoded), 0);
    assert_int_equal(decoded.format, HEAD_FORMAT);
    assert_int_equal(decoded.target_kind, TARGET_LABEL);
    assert_int_equal(decoded.target, 0);
    assert_int_equal(decoded.bulk, 0);
    bytes.size = sizeof(head); /* the size of one format, the number of the other */
    assert_true(head_decode(bytes, &decoded) < 0);
    bytes.size = 64;
    head.format = HEAD_FORMAT;
    assert_true(head_decode(bytes, &decoded) < 0);
}

static void a_job_has_the_bulk_action_that_made_or_cancelled_it(void **state)
{
    struct fixture *fixture = *state;
    struct uuid first = uuid_make(fixture->now_us), second = uuid_make(fixture->now_us);
    uint32_t numbers[2];

    uint64_t alone = submit_as(fixture, "node.disk.get", "web-01", NULL);
    uint64_t made = submit_as(fixture, "node.disk.get", "web-01", &first);
    uint64_t cancelled = submit_as(fixture, "node.disk.get", "web-01", NULL);
    struct record cancel = {.kind = RECORD_CANCELLED,
                            .job = {.seq = cancelled, .user = "bob", .bulk = &second}};
    fixture_apply(fixture, cancel);
    assert_int_equal(find(fixture, NAME_BULK, name_of_uuid(&first), &numbers[0]), 0);
    assert_int_equal(find(fixture, NAME_BULK, name_of_uuid(&second), &numbers[1]), 0);
    assert_int_not_equal(numbers[0], numbers[1]);
    assert_int_equal(head_of(fixture, alone).bulk, 0);
    assert_int_equal(head_of(fixture, made).bulk, numbers[0]);
    assert_int_equal(head_of(fixture, cancelled).bulk, numbers[1]);
    cancel.job.bulk = &first; /* it was cancelled before */
    cancel.time_us = 0;
    fixture_apply(fixture, cancel);
    assert_int_equal(head_of(fixture, cancelled).bulk, numbers[1]);
    cancel.job = (struct record_job){.seq = made, .user = "bob"};
    fixture_apply(fixture, cancel); /* by itself: it stays the other's */
    assert_int_equal(head_of(fixture, made).bulk, numbers[0]);
    fixture_reopen(fixture, false);
    assert_int_equal(block_count(fixture->ledger->blocks.v[0].block, DIMENSION_BULK, numbers[0]),
                     1);
    assert_int_equal(block_count(fixture->ledger->blocks.v[0].block, DIMENSION_BULK, numbers[1]),
                     1);
    fixture_expect_sound(fixture);
}

static void names_are_found_by_their_beginning(void **state)
{
    struct fixture *fixture = *state;
    struct txn *txn = &fixture->ledger->txn;
    uint32_t numbers[2];
    size_t n;

    submit_as(fixture, "node.load.get", "web-01", NULL);
    submit_as(fixture, "node.disk.get", "web-01", NULL);
    submit_as(fixture, "job.list", "web-01", NULL);
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(names_find_prefix(txn, NAME_OPERATION, SLICE("node."), numbers, 2, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(numbers[0], 2); /* disk, load */
    assert_int_equal(numbers[1], 1);
    assert_int_equal(names_find_prefix(txn, NAME_OPERATION, SLICE("node."), numbers, 1, &n),
                     OUTCOME_TOO_LARGE);
    assert_int_equal(names_find_prefix(txn, NAME_OPERATION, SLICE("zebra."), numbers, 2, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(names_find_prefix(txn, NAME_BULK, SLICE(""), numbers, 2, &n), 0);
    assert_int_equal(n, 0);
    ledger_abort(fixture->ledger);
}

static void a_name_beyond_the_room_is_none(void **state)
{
    struct fixture *fixture = *state;
    char prefix[NAME_SIZE_MAX + 2];
    uint32_t number;
    size_t n;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    struct ledger *ledger = fixture->ledger;
    ledger->meta.n_targets = 1u << 20; /* all that there can be */
    ledger->meta.n_users = UINT16_MAX;
    assert_int_equal(names_number(ledger, NAME_TARGET, SLICE("group:web"), &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(names_number(ledger, NAME_USER, SLICE("zoe"), &number), 0);
    assert_int_equal(number, 0);
    memset(prefix, 'x', sizeof(prefix));
    struct slice too_long = {.at = prefix, .size = NAME_SIZE_MAX + 1};
    assert_int_equal(names_number(ledger, NAME_OPERATION, too_long, &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(names_find(&ledger->txn, NAME_OPERATION, too_long, &number),
                     OUTCOME_NOT_FOUND);
    assert_int_equal(names_find_prefix(&ledger->txn, NAME_OPERATION, too_long, &number, 1, &n), 0);
    assert_int_equal(n, 0);
    ledger_abort(ledger);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_submitted_job_is_as_it_was_asked),
        TEST(one_run_is_found_without_the_others),
        TEST(a_submission_that_is_not_sound_is_refused),
        TEST(a_run_goes_through_its_states),
        TEST(repeats_change_nothing),
        TEST(what_the_table_does_not_name_is_refused_and_counted),
        TEST(unknown_jobs_and_runs_are_not_found),
        TEST(a_job_that_is_another_version_than_was_meant_is_left_alone),
        TEST(times_never_run_backwards),
        TEST(a_record_is_not_older_than_the_one_before),
        TEST(the_version_of_a_job_rises_with_every_change),
        TEST(only_the_agent_overrules_a_presumption),
        TEST(a_job_has_the_codes_of_the_runs_that_failed),
        TEST(a_released_run_waits_again_and_may_move),
        TEST(a_run_of_a_broadcast_does_not_move),
        TEST(cancelling_sets_the_flag_once),
        TEST(a_full_history_refuses_retries_and_forgets_the_oldest_event),
        TEST(deleting_leaves_nothing_and_no_seq_is_used_twice),
        TEST(submitted_and_deleted_in_one_batch_was_never_there),
        TEST(an_aborted_batch_leaves_no_trace),
        TEST(an_agent_keeps_its_number_and_loses_its_reports_with_its_epoch),
        TEST(agents_are_as_they_were_after_a_restart),
        TEST(label_targets_are_numbered_as_they_were_asked),
        TEST(a_head_of_the_first_format_has_none_of_the_later_numbers),
        TEST(a_job_has_the_bulk_action_that_made_or_cancelled_it),
        TEST(names_are_found_by_their_beginning),
        TEST(a_name_beyond_the_room_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
