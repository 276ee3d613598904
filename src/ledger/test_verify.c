/* SPDX-License-Identifier: MIT */
/*
 * The check: a sound ledger has no findings, and each thing that is broken is found, alone and by
 * name.
 */
#include "ledger/fixture.h"

#include "base/mem.h"
#include "ledger/verify.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seqs of the jobs of set_up(). */
enum {
    COMPLETED = 1, /* one run */
    MIXED,         /* three runs: completed, failed, skipped */
    WAITING,       /* one run, no row */
    CANCELLED,     /* one run, with an event */
    PRESUMED,      /* one run, presumed lost */
};

static void submit_all(struct fixture *fixture)
{
    struct record record;

    fixture_submit(fixture, TARGET_HOST, 1);
    fixture_submit(fixture, TARGET_ALL, 3);
    fixture_submit(fixture, TARGET_ANY, 1);
    fixture_submit(fixture, TARGET_HOST, 1);
    fixture_submit(fixture, TARGET_HOST, 1);
    record = record_finished(COMPLETED, 0, run_state_COMPLETED, run_code_NONE, NULL, "{\"a\":[1]}");
    record.run.has_changed = record.run.changed = true;
    fixture_apply(fixture, record_run(RECORD_STARTED, COMPLETED, 0));
    fixture_apply(fixture, record);
    fixture_apply(fixture, record_finished(MIXED, 0, run_state_COMPLETED, run_code_NONE, NULL, ""));
    fixture_apply(fixture, record_finished(MIXED, 1, run_state_FAILED, run_code_ERROR, "no", ""));
    fixture_apply(fixture, record_finished(MIXED, 2, run_state_SKIPPED, run_code_NONE, "", ""));
    fixture_apply(fixture, (struct record){.kind = RECORD_CANCELLED,
                                           .job = {.seq = CANCELLED, .user = "bob"}});
    fixture_apply(fixture, record_run(RECORD_STARTED, PRESUMED, 0));
    record = record_finished(PRESUMED, 0, run_state_FAILED, run_code_LOST, NULL, NULL);
    record.run.to.presumed = true;
    record.run.by_agent = false;
    fixture_apply(fixture, record);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 3);
    submit_all(&fixture);
    assert_int_equal(ledger_checkpoint(fixture.ledger, 10), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static struct verify_report verify(const struct fixture *fixture)
{
    struct verify_report report;
    struct refusal why = {.text = ""};

    if (ledger_verify(fixture->dir, &report, &why))
        fail_msg("%s", why.text);
    return report;
}

/* Exactly one, with all of these words. */
static void expect_finding(const struct fixture *fixture, const char *begin, const char *part)
{
    struct verify_report report = verify(fixture);

    if (report.n_findings != 1)
        fail_msg("%u findings instead of one \"%s\", the first: %s, the second: %s",
                 (unsigned)report.n_findings, part, report.shown[0], report.shown[1]);
    if (strncmp(report.shown[0], begin, strlen(begin)) != 0 || !strstr(report.shown[0], part))
        fail_msg("%s", report.shown[0]);
}

/* ---- writing what the ledger never would ---- */

static void put(struct fixture *fixture, enum table table, struct slice key, struct slice value)
{
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_put(&fixture->ledger->txn, table, key, value), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void put_number(struct fixture *fixture, enum table table, uint64_t key, struct slice value)
{
    put(fixture, table, u64_slice(&key), value);
}

static void drop(struct fixture *fixture, enum table table, struct slice key)
{
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_delete(&fixture->ledger->txn, table, key), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void drop_number(struct fixture *fixture, enum table table, uint64_t key)
{
    drop(fixture, table, u64_slice(&key));
}

static struct slice get(struct fixture *fixture, enum table table, struct slice key,
                        struct arena *arena)
{
    struct slice value;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_get(&fixture->ledger->txn, table, key, &value), 0);
    struct slice copy = {.at = arena_copy(arena, value), .size = value.size};
    ledger_abort(fixture->ledger);
    return copy;
}

static struct head get_head(struct fixture *fixture, uint64_t seq)
{
    struct head head;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(head_get(&fixture->ledger->txn, seq, &head), 0);
    ledger_abort(fixture->ledger);
    return head;
}

static void put_head(struct fixture *fixture, uint64_t seq, const struct head *head)
{
    put_number(fixture, TABLE_HEADS, seq,
               (struct slice){.at = (const char *)head, .size = sizeof(*head)});
}

static struct run_row waiting_row(void)
{
    return (struct run_row){.at = {.state = run_state_WAITING}};
}

static void put_run(struct fixture *fixture, uint64_t seq, uint32_t run, const struct run_row *row)
{
    struct run_key key = run_key(seq, run);

    buf_clear(&fixture->text);
    run_row_encode(row, &fixture->text);
    put(fixture, TABLE_RUNS, run_key_slice(&key), buf_slice(&fixture->text));
}

/* The row, decoded; its slices are in the arena. */
static struct run_row get_run(struct fixture *fixture, uint64_t seq, uint32_t run,
                              struct arena *arena)
{
    struct run_key key = run_key(seq, run);
    struct run_row row;

    assert_int_equal(run_row_decode(get(fixture, TABLE_RUNS, run_key_slice(&key), arena), &row), 0);
    return row;
}

static void put_events(struct fixture *fixture, uint64_t seq, const struct job_event_row *event)
{
    struct job_events events = {.n = 1, .v = {*event}};

    buf_clear(&fixture->text);
    job_events_encode(&events, &fixture->text);
    put_number(fixture, TABLE_EVENTS, seq, buf_slice(&fixture->text));
}

/* ---- sound ---- */

static void a_sound_ledger_has_no_findings(void **state)
{
    struct fixture *fixture = *state;
    struct verify_report report = verify(fixture);

    fixture_expect_sound(fixture);
    assert_int_equal(report.n_jobs, 5);
    assert_int_equal(report.n_runs, 7);
    assert_int_equal(report.n_blocks, 1);
}

static void an_empty_ledger_has_no_findings(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_make(&fixture);
    fixture_expect_sound(&fixture);
    assert_int_equal(verify(&fixture).n_jobs, 0);
    fixture_release(&fixture);
}

static void a_ledger_that_nobody_has_open_is_checked(void **state)
{
    struct fixture fixture;
    struct verify_report report;
    struct refusal why;

    (void)state;
    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 1);
    fixture_submit(&fixture, TARGET_HOST, 1);
    ledger_reader_close(fixture.reader);
    ledger_drop(fixture.ledger); /* with a dirty block */
    assert_int_equal(ledger_verify(fixture.dir, &report, &why), 0);
    assert_int_equal(report.n_findings, 0);
    assert_int_equal(report.n_jobs, 1);
    buf_release(&fixture.text);
    fixture_remove_dir(&fixture);
}

static void deleted_jobs_and_dirty_blocks_are_sound(void **state)
{
    struct fixture *fixture = *state;

    fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = MIXED}});
    fixture_submit(fixture, TARGET_ALL, 3);
    fixture_expect_sound(fixture);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 10), 0);
    fixture_expect_sound(fixture);
    for (uint64_t seq = COMPLETED; seq <= PRESUMED + 1; seq++) {
        if (seq != MIXED)
            fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = seq}});
    }
    fixture_expect_sound(fixture);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 10), 0);
    fixture_expect_sound(fixture);
}

