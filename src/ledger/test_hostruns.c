/* SPDX-License-Identifier: MIT */
/*
 * Which jobs of a block a host has a run of: by rows, by heads, and that both stay the same.
 */
#include "ledger/fixture.h"

#include "base/mem.h"
#include "ledger/bits.h"
#include "ledger/hostruns.h"
#include "ledger/verify.h"

#include <roaring/roaring.h>

#define N_HOSTS 5u
#define BLOCK   2u
/* So many jobs before the end of the block. */
#define N_LEFT 30u

static void set_next_seq(struct fixture *fixture, uint64_t seq)
{
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    fixture->ledger->meta.next_seq = seq;
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, N_HOSTS);
    set_next_seq(&fixture, (BLOCK + 1) * (uint64_t)BLOCK_JOBS - N_LEFT);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

/* Jobs to 1 … N_HOSTS hosts in turn. */
static void submit(struct fixture *fixture, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fixture_submit(fixture, i % N_HOSTS ? TARGET_ALL : TARGET_HOST, 1 + i % N_HOSTS);
}

static void checkpoint(struct fixture *fixture)
{
    assert_int_equal(ledger_checkpoint(fixture->ledger, 100), 0);
}

static bool is_written(struct fixture *fixture, uint64_t block)
{
    bool written = false;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(hostruns_is_written(&fixture->ledger->txn, block, &written), 0);
    ledger_abort(fixture->ledger);
    return written;
}

/* What the rows say; *ret_scanned what the heads do. */
static roaring_bitmap_t *read_both(struct fixture *fixture, uint64_t block, host_number host,
                                   roaring_bitmap_t **ret_scanned)
{
    roaring_bitmap_t *rows;
    uint32_t from = 0;

    *ret_scanned = bits_new();
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(hostruns_read(&fixture->ledger->txn, block, host, &rows), 0);
    assert_int_equal(hostruns_scan(&fixture->ledger->txn, block, host, &from, *ret_scanned), 0);
    ledger_abort(fixture->ledger);
    return rows;
}

static void expect_rows_as_heads(struct fixture *fixture, uint64_t block)
{
    for (host_number host = 1; host <= N_HOSTS; host++) {
        roaring_bitmap_t *scanned;
        roaring_bitmap_t *rows = read_both(fixture, block, host, &scanned);
        assert_true(roaring_bitmap_equals(rows, scanned));
        roaring_bitmap_free(rows);
        roaring_bitmap_free(scanned);
    }
}

/* Of the rows. */
static bool has(struct fixture *fixture, uint64_t seq, host_number host)
{
    roaring_bitmap_t *scanned;
    roaring_bitmap_t *rows = read_both(fixture, seq / BLOCK_JOBS, host, &scanned);
    bool found = roaring_bitmap_contains(rows, (uint32_t)(seq % BLOCK_JOBS));

    roaring_bitmap_free(rows);
    roaring_bitmap_free(scanned);
    return found;
}

static uint64_t n_rows(struct fixture *fixture)
{
    uint64_t n;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_count(&fixture->ledger->txn, TABLE_HOSTRUNS, &n), 0);
    ledger_abort(fixture->ledger);
    return n;
}

static void rows_are_written_once_the_block_is_full(void **state)
{
    struct fixture *fixture = *state;

    submit(fixture, N_LEFT - 1);
    checkpoint(fixture);
    assert_false(is_written(fixture, BLOCK));
    assert_false(ledger_is_behind(fixture->ledger));
    submit(fixture, 1); /* the last of the block */
    assert_true(ledger_is_behind(fixture->ledger));
    checkpoint(fixture);
    assert_true(is_written(fixture, BLOCK));
    assert_false(ledger_is_behind(fixture->ledger));
    assert_int_equal(n_rows(fixture), N_HOSTS + 1);
    expect_rows_as_heads(fixture, BLOCK);
    fixture_expect_sound(fixture);
    submit(fixture, 3);
    checkpoint(fixture);
    assert_false(is_written(fixture, BLOCK + 1));
}

