/* SPDX-License-Identifier: MIT */
/*
 * Retention, rule by rule; its bounds; what dropping leaves in memory, in the tables and in the
 * file; what an archive is given.
 */
#include "ledger/fixture_retain.h"

#include "base/json.h"
#include "base/mem.h"
#include "ledger/item.h"

#include <inttypes.h>

/* ---- each rule ---- */

static const struct config_retention by_class = {
    .queries = HOUR_US, .has_queries = true, .modifies = DAY_US, .has_modifies = true};

static void jobs_go_when_their_class_s_age_is_over(void **state)
{
    struct world *world = *state;
    const struct op *modify = op_by_type("command.exec.execute");
    uint64_t query = world_add(world, (struct made){.status = job_status_COMPLETED});
    uint64_t change = world_add(world, (struct made){.op = modify, .status = job_status_FAILED});
    uint64_t forgotten =
        world_add(world, (struct made){.op = &unknown_op, .status = job_status_COMPLETED});
    struct head head;

    assert_true(world_head(world, query, &head));
    world->fixture.now_us = head.updated_us + HOUR_US - 1;
    assert_int_equal(world_clean_by(world, by_class), 0);
    world->fixture.now_us++;
    assert_int_equal(world_clean(world), 1);
    assert_false(world_has(world, query));
    assert_true(world_has(world, change));
    assert_true(world_has(world, forgotten)); /* counts as a modify */
    world->fixture.now_us = head.updated_us + DAY_US - US_PER_S;
    assert_int_equal(world_clean(world), 0);
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(world_clean(world), 2);
    assert_int_equal(world_count(world).total, 0);
}

static void age_is_counted_from_the_end(void **state)
{
    struct world *world = *state;
    uint64_t seq = world_add(world, (struct made){.status = job_status_SUBMITTED});
    struct made made = {.status = job_status_COMPLETED};

    assert_int_equal(world_clean_by(world, by_class), 0);
    world->fixture.now_us += 2 * HOUR_US;
    assert_int_equal(world_clean(world), 0);
    fixture_apply(&world->fixture, record_end(seq, 0, &made));
    world->fixture.now_us += HOUR_US - US_PER_S;
    assert_int_equal(world_clean(world), 0);
    world->fixture.now_us += US_PER_S;
    assert_int_equal(world_clean(world), 1);
}

static void a_status_has_an_age_of_its_own(void **state)
{
    struct world *world = *state;
    struct config_retention rules = by_class;
    uint64_t good = world_add(world, (struct made){.status = job_status_COMPLETED});
    uint64_t bad = world_add(world, (struct made){.status = job_status_FAILED});

    rules.has_failed = rules.failed.has_age = true;
    rules.failed.age = 60 * US_PER_S;
    world->fixture.now_us += 61 * US_PER_S;
    assert_int_equal(world_clean_by(world, rules), 1);
    assert_true(world_has(world, good));
    assert_false(world_has(world, bad));
}

static void of_too_many_jobs_the_oldest_go(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.jobs = 20, .has_jobs = true};
    uint64_t seqs[30];

    for (unsigned i = 0; i < 30; i++)
        seqs[i] = world_add(world, (struct made){.status = i % 3 == 0 ? job_status_SUBMITTED
                                                                      : job_status_COMPLETED});
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(world_clean_by(world, rules), 10);
    assert_int_equal(world->n_dropped[RETAIN_JOBS], 10);
    for (unsigned i = 0; i < 30; i++) /* 1 2 4 5 7 8 10 11 13 14 went */
        assert_int_equal(world_has(world, seqs[i]), i % 3 == 0 || i > 14);
    assert_int_equal(world_clean(world), 0);
}

static void live_jobs_are_never_too_many(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.jobs = 1, .has_jobs = true};

    world_add_many(world, 250, (struct made){.status = job_status_SUBMITTED});
    world_add_many(world, 5, (struct made){.status = job_status_COMPLETED});
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(world_clean_by(world, rules), 5);
    assert_int_equal(world_count(world).total, 250);
}

static void what_has_just_ended_stays_for_its_reply(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.jobs = 1, .has_jobs = true};

    world_add_many(world, 5, (struct made){.status = job_status_COMPLETED});
    assert_int_equal(world_clean_by(world, rules), 0);
    world->fixture.now_us += RETAIN_REST_US;
    assert_int_equal(world_clean(world), 4);
}