/* ---- each table ---- */

static void a_head_that_is_none_is_found(void **state)
{
    struct fixture *fixture = *state;

    put_number(fixture, TABLE_HEADS, MIXED, SLICE("none"));
    expect_finding(fixture, "heads, seq 2: ", "can't be decoded");
}

static void a_counter_that_is_wrong_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, MIXED);

    head.counts.failed++;
    head.counts.skipped--;
    put_head(fixture, MIXED, &head);
    put_number(fixture, TABLE_DIRTY, 0, SLICE(""));
    expect_finding(fixture, "heads, seq 2, job ", "1 completed, 2 failed, 0 skipped");
}

static void codes_and_changes_that_no_run_has_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, MIXED);

    put_number(fixture, TABLE_DIRTY, 0, SLICE(""));
    head.codes |= 1u << run_code_TIMEOUT;
    put_head(fixture, MIXED, &head);
    expect_finding(fixture, "heads, seq 2", "codes");
    head = get_head(fixture, MIXED);
    head.codes = 1u << run_code_ERROR;
    head.flags |= HEAD_CHANGED;
    put_head(fixture, MIXED, &head);
    expect_finding(fixture, "heads, seq 2", "changed");
}

static void a_host_that_is_none_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, WAITING);

    head.host = 4;
    put_head(fixture, WAITING, &head);
    expect_finding(fixture, "heads, seq 3", "host");
}