static void a_host_without_a_run_has_no_row(void **state)
{
    struct fixture *fixture = *state;
    roaring_bitmap_t *scanned;

    for (unsigned i = 0; i < N_LEFT; i++)
        fixture_submit(fixture, TARGET_HOST, 1);
    checkpoint(fixture);
    assert_int_equal(n_rows(fixture), 2);
    roaring_bitmap_t *rows = read_both(fixture, BLOCK, 2, &scanned);
    assert_true(roaring_bitmap_is_empty(rows) && roaring_bitmap_is_empty(scanned));
    roaring_bitmap_free(rows);
    roaring_bitmap_free(scanned);
}

static void a_scan_goes_on_where_it_ended(void **state)
{
    struct fixture *fixture = *state;
    struct txn *txn = &fixture->ledger->txn;
    roaring_bitmap_t *bits = bits_new();
    uint32_t from = 0;

    submit(fixture, 5);
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(hostruns_scan(txn, BLOCK, 1, &from, bits), 0);
    ledger_abort(fixture->ledger);
    assert_int_equal(roaring_bitmap_get_cardinality(bits), 5);
    assert_int_equal(from, BLOCK_JOBS - N_LEFT + 5);
    submit(fixture, N_LEFT);
    roaring_bitmap_clear(bits); /* only what is new comes */
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(hostruns_scan(txn, BLOCK, 1, &from, bits), 0);
    assert_int_equal(from, BLOCK_JOBS);
    assert_int_equal(roaring_bitmap_get_cardinality(bits), N_LEFT - 5);
    assert_int_equal(hostruns_scan(txn, BLOCK, 1, &from, bits), 0);
    assert_int_equal(from, BLOCK_JOBS);
    from = 0;
    assert_int_equal(hostruns_scan(txn, BLOCK + 7, 1, &from, bits), 0);
    assert_int_equal(from, 0);
    ledger_abort(fixture->ledger);
    roaring_bitmap_free(bits);
}

static void move(struct fixture *fixture, uint64_t seq, host_number host)
{
    fixture_apply(fixture,
                  (struct record){.kind = RECORD_MOVED, .run = {.seq = seq, .host = host}});
}

static void rows_follow_a_run_that_moves(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job early = fixture_submit(fixture, TARGET_ANY, 1);
    uint64_t version = fixture->ledger->moved_version;

    move(fixture, early.seq, 2); /* before there are rows */
    assert_true(fixture->ledger->moved_version > version);
    struct fixture_job late = fixture_submit(fixture, TARGET_ANY, 1);
    submit(fixture, N_LEFT);
    checkpoint(fixture);
    assert_true(has(fixture, early.seq, 2) && !has(fixture, early.seq, 1));
    assert_true(has(fixture, late.seq, 1));
    move(fixture, late.seq, 3);
    assert_true(has(fixture, late.seq, 3) && !has(fixture, late.seq, 1));
    expect_rows_as_heads(fixture, BLOCK);
    fixture_expect_sound(fixture);
}

static void a_row_comes_and_goes_with_its_only_run(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ANY, 1);

    move(fixture, job.seq, 4);
    for (unsigned i = 1; i < N_LEFT; i++)
        fixture_submit(fixture, TARGET_HOST, 1);
    checkpoint(fixture);
    assert_int_equal(n_rows(fixture), 3);
    move(fixture, job.seq, 5);
    assert_int_equal(n_rows(fixture), 3);
    assert_true(has(fixture, job.seq, 5) && !has(fixture, job.seq, 4));
    move(fixture, job.seq, 1);
    assert_int_equal(n_rows(fixture), 2);
    fixture_expect_sound(fixture);
}

static void delete_from(struct fixture *fixture, uint64_t seq, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = seq + i}});
}

static void rows_go_when_the_block_is_empty(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = fixture->ledger->meta.next_seq;

    submit(fixture, N_LEFT + 2);
    checkpoint(fixture);
    delete_from(fixture, first, N_LEFT - 1);
    checkpoint(fixture);
    assert_int_equal(n_rows(fixture), N_HOSTS + 1); /* with jobs that are gone */
    assert_true(has(fixture, first, 1));
    fixture_expect_sound(fixture);
    delete_from(fixture, first + N_LEFT - 1, 1);
    fixture_expect_sound(fixture); /* they go with the next checkpoint */
    fixture_reopen(fixture, false);
    checkpoint(fixture);
    assert_int_equal(n_rows(fixture), 0);
    assert_int_equal(fixture->ledger->blocks.first, BLOCK + 1);
    fixture_expect_sound(fixture);
}