static void a_status_has_a_number_of_its_own(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.has_skipped = true};

    rules.skipped.has_jobs = true;
    rules.skipped.jobs = 2;
    for (unsigned i = 0; i < 5; i++) {
        world_add(world, (struct made){.status = job_status_SKIPPED});
        world_add(world, (struct made){.status = job_status_COMPLETED});
    }
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(world_clean_by(world, rules), 3);
    assert_int_equal(world->n_dropped[RETAIN_STATUS_JOBS], 3);
}

static void a_status_has_a_size_of_its_own(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.has_completed = true};
    char data[1201]; /* not so large that it is packed */

    memset(data, '1', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    rules.completed.has_mib = true;
    rules.completed.mib = 1;
    /* About 1,448 bytes each: 724 make a MiB. */
    world_add_many(world, 400, (struct made){.status = job_status_COMPLETED, .data = data});
    world_add_many(world, 50, (struct made){.status = job_status_FAILED});
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(world_clean_by(world, rules), 0);
    world_add_many(world, 800, (struct made){.status = job_status_COMPLETED, .data = data});
    world->fixture.now_us += RETAIN_COUNT_US;
    assert_int_equal(world_clean(world), 476);
    assert_int_equal(world->n_dropped[RETAIN_STATUS_BYTES], 476);
    assert_int_equal(world_clean(world), 0);
    world->fixture.now_us += 2 * RETAIN_COUNT_US; /* counted again */
    assert_int_equal(world_clean(world), 0);
    assert_int_equal(world_count(world).total, 774);
}

/* Nothing of the file is given back to the disk: what is dropped has to count as free. */
static void dropping_makes_room_in_the_file(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.has_disk_percent = true, .disk_percent = 0};
    struct store *store = world->fixture.ledger->store;
    uint64_t before, after;

    world_add_many(world, 3000,
                   (struct made){.status = job_status_COMPLETED, .data = "\"some data\""});
    world_add(world, (struct made){.status = job_status_SUBMITTED});
    world->fixture.now_us += 2 * US_PER_S;
    assert_int_equal(reader_begin(world->fixture.reader, NULL, NULL), 0);
    assert_int_equal(snapshot_used_bytes(&world->fixture.reader->txn, &before), 0);
    reader_end(world->fixture.reader);
    assert_true(before > (1 << 20) && before <= store_file_bytes(store));
    assert_int_equal(world_clean_by(world, rules), 3000); /* and comes to an end */
    assert_int_equal(world->n_dropped[RETAIN_DISK], 3000);
    assert_int_equal(reader_begin(world->fixture.reader, NULL, NULL), 0);
    assert_int_equal(snapshot_used_bytes(&world->fixture.reader->txn, &after), 0);
    reader_end(world->fixture.reader);
    assert_true(after < before / 5);
    rules.disk_percent = 100;
    assert_int_equal(world_clean_by(world, rules), 0);
}

/* ---- bounds ---- */

static void a_slice_is_bounded(void **state)
{
    struct world *world = *state;
    struct retain_slice slice;

    world_add_many(world, 2 * RECORD_DROPPED_MAX + 5,
                   (struct made){.status = job_status_COMPLETED});
    world_add_many(world, RETAIN_RUNS_MAX,
                   (struct made){.status = job_status_COMPLETED, .n_hosts = 3});
    world->fixture.now_us += HOUR_US;
    retain_rule(world->retain, &by_class);
    assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
    assert_int_equal(slice.n, RECORD_DROPPED_MAX);
    assert_int_equal(slice.jobs[0].seq, 1);
    assert_int_equal(world_drop(world, &slice), slice.n);
    assert_int_equal(world_clean(world), RECORD_DROPPED_MAX + 5 + RETAIN_RUNS_MAX);
    world_add_many(world, RECORD_DROPPED_MAX,
                   (struct made){.status = job_status_COMPLETED, .n_hosts = 3});
    world->fixture.now_us += HOUR_US;
    uint32_t n_runs = 0;
    assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
    for (uint32_t i = 0; i < slice.n; i++)
        n_runs += 3;
    assert_true(n_runs < RETAIN_RUNS_MAX + 3);
}

/* Else each job that comes would be dropped by a commit of its own, and other rules never be
   followed. */