static void a_job_that_is_older_than_the_one_before_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, WAITING);

    head.created_us = FIXTURE_START_US;
    put_head(fixture, WAITING, &head);
    expect_finding(fixture, "heads, seq 3", "created before");
}

static void an_id_without_job_and_a_job_without_id_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, WAITING);
    struct slice id = {.at = (const char *)head.id.bytes, .size = sizeof(head.id)};
    uint64_t other = 17, seq = WAITING;

    drop(fixture, TABLE_IDS, id);
    expect_finding(fixture, "heads, seq 3", "not in ids");
    put(fixture, TABLE_IDS, id, u64_slice(&seq));
    put(fixture, TABLE_IDS, SLICE("0123456789abcdef"), u64_slice(&other));
    expect_finding(fixture, "ids, seq 17", "no such job");
    put(fixture, TABLE_IDS, SLICE("0123456789abcdef"), u64_slice(&seq));
    expect_finding(fixture, "ids, seq 3", "another id");
}

static void rows_without_a_job_are_found(void **state)
{
    static const struct {
        enum table table;
        const char *begin;
    } tables[] = {{.table = TABLE_JOBS, .begin = "jobs, seq 17: "},
                  {.table = TABLE_HOSTS, .begin = "hosts, seq 17: "},
                  {.table = TABLE_EVENTS, .begin = "events, seq 17: "}};
    struct fixture *fixture = *state;
    struct run_key key = run_key(17, 3);

    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        put_number(fixture, tables[i].table, 17, SLICE("row"));
        expect_finding(fixture, tables[i].begin, "no such job");
        drop_number(fixture, tables[i].table, 17);
    }
    put(fixture, TABLE_RUNS, run_key_slice(&key), SLICE("row"));
    expect_finding(fixture, "runs, seq 17: ", "no such job");
}

static void rows_that_are_missing_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena CLEANUP(arena_release) = {0};
    struct run_key run = run_key(MIXED, 1);
    uint64_t seq = MIXED;
    struct slice job = get(fixture, TABLE_JOBS, u64_slice(&seq), &arena);
    struct slice hosts = get(fixture, TABLE_HOSTS, u64_slice(&seq), &arena);

    drop_number(fixture, TABLE_JOBS, MIXED);
    expect_finding(fixture, "jobs, seq 2", "missing");
    put_number(fixture, TABLE_JOBS, MIXED, job);
    drop_number(fixture, TABLE_HOSTS, MIXED);
    expect_finding(fixture, "hosts, seq 2", "missing");
    put_number(fixture, TABLE_HOSTS, MIXED, hosts);
    drop_number(fixture, TABLE_EVENTS, CANCELLED);
    expect_finding(fixture, "events, seq 4", "missing");
    drop(fixture, TABLE_RUNS, run_key_slice(&run));
    struct verify_report report = verify(fixture);
    assert_int_equal(report.n_findings, 3); /* a counter and a code besides */
    assert_non_null(strstr(report.shown[0], "by its runs it is 0, 1, 0, 1"));
}

/* One byte of the row at `what`, which occurs in it. */
static void flip_in_job(struct fixture *fixture, const char *what, size_t offset, char to)
{
    struct arena arena CLEANUP(arena_release) = {0};
    uint64_t seq = COMPLETED;
    struct slice row = get(fixture, TABLE_JOBS, u64_slice(&seq), &arena);
    struct buf bytes CLEANUP(buf_release);

    buf_init(&bytes, STORED_ROW_MAX);
    buf_add_slice(&bytes, row);
    char *at = memmem(bytes.at, bytes.size, what, strlen(what));
    assert_non_null(at);
    at[offset] = to;
    put_number(fixture, TABLE_JOBS, COMPLETED, buf_slice(&bytes));
}