/* As an older program left them. */
static void old_blocks_get_their_rows_one_by_one(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned block = BLOCK; block < BLOCK + 3; block++) {
        submit(fixture, 3);
        set_next_seq(fixture, (block + 1) * (uint64_t)BLOCK_JOBS + 5);
    }
    submit(fixture, 1);
    for (unsigned block = BLOCK; block < BLOCK + 3; block++) {
        assert_true(ledger_is_behind(fixture->ledger));
        checkpoint(fixture);
        assert_true(is_written(fixture, block));
        assert_false(is_written(fixture, block + 1));
        if (block == BLOCK) /* a start begins again, and finds what is there */
            fixture_reopen(fixture, false);
    }
    checkpoint(fixture);
    assert_false(ledger_is_behind(fixture->ledger));
    fixture_expect_sound(fixture);
}

/* ---- damage ---- */

static void bytes_that_are_no_set_are_damage(void **state)
{
    struct fixture *fixture = *state;
    struct ledger *ledger = fixture->ledger;
    struct run_key key = run_key(BLOCK, 1), mark = run_key(BLOCK, 0);
    roaring_bitmap_t *bits;
    bool written;

    assert_int_equal(ledger_begin(ledger), 0);
    assert_int_equal(table_put(&ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key), SLICE("none")),
                     0);
    assert_true(hostruns_read(&ledger->txn, BLOCK, 1, &bits) < 0);
    assert_int_equal(table_put(&ledger->txn, TABLE_HOSTRUNS, run_key_slice(&mark), SLICE("\2")), 0);
    assert_true(hostruns_is_written(&ledger->txn, BLOCK, &written) < 0);
    ledger_abort(ledger);
}

/* ---- what a check finds ---- */

/* Exactly one, with these words. */
static void expect_finding(const struct fixture *fixture, uint64_t block, const char *part)
{
    struct verify_report report;
    struct refusal why;
    char begin[40];

    assert_int_equal(ledger_verify(fixture->dir, &report, &why), 0);
    snprintf(begin, sizeof(begin), "hostruns, block %u: ", (unsigned)block);
    if (report.n_findings != 1 || strncmp(report.shown[0], begin, strlen(begin)) != 0 ||
        !strstr(report.shown[0], part))
        fail_msg("%u findings, the first: %s", (unsigned)report.n_findings, report.shown[0]);
}

static void put_row(struct fixture *fixture, uint64_t block, host_number host, struct slice row)
{
    struct run_key key = run_key(block, host);

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_put(&fixture->ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key), row), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void drop_row(struct fixture *fixture, uint64_t block, host_number host)
{
    struct run_key key = run_key(block, host);

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_delete(&fixture->ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key)), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void put_positions(struct fixture *fixture, host_number host, uint64_t first, uint64_t last)
{
    roaring_bitmap_t *bits = bits_new();

    for (uint64_t seq = first; seq <= last; seq++)
        roaring_bitmap_add(bits, (uint32_t)(seq % BLOCK_JOBS));
    buf_clear(&fixture->text);
    bits_encode(bits, &fixture->text);
    roaring_bitmap_free(bits);
    put_row(fixture, first / BLOCK_JOBS, host, buf_slice(&fixture->text));
}

/* The last two jobs of the block are there: one of host 1, one of hosts 1 and 2. The first of them:
 */
static uint64_t two_jobs(struct fixture *fixture)
{
    set_next_seq(fixture, (BLOCK + 1) * (uint64_t)BLOCK_JOBS - 2);
    uint64_t first = fixture_submit(fixture, TARGET_HOST, 1).seq;
    fixture_submit(fixture, TARGET_ALL, 2);
    checkpoint(fixture);
    fixture_expect_sound(fixture);
    return first;
}