static void a_steady_stream_of_jobs_leaves_time_for_other_rules_and_rest(void **state)
{
    struct world *world = *state;
    struct config_retention rules = {.has_jobs = true, .jobs = 10, .has_failed = true};
    struct retain_slice slice;
    unsigned n_steps = 0;

    rules.failed.has_jobs = true;
    rules.failed.jobs = 1;
    world_add_many(world, 10, (struct made){.status = job_status_COMPLETED});
    world_add_many(world, 3, (struct made){.status = job_status_FAILED});
    world->fixture.now_us += HOUR_US;
    retain_rule(world->retain, &rules);
    do {
        assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
        assert_int_equal(world_drop(world, &slice), slice.n);
        world_add(world, (struct made){.status = job_status_COMPLETED});
        n_steps++;
    } while (slice.more && n_steps < 20);
    assert_true(n_steps <= 3);
    assert_int_equal(world_count(world).counts[job_status_FAILED], 1);
}

static void what_can_t_be_dropped_is_found_again(void **state)
{
    struct world *world = *state;
    struct config_retention rules = by_class;
    struct retain_slice slice;

    rules.has_completed = rules.completed.has_mib = true;
    rules.completed.mib = 1;
    world_add_many(world, 5, (struct made){.status = job_status_COMPLETED});
    world->fixture.now_us += HOUR_US;
    retain_rule(world->retain, &rules);
    for (unsigned i = 0; i < 3; i++) {
        unsigned n = 0;
        do {
            assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
            n += slice.n;
        } while (slice.more);
        assert_int_equal(n, 5);
    }
    assert_int_equal(world_clean(world), 5);
}

static void a_job_that_changed_meanwhile_stays(void **state)
{
    struct world *world = *state;
    struct retain_slice slice;
    uint64_t first = world_add(world, (struct made){.status = job_status_COMPLETED});
    uint64_t second = world_add(world, (struct made){.status = job_status_COMPLETED});

    world->fixture.now_us += HOUR_US;
    retain_rule(world->retain, &by_class);
    assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
    assert_int_equal(slice.n, 2);
    fixture_apply(&world->fixture, (struct record){.kind = RECORD_RETRIED, .job = {.seq = first}});
    assert_int_equal(world_drop(world, &slice), 1);
    assert_true(world_has(world, first));
    assert_false(world_has(world, second));
    assert_int_equal(world_drop(world, &slice), 0);
}

/* More heads than one step reads: whoever read them again would need more steps. */
static void what_stays_is_not_read_again(void **state)
{
    struct world *world = *state;
    const struct op *modify = op_by_type("command.exec.execute");

    world_add(world, (struct made){.status = job_status_COMPLETED});
    world_add_many(world, 3 * RETAIN_HEADS_MAX,
                   (struct made){.op = modify, .status = job_status_COMPLETED});
    world_add_many(world, 10, (struct made){.status = job_status_SUBMITTED});
    world->fixture.now_us += HOUR_US;
    assert_int_equal(world_clean_by(world, by_class), 1);
    assert_true(world->n_steps > 3);
    world_clean(world); /* the block has changed by that */
    for (unsigned i = 0; i < 3; i++) {
        world->fixture.now_us += HOUR_US / 4;
        assert_int_equal(world_clean(world), 0);
        assert_int_equal(world->n_steps, 1);
    }
}

/* After a start, blocks are told from the index and one head that they can't have anything due. */
static void young_blocks_are_not_read_at_start(void **state)
{
    struct world *world = *state;
    const struct op *modify = op_by_type("command.exec.execute");

    world_add_many(world, 2 * RETAIN_HEADS_MAX,
                   (struct made){.op = modify, .status = job_status_COMPLETED});
    world->fixture.now_us += DAY_US - 10 * US_PER_S; /* far beyond the age of queries */
    assert_int_equal(world_clean_by(world, by_class), 0);
    assert_int_equal(world->n_steps, 1);
    world->fixture.now_us += 20 * US_PER_S;
    assert_int_equal(world_clean(world), 2 * RETAIN_HEADS_MAX);
}

/* ---- what is left ---- */

static uint64_t rows(struct world *world, enum table table)
{
    struct txn *txn = &world->fixture.reader->txn;
    struct slice key, value;
    uint64_t n = 0;

    assert_int_equal(reader_begin(world->fixture.reader, NULL, NULL), 0);
    for (int r = table_first(txn, table, &key, &value); r == 0;
         r = table_next(txn, table, &key, &value))
        n++;
    reader_end(world->fixture.reader);
    return n;
}