static void a_job_that_is_no_json_is_found(void **state)
{
    struct fixture *fixture = *state;

    flip_in_job(fixture, "{\"a\":1}", 5, 'x');
    expect_finding(fixture, "jobs, seq 1, job ", "no valid JSON");
}

static void an_operation_or_target_that_the_head_does_not_have_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, COMPLETED);

    put_number(fixture, TABLE_DIRTY, 0, SLICE(""));
    flip_in_job(fixture, "node.hostname.get", 0, 'm');
    expect_finding(fixture, "jobs, seq 1", "operation or user");
    flip_in_job(fixture, "mode.hostname.get", 0, 'n');
    head.target_kind = TARGET_LABEL;
    put_head(fixture, COMPLETED, &head);
    expect_finding(fixture, "jobs, seq 1", "target");
}

static void hosts_that_are_unsorted_or_unknown_or_too_few_are_found(void **state)
{
    static const host_number wrong[][3] = {{1, 3, 2}, {1, 2, 4}, {0, 1, 2}, {1, 1, 2}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        put_number(fixture, TABLE_HOSTS, MIXED,
                   (struct slice){.at = (const char *)wrong[i], .size = sizeof(wrong[i])});
        expect_finding(fixture, "hosts, seq 2", "unknown, or out of order");
    }
    put_number(fixture, TABLE_HOSTS, MIXED,
               (struct slice){.at = (const char *)wrong[0], .size = sizeof(host_number)});
    expect_finding(fixture, "hosts, seq 2", "as many hosts");
}

static void hosts_of_a_job_with_one_run_are_found(void **state)
{
    static const host_number host = 1;
    struct fixture *fixture = *state;

    put_number(fixture, TABLE_HOSTS, WAITING,
               (struct slice){.at = (const char *)&host, .size = sizeof(host)});
    expect_finding(fixture, "hosts, seq 3", "one run");
}

static void events_that_can_not_be_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct job_event_row event = {.kind = JOB_EVENT_MOVED, .time_us = fixture->now_us, .host = 9};

    put_events(fixture, CANCELLED, &event);
    expect_finding(fixture, "events, seq 4", "event 1 can't be");
    event.host = 1;
    put_events(fixture, CANCELLED, &event);
    fixture_expect_sound(fixture);
    put_events(fixture, COMPLETED, &event);
    expect_finding(fixture, "events, seq 1", "knows of no events");
    put_number(fixture, TABLE_EVENTS, CANCELLED, SLICE("none"));
    drop_number(fixture, TABLE_EVENTS, COMPLETED);
    expect_finding(fixture, "events, seq 4", "can't be decoded");
}

/* ---- runs ---- */

static void a_run_that_is_none_or_one_too_many_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct run_row row = waiting_row();
    struct run_key key = run_key(MIXED, 2);

    put_run(fixture, MIXED, 3, &row);
    expect_finding(fixture, "runs, seq 2, job ", "run 3: it is none of the job's");
    key = run_key(MIXED, 3);
    drop(fixture, TABLE_RUNS, run_key_slice(&key));
    key = run_key(MIXED, 2);
    put(fixture, TABLE_RUNS, run_key_slice(&key), SLICE("none"));
    expect_finding(fixture, "runs, seq 2", "run 2: its row can't be decoded");
}

static void a_result_that_is_no_json_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena CLEANUP(arena_release) = {0};
    struct run_row row = get_run(fixture, COMPLETED, 0, &arena);

    row.data = SLICE("{\"a\":[1}");
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "no valid JSON");
}