static void rows_that_disagree_with_heads_are_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = two_jobs(fixture);

    put_positions(fixture, 2, first, first + 1);
    expect_finding(fixture, BLOCK, "host 2: it has no run of a job there");
    put_positions(fixture, 2, first - 9, first - 1);
    expect_finding(fixture, BLOCK, "host 2: a job of it is missing");
    put_positions(fixture, 2, first + 1, first + 1);
    put_positions(fixture, 3, first - 9, first - 1);
    fixture_expect_sound(fixture); /* these jobs may have been there */
    put_positions(fixture, N_HOSTS + 1, first - 9, first - 1);
    expect_finding(fixture, BLOCK, "host 6: there is no such host");
}

static void rows_that_are_missing_or_none_are_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = two_jobs(fixture);

    put_row(fixture, BLOCK, 1, SLICE("none"));
    expect_finding(fixture, BLOCK, "host 1: its row can't be decoded");
    drop_row(fixture, BLOCK, 1);
    expect_finding(fixture, BLOCK, "host 1: its row is missing");
    put_positions(fixture, 1, first, first + 1);
    drop_row(fixture, BLOCK, 2);
    expect_finding(fixture, BLOCK, "host 2: its row is missing");
    put_positions(fixture, 2, first + 1, first + 1);
    fixture_expect_sound(fixture);
    drop_row(fixture, BLOCK, 0);
    expect_finding(fixture, BLOCK, "nothing says that its rows are all there");
}

static void rows_of_a_block_that_is_not_full_or_empty_are_found(void **state)
{
    struct fixture *fixture = *state;

    two_jobs(fixture);
    put_row(fixture, BLOCK + 1, 0, SLICE("\1"));
    expect_finding(fixture, BLOCK + 1, "not full");
    drop_row(fixture, BLOCK + 1, 0);
    put_row(fixture, BLOCK - 1, 0, SLICE("\1"));
    expect_finding(fixture, BLOCK - 1, "no jobs in it");
}

/* ---- a block with more runs than rows are written for ---- */

#define MANY_HOSTS 2000u

static void submit_many(struct fixture *fixture, unsigned n)
{
    static host_number hosts[MANY_HOSTS];
    struct ledger_effect effect;

    for (uint32_t i = 0; i < MANY_HOSTS; i++)
        hosts[i] = i + 1;
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (unsigned i = 0; i < n; i++) {
        struct record record = {.kind = RECORD_SUBMITTED,
                                .time_us = fixture->now_us,
                                .submitted = {.id = uuid_make(fixture->now_us),
                                              .op = op_by_type("node.hostname.get"),
                                              .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                                              .user = "alice",
                                              .hosts = hosts,
                                              .n_hosts = MANY_HOSTS}};
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void a_block_with_too_many_runs_is_left_to_scans(void **state)
{
    struct fixture fixture;
    unsigned n = HOSTRUNS_MAX / MANY_HOSTS + 1;
    roaring_bitmap_t *scanned;

    (void)state;
    fixture_make(&fixture);
    fixture_add_hosts(&fixture, MANY_HOSTS);
    set_next_seq(&fixture, (uint64_t)BLOCK_JOBS - n);
    submit_many(&fixture, n);
    checkpoint(&fixture);
    assert_false(is_written(&fixture, 0));
    assert_false(ledger_is_behind(fixture.ledger));
    roaring_bitmap_t *rows = read_both(&fixture, 0, MANY_HOSTS, &scanned);
    assert_true(roaring_bitmap_is_empty(rows));
    assert_int_equal(roaring_bitmap_get_cardinality(scanned), n);
    roaring_bitmap_free(rows);
    roaring_bitmap_free(scanned);
    fixture_release(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(rows_are_written_once_the_block_is_full),
        TEST(a_host_without_a_run_has_no_row),
        TEST(a_scan_goes_on_where_it_ended),
        TEST(rows_follow_a_run_that_moves),
        TEST(a_row_comes_and_goes_with_its_only_run),
        TEST(rows_go_when_the_block_is_empty),
        TEST(old_blocks_get_their_rows_one_by_one),
        TEST(bytes_that_are_no_set_are_damage),
        TEST(rows_that_disagree_with_heads_are_found),
        TEST(rows_that_are_missing_or_none_are_found),
        TEST(rows_of_a_block_that_is_not_full_or_empty_are_found),
        cmocka_unit_test(a_block_with_too_many_runs_is_left_to_scans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