static void emptied_blocks_vanish(void **state)
{
    struct world *world = *state;
    struct fixture *fixture = &world->fixture;
    struct ledger_filter all = {0};
    const char *items;

    world_add_many(world, 2 * BLOCK_JOBS + 5000, (struct made){.status = job_status_COMPLETED});
    assert_int_equal(ledger_checkpoint(fixture->ledger, 100), 0);
    assert_int_equal(fixture->ledger->blocks.n, 3);
    assert_int_equal(rows(world, TABLE_BLOCKS), 3);
    fixture->now_us += HOUR_US;
    uint64_t young = world_add(world, (struct made){.status = job_status_COMPLETED});
    assert_int_equal(world_clean_by(world, by_class), 2 * BLOCK_JOBS + 5000);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 100), 0);
    assert_int_equal(fixture->ledger->blocks.n, 1);
    assert_int_equal(fixture->ledger->blocks.first, young / BLOCK_JOBS);
    assert_int_equal(rows(world, TABLE_BLOCKS), 1);
    static const enum table tables[] = {TABLE_HEADS, TABLE_JOBS, TABLE_RUNS, TABLE_IDS};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        assert_int_equal(rows(world, tables[i]), 1);
    fixture_expect_sound(fixture);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fixture_list(fixture, &all, 0, 10, &items).n_items, 1);
        assert_int_equal(fixture_list(fixture, &all, 1, 10, &items).n_items, 0);
        assert_int_equal(world_count(world).total, 1);
        world_reopen(world, i == 0);
    }
    /* The number of a block that vanished comes back with the newest jobs only. */
    world_add_many(world, 10, (struct made){.status = job_status_COMPLETED});
    fixture->now_us += 2 * HOUR_US;
    assert_int_equal(world_clean_by(world, by_class), 11);
    world_add_many(world, 11, (struct made){.status = job_status_COMPLETED});
    fixture->now_us += 2 * HOUR_US;
    assert_int_equal(world_clean(world), 11);
}

static void the_file_does_not_grow_with_the_generations(void **state)
{
    enum { GENERATION = 3000, GENERATIONS = 10 };
    struct world *world = *state;
    struct config_retention rules = {.jobs = GENERATION, .has_jobs = true};
    struct store *store = world->fixture.ledger->store;
    char data[1001];

    memset(data, '1', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    struct made made = {.status = job_status_COMPLETED, .data = data};
    world_add_many(world, GENERATION, made);
    uint64_t peak = store_file_bytes(store);
    retain_rule(world->retain, &rules);
    for (unsigned i = 0; i < GENERATIONS * GENERATION / 100; i++) {
        world_add_many(world, 100, made);
        world->fixture.now_us += 2 * US_PER_S;
        assert_int_equal(world_clean(world), 100);
    }
    assert_int_equal(world_count(world).total, GENERATION);
    if (store_file_bytes(store) * 2 > peak * 3)
        fail_msg("%" PRIu64 " bytes after one generation, %" PRIu64 " after all", peak,
                 store_file_bytes(store));
}

/* ---- archive ---- */

static int collect(void *owner, struct slice piece)
{
    struct buf *text = owner;

    assert_true(piece.size < 2 * ITEM_PIECE_BYTES);
    buf_add_slice(text, piece);
    return 0;
}

static void the_archive_gets_every_run(void **state)
{
    enum { RUNS = 2000 };
    struct world *world = *state;
    struct fixture *fixture = &world->fixture;
    struct retain_slice slice;
    struct json item, responses, states, timeline, shown;
    struct refusal why;

    for (host_number host = 4; host <= RUNS; host++) {
        char machine_id[40], hostname[40];
        snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
        snprintf(hostname, sizeof(hostname), "web-%u", (unsigned)host);
        fixture_apply(fixture, (struct record){.kind = RECORD_AGENT,
                                               .agent = {.host = host,
                                                         .machine_id = machine_id,
                                                         .hostname = hostname,
                                                         .epoch = 1}});
    }
    struct fixture_job large = fixture_submit(fixture, TARGET_ALL, RUNS);
    struct fixture_job small = fixture_submit(fixture, TARGET_HOST, 1);
    assert_int_equal(ledger_begin(world->fixture.ledger), 0);
    for (uint32_t run = 0; run <= RUNS; run++) {
        struct made made = {.status = job_status_COMPLETED, .data = "{\"x\":[1,2]}"};
        struct record record =
            run < RUNS ? record_end(large.seq, run, &made) : record_end(small.seq, 0, &made);
        struct ledger_effect effect;
        record.time_us = fixture->now_us;
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(world->fixture.ledger), 0);
    fixture->now_us += 2 * HOUR_US;
    retain_rule(world->retain, &by_class);
    assert_int_equal(retain_next(world->retain, fixture->now_us, &slice), 0);
    assert_int_equal(slice.n, 2);
    buf_clear(&fixture->text);
    struct ledger_sink sink = {.take = collect, .owner = &fixture->text};
    assert_int_equal(retain_write(world->retain, &slice, &sink), 0);
    assert_int_equal(slice.n, 2);
    struct slice text = buf_slice(&fixture->text), line;
    assert_true(slice_cut(&text, '\n', &line));
    assert_int_equal(schema_check(&job_item_schema, line, JSON_VALUES_MAX_RESULT, &why), 0);
    assert_int_equal(json_check(line, JSON_VALUES_MAX_RESULT, &item, &why), 0);
    assert_true(json_member(item, "responses", &responses));
    assert_true(json_member(item, "agent_states", &states));
    assert_true(json_member(item, "timeline", &timeline));
    assert_false(json_member(item, "runs_shown", &shown));
    struct json lists[] = {responses, states};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        unsigned n = 0;
        for (struct json_walk walk = json_walk(lists[i]); json_next(&walk);)
            n++;
        assert_int_equal(n, RUNS);
    }
    unsigned n_lines = 0;
    for (struct json_walk walk = json_walk(timeline); json_next(&walk);)
        n_lines++;
    assert_int_equal(n_lines, 1 + RUNS);
    assert_true(slice_cut(&text, '\n', &line));
    assert_true(slice_is(line, fixture_item(fixture, &small.id))); /* as the API shows it */
}