static void a_packed_result_that_is_damaged_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena CLEANUP(arena_release) = {0};
    struct run_row row = get_run(fixture, COMPLETED, 0, &arena);
    char json[2 * PACK_MIN];
    struct slice packed;

    memset(json, '1', sizeof(json));
    assert_true(packer_pack(&fixture->ledger->packer,
                            (struct slice){.at = json, .size = sizeof(json)}, &packed));
    char *damaged = arena_copy(&arena, packed);
    row.data = (struct slice){.at = damaged, .size = packed.size};
    row.is_packed = true;
    put_run(fixture, COMPLETED, 0, &row);
    fixture_expect_sound(fixture);
    damaged[packed.size - 1] ^= 1; /* of the checksum */
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "can't be unpacked");
    row.data.size--; /* no whole frame */
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "can't be decoded");
}

static void times_and_presumptions_that_can_not_be_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena CLEANUP(arena_release) = {0};
    struct run_row row = get_run(fixture, COMPLETED, 0, &arena);

    row.finished_us = row.started_us - 1;
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "times");
    row.finished_us = 0;
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "times");
    row.finished_us = row.started_us;
    row.at.presumed = true;
    put_run(fixture, COMPLETED, 0, &row);
    expect_finding(fixture, "runs, seq 1", "presumed");
}

/* ---- sealed ---- */

static uint64_t submit_sealed(struct fixture *fixture)
{
    static const host_number hosts[] = {1, 2, 3};
    const struct slice sealed[] = {SLICE("one"), SLICE("two"), SLICE("three")};
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = uuid_make(fixture->now_us),
                                          .op = op_by_type("node.hostname.get"),
                                          .data = SLICE("{}"),
                                          .sealed = sealed,
                                          .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                                          .user = "alice",
                                          .hosts = hosts,
                                          .n_hosts = 3}};

    return fixture_apply(fixture, record).seq;
}

static void sealed_inputs_of_no_run_to_come_are_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq = submit_sealed(fixture);
    struct run_key first = run_key(seq, 0), last = run_key(seq, 2), other = run_key(WAITING, 0);

    fixture_apply(fixture, record_run(RECORD_STARTED, seq, 0));
    fixture_apply(fixture, record_finished(seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "1"));
    fixture_apply(fixture, record_run(RECORD_STARTED, seq, 1));
    fixture_expect_sound(fixture);
    put(fixture, TABLE_SEALED, run_key_slice(&first), SLICE("one"));
    expect_finding(fixture, "sealed, seq 6, job ", "run 0: it is final");
    drop(fixture, TABLE_SEALED, run_key_slice(&first));
    put(fixture, TABLE_SEALED, run_key_slice(&other), SLICE("one"));
    expect_finding(fixture, "sealed, seq 3, job ", "run 0: it is none");
    drop(fixture, TABLE_SEALED, run_key_slice(&other));
    drop(fixture, TABLE_SEALED, run_key_slice(&last));
    fixture_expect_sound(
        fixture); /* as far as can be told: the input of the started run is there */
    last = run_key(seq, 1);
    drop(fixture, TABLE_SEALED, run_key_slice(&last));
    expect_finding(fixture, "sealed, seq 6", "1 runs are to come, and 0");
}

/* ---- meta, names, agents ---- */

static void put_meta(struct fixture *fixture, const struct meta_row *meta)
{
    put_number(fixture, TABLE_META, 0,
               (struct slice){.at = (const char *)meta, .size = sizeof(*meta)});
}

static void numbers_that_were_not_given_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct meta_row good = fixture->ledger->committed_meta;
    struct meta_row meta = good;

    meta.next_seq = PRESUMED;
    put_meta(fixture, &meta);
    expect_finding(fixture, "heads, seq 5", "not given yet");
    meta = good;
    meta.n_hosts = 4;
    put_meta(fixture, &meta);
    expect_finding(fixture, "agents: ", "3 hosts are there, and 4");
    meta = good;
    meta.n_users = 2;
    put_meta(fixture, &meta);
    expect_finding(fixture, "names: ", "1 users");
    meta = good;
    meta.n_bulks = 1;
    put_meta(fixture, &meta);
    expect_finding(fixture, "names: ", "0 bulk actions");
    meta = good;
    meta.next_seq = 0;
    put_meta(fixture, &meta);
    expect_finding(fixture, "meta: ", "can't be decoded");
}

static void names_that_share_a_number_are_found(void **state)
{
    static const uint16_t number = 1;
    struct fixture *fixture = *state;

    put(fixture, TABLE_NAMES, SLICE("uzoe"),
        (struct slice){.at = (const char *)&number, .size = sizeof(number)});
    expect_finding(fixture, "names: \"uzoe\"", "another name");
    drop(fixture, TABLE_NAMES, SLICE("uzoe"));
    put(fixture, TABLE_NAMES, SLICE("xzoe"),
        (struct slice){.at = (const char *)&number, .size = sizeof(number)});
    expect_finding(fixture, "names: \"xzoe\"", "no kind");
}

/* Of today's format, without a number that it should have; and with one of somebody else. */
static void numbers_of_targets_and_bulk_actions_that_are_wrong_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_LABEL, 1);
    struct head good = get_head(fixture, job.seq), head = good;

    head.target = 0;
    put_head(fixture, job.seq, &head);
    expect_finding(fixture, "jobs, seq 6, job ", "label target");
    head.target = 2;
    put_head(fixture, job.seq, &head);
    expect_finding(fixture, "jobs, seq 6, job ", "label target");
    head = good;
    head.bulk = 1;
    put_head(fixture, job.seq, &head);
    expect_finding(fixture, "heads, seq 6, job ", "bulk action");
    head = good;
    head.target = 0;
    head.format = 1;
    put_number(fixture, TABLE_HEADS, job.seq,
               (struct slice){.at = (const char *)&head, .size = offsetof(struct head, target)});
    expect_finding(fixture, "heads, seq 6, job ", "older ledger");
}

static void put_agent(struct fixture *fixture, uint64_t host, const struct agent_row *agent)
{
    buf_clear(&fixture->text);
    agent_row_encode(agent, &fixture->text);
    put_number(fixture, TABLE_AGENTS, host, buf_slice(&fixture->text));
}

static void agents_that_can_not_be_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct agent_row agent = {.first_seen_us = FIXTURE_START_US,
                              .changed_us = FIXTURE_START_US,
                              .machine_id = SLICE("00000000000000000000000000000001"),
                              .hostname = SLICE("web-03"),
                              .labels = SLICE("{}")};

    put_agent(fixture, 3, &agent);
    expect_finding(fixture, "agents: ", "machine id 00000000000000000000000000000001");
    agent.machine_id = SLICE("3");
    agent.labels = SLICE("{\"group\":1}");
    put_agent(fixture, 3, &agent);
    expect_finding(fixture, "agents, host 3: ", "labels");
    put_number(fixture, TABLE_AGENTS, 3, SLICE("none"));
    expect_finding(fixture, "agents, host 3: ", "can't be decoded");
}

/* ---- the index ---- */

static void bitmaps_that_disagree_with_heads_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct head head = get_head(fixture, MIXED);

    head.target_kind = TARGET_LABEL;
    put_head(fixture, MIXED, &head);
    struct verify_report report = verify(fixture);
    assert_int_equal(report.n_findings, 2); /* the row of the job says _all */
    assert_non_null(
        strstr(report.shown[1], "blocks, block 0: its bitmap of target 1, with 1 jobs"));
}

static void bitmaps_that_are_missing_or_none_or_too_many_are_found(void **state)
{
    struct fixture *fixture = *state;

    put_number(fixture, TABLE_BLOCKS, 0, SLICE("none"));
    expect_finding(fixture, "blocks, block 0: ", "can't be decoded");
    drop_number(fixture, TABLE_BLOCKS, 0);
    expect_finding(fixture, "blocks, block 0: ", "missing");
    put_number(fixture, TABLE_DIRTY, 0, SLICE(""));
    fixture_expect_sound(fixture);
    put_number(fixture, TABLE_BLOCKS, 7, SLICE("none"));
    expect_finding(fixture, "blocks, block 7: ", "no jobs in it");
    put_number(fixture, TABLE_DIRTY, 7, SLICE(""));
    expect_finding(fixture, "dirty, block 7: ", "no such mark");
}