static void what_changed_is_not_archived(void **state)
{
    struct world *world = *state;
    struct fixture *fixture = &world->fixture;
    struct retain_slice slice;
    uint64_t first = world_add(world, (struct made){.status = job_status_COMPLETED});
    uint64_t second = world_add(world, (struct made){.status = job_status_COMPLETED});
    uint64_t third = world_add(world, (struct made){.status = job_status_COMPLETED});

    fixture->now_us += HOUR_US;
    retain_rule(world->retain, &by_class);
    assert_int_equal(retain_next(world->retain, fixture->now_us, &slice), 0);
    fixture_apply(fixture, (struct record){.kind = RECORD_RETRIED, .job = {.seq = first}});
    fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = second}});
    buf_clear(&fixture->text);
    struct ledger_sink sink = {.take = collect, .owner = &fixture->text};
    assert_int_equal(retain_write(world->retain, &slice, &sink), 0);
    assert_int_equal(slice.n, 1);
    assert_int_equal(slice.jobs[0].seq, third);
    struct slice text = buf_slice(&fixture->text), line;
    assert_true(slice_cut(&text, '\n', &line));
    assert_int_equal(text.size, 0);
}

static int refuse_piece(void *owner, struct slice piece)
{
    (void)owner;
    (void)piece;
    return OUTCOME_UNAVAILABLE;
}

static void an_archive_that_refuses_is_heard(void **state)
{
    struct world *world = *state;
    struct ledger_sink sink = {.take = refuse_piece};
    struct retain_slice slice;

    world_add(world, (struct made){.status = job_status_COMPLETED});
    world->fixture.now_us += HOUR_US;
    retain_rule(world->retain, &by_class);
    assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
    assert_int_equal(retain_write(world->retain, &slice, &sink), OUTCOME_UNAVAILABLE);
    assert_int_equal(world_count(world).total, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(jobs_go_when_their_class_s_age_is_over),
        TEST(age_is_counted_from_the_end),
        TEST(a_status_has_an_age_of_its_own),
        TEST(of_too_many_jobs_the_oldest_go),
        TEST(live_jobs_are_never_too_many),
        TEST(what_has_just_ended_stays_for_its_reply),
        TEST(a_status_has_a_number_of_its_own),
        TEST(a_status_has_a_size_of_its_own),
        TEST(dropping_makes_room_in_the_file),
        TEST(a_slice_is_bounded),
        TEST(a_steady_stream_of_jobs_leaves_time_for_other_rules_and_rest),
        TEST(what_can_t_be_dropped_is_found_again),
        TEST(a_job_that_changed_meanwhile_stays),
        TEST(what_stays_is_not_read_again),
        TEST(young_blocks_are_not_read_at_start),
        TEST(emptied_blocks_vanish),
        TEST(the_file_does_not_grow_with_the_generations),
        TEST(the_archive_gets_every_run),
        TEST(what_changed_is_not_archived),
        TEST(an_archive_that_refuses_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