/* ---- how much is told ---- */

static void only_the_first_findings_are_told_and_all_are_counted(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t seq = 100; seq < 150; seq++)
        put_number(fixture, TABLE_JOBS, seq, SLICE("row"));
    struct verify_report report = verify(fixture);
    assert_int_equal(report.n_findings, 50);
    assert_int_equal(report.n_shown, VERIFY_SHOWN_MAX);
    assert_non_null(strstr(report.shown[VERIFY_SHOWN_MAX - 1], "seq 119"));
}

static void what_a_finding_shows_of_the_file_is_harmless(void **state)
{
    static const uint16_t number = 7;
    struct fixture *fixture = *state;

    put(fixture, TABLE_NAMES, SLICE("u\033[2J"),
        (struct slice){.at = (const char *)&number, .size = sizeof(number)});
    expect_finding(fixture, "names: \"u?[2J\"", "never given");
}

/* ---- what can't be opened ---- */

static void a_directory_without_a_ledger_is_refused_and_stays_empty(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    struct verify_report report;
    struct refusal why;

    (void)state;
    fixture_make_dir(&fixture);
    assert_int_equal(ledger_verify(fixture.dir, &report, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, fixture.dir));
    assert_int_equal(rmdir(fixture.dir), 0);
}

/* A snapshot of somebody who was killed would keep all pages freed since from being used again. */
static void a_killed_reader_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_use use;
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *store;
        struct txn txn;
        if (store_open_to_read(fixture->dir, &store, NULL) || snapshot_open(store, &txn) ||
            snapshot_renew(&txn))
            _exit(1);
        _exit(write(ends[1], "x", 1) == 1 && pause() ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    fixture_submit(fixture, TARGET_HOST, 1);
    assert_int_equal(ledger_use(fixture->ledger, &use), 0);
    assert_true(use.oldest_reader_commits > 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 1), 0);
    assert_int_equal(ledger_use(fixture->ledger, &use), 0);
    assert_int_equal(use.oldest_reader_commits, 0);
    close(ends[0]);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_sound_ledger_has_no_findings),
        cmocka_unit_test(an_empty_ledger_has_no_findings),
        cmocka_unit_test(a_ledger_that_nobody_has_open_is_checked),
        TEST(deleted_jobs_and_dirty_blocks_are_sound),
        TEST(a_head_that_is_none_is_found),
        TEST(a_counter_that_is_wrong_is_found),
        TEST(codes_and_changes_that_no_run_has_are_found),
        TEST(a_host_that_is_none_is_found),
        TEST(a_job_that_is_older_than_the_one_before_is_found),
        TEST(an_id_without_job_and_a_job_without_id_are_found),
        TEST(rows_without_a_job_are_found),
        TEST(rows_that_are_missing_are_found),
        TEST(a_job_that_is_no_json_is_found),
        TEST(an_operation_or_target_that_the_head_does_not_have_is_found),
        TEST(hosts_that_are_unsorted_or_unknown_or_too_few_are_found),
        TEST(hosts_of_a_job_with_one_run_are_found),
        TEST(events_that_can_not_be_are_found),
        TEST(a_run_that_is_none_or_one_too_many_is_found),
        TEST(a_result_that_is_no_json_is_found),
        TEST(a_packed_result_that_is_damaged_is_found),
        TEST(times_and_presumptions_that_can_not_be_are_found),
        TEST(sealed_inputs_of_no_run_to_come_are_found),
        TEST(numbers_that_were_not_given_are_found),
        TEST(names_that_share_a_number_are_found),
        TEST(agents_that_can_not_be_are_found),
        TEST(bitmaps_that_disagree_with_heads_are_found),
        TEST(bitmaps_that_are_missing_or_none_or_too_many_are_found),
        TEST(numbers_of_targets_and_bulk_actions_that_are_wrong_are_found),
        TEST(only_the_first_findings_are_told_and_all_are_counted),
        TEST(what_a_finding_shows_of_the_file_is_harmless),
        cmocka_unit_test(a_directory_without_a_ledger_is_refused_and_stays_empty),
        TEST(a_killed_reader_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
