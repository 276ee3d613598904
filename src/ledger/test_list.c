/* SPDX-License-Identifier: MIT */
/*
 * Pages: order, offsets, filters, limits; the walk over open runs; runs by host name.
 *
 * The first job of each test ends a block, the others begin the next.
 */
#include "ledger/fixture.h"

#include "base/json.h"
#include "base/mem.h"

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 3);
    assert_int_equal(ledger_begin(fixture.ledger), 0);
    fixture.ledger->meta.next_seq = BLOCK_JOBS - 1;
    assert_int_equal(ledger_commit(fixture.ledger), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

/* Ids of the page's items, in order. */
static unsigned ids_of(const char *items, struct uuid ids[LEDGER_PAGE_MAX])
{
    struct json array, id;
    unsigned n = 0;

    assert_int_equal(json_check(slice_of(items), JSON_VALUES_MAX_RESULT, &array, NULL), 0);
    for (struct json_walk walk = json_walk(array); json_next(&walk); n++) {
        assert_true(json_member(walk.value, "id", &id));
        struct slice text = {.at = id.text.at + 1, .size = id.text.size - 2};
        assert_true(uuid_parse(text, &ids[n]));
    }
    return n;
}

/* Jobs in one batch; ids[i] of the i-th. */
static void submit_many(struct fixture *fixture, uint32_t n, struct uuid *ids)
{
    static const host_number hosts[] = {1};

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (uint32_t i = 0; i < n; i++) {
        struct ledger_effect effect;
        ids[i] = uuid_make(fixture->now_us);
        struct record record = {.kind = RECORD_SUBMITTED,
                                .time_us = fixture->now_us,
                                .submitted = {.id = ids[i],
                                              .op = op_by_type("node.hostname.get"),
                                              .target = {.kind = TARGET_ANY, .text = SLICE("_any")},
                                              .user = "alice",
                                              .hosts = hosts,
                                              .n_hosts = 1}};
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void an_empty_ledger_has_an_empty_page(void **state)
{
    const char *items;
    struct ledger_page page = fixture_list(*state, NULL, 0, 10, &items);

    assert_string_equal(items, "[]");
    assert_int_equal(page.total, 0);
    for (unsigned status = 0; status < job_status_COUNT; status++)
        assert_int_equal(page.counts[status], 0);
}

static void pages_are_newest_first_at_every_offset(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job jobs[25];
    struct uuid ids[LEDGER_PAGE_MAX];
    const char *items;

    for (unsigned i = 0; i < COUNT_OF(jobs); i++)
        jobs[i] = fixture_submit(fixture, TARGET_HOST, 1);
    for (unsigned offset = 0; offset <= 26; offset++) {
        struct ledger_page page = fixture_list(fixture, NULL, offset, 10, &items);
        unsigned left = offset < 25 ? 25 - offset : 0;
        assert_int_equal(page.total, 25);
        assert_int_equal(page.n_items, left < 10 ? left : 10);
        assert_int_equal(ids_of(items, ids), page.n_items);
        for (unsigned i = 0; i < page.n_items; i++)
            assert_true(uuid_equal(&ids[i], &jobs[24 - offset - i].id));
    }
    assert_int_equal(fixture_list(fixture, NULL, UINT64_MAX, 10, NULL).n_items, 0);
    assert_int_equal(fixture_list(fixture, NULL, 0, 0, NULL).n_items, 0);
}

static void a_filter_shows_one_status_and_counts_them_all(void **state)
{
    static const enum run_state ends[] = {run_state_WAITING, run_state_STARTED, run_state_COMPLETED,
                                          run_state_SKIPPED};
    struct fixture *fixture = *state;
    struct ledger_filter filter = {0};

    for (unsigned i = 0; i < 20; i++) {
        struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
        enum run_state end = ends[i % 4];
        if (end == run_state_STARTED)
            fixture_apply(fixture, record_run(RECORD_STARTED, job.seq, 0));
        else if (end != run_state_WAITING)
            fixture_apply(fixture, record_finished(job.seq, 0, end, run_code_NONE, NULL, NULL));
    }
    for (unsigned status = 0; status < job_status_COUNT; status++) {
        bool has = status != job_status_FAILED && status != job_status_PARTIAL_FAILURE;
        filter.statuses = 1u << status;
        struct ledger_page page = fixture_list(fixture, &filter, 2, 10, NULL);
        assert_int_equal(page.total, has ? 5 : 0);
        assert_int_equal(page.n_items, has ? 3 : 0);
        assert_int_equal(page.counts[job_status_SUBMITTED], 5);
        assert_int_equal(page.counts[job_status_PROCESSING], 5);
        assert_int_equal(page.counts[job_status_COMPLETED], 5);
        assert_int_equal(page.counts[job_status_SKIPPED], 5);
        assert_int_equal(page.counts[job_status_FAILED], 0);
    }
}

#define N_MANY 70000u

static void pages_reach_across_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct uuid *ids CLEANUP(mem_freep) = mem_alloc(N_MANY * sizeof(*ids));
    struct uuid page_ids[LEDGER_PAGE_MAX];
    const char *items;

    for (uint32_t i = 0; i < N_MANY; i += 10000)
        submit_many(fixture, 10000, ids + i);
    for (unsigned pass = 0; pass < 2; pass++) {
        /* The second block is whole. */
        for (uint64_t offset = N_MANY - 1 - BLOCK_JOBS - 20; offset < N_MANY - 1 - BLOCK_JOBS + 20;
             offset++) {
            assert_int_equal(fixture_list(fixture, NULL, offset, 10, &items).n_items, 10);
            assert_int_equal(ids_of(items, page_ids), 10);
            for (unsigned i = 0; i < 10; i++)
                assert_true(uuid_equal(&page_ids[i], &ids[N_MANY - 1 - offset - i]));
        }
        assert_int_equal(fixture_list(fixture, NULL, N_MANY - 1, 10, NULL).n_items, 1);
        assert_int_equal(fixture_list(fixture, NULL, N_MANY - 2, 10, NULL).n_items, 2);
        assert_int_equal(fixture_list(fixture, NULL, 0, 1, NULL).total, N_MANY);
        fixture_reopen(fixture, pass == 0); /* from blobs, then from heads */
    }
    assert_int_equal(fixture_list(fixture, NULL, 0, 1, NULL).total, N_MANY);
}

/* ---- limits of a page ---- */

static void finish_with(struct fixture *fixture, size_t size)
{
    char *data CLEANUP(mem_freep) = mem_alloc(size + 1);
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);

    memset(data, 'x', size);
    data[0] = data[size - 1] = '"';
    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, data));
}

static void a_page_ends_at_8_mib(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 4; i++)
        finish_with(fixture, (size_t)3 << 20);
    struct ledger_page page = fixture_list(fixture, NULL, 0, 10, NULL);
    assert_int_equal(page.n_items, 2);
    assert_int_equal(page.total, 4);
    assert_int_equal(fixture_list(fixture, NULL, 2, 10, NULL).n_items, 2);
    finish_with(fixture, (size_t)9 << 20);
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).n_items, 1);
}

static void a_page_ends_where_the_caller_has_no_room(void **state)
{
    static const struct ledger_question every = {.limit = 10};
    struct fixture *fixture = *state;
    struct ledger_page page;
    struct buf items CLEANUP(buf_release);

    finish_with(fixture, 5000);
    finish_with(fixture, 5000);
    buf_init(&items, 8000);
    assert_int_equal(ledger_list(fixture->reader, &every, &page, &items), 0);
    assert_int_equal(page.n_items, 1);
    assert_false(buf_overflowed(&items));
    assert_int_equal(json_check(buf_slice(&items), JSON_VALUES_MAX, &(struct json){0}, NULL), 0);
    buf_release(&items);
    buf_init(&items, 4000);
    assert_int_equal(ledger_list(fixture->reader, &every, &page, &items), 0);
    assert_true(buf_overflowed(&items));
}

/* ---- runs ---- */

static void runs_come_in_order_of_host_names(void **state)
{
    static const char *const names[] = {"mars", "venus", "earth"};
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 3);
    struct arena arena CLEANUP(arena_release) = {0};
    struct ledger_run *runs;
    uint32_t n;

    for (uint32_t host = 1; host <= 3; host++) {
        char machine_id[40];
        snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
        fixture_apply(fixture, (struct record){.kind = RECORD_AGENT,
                                               .agent = {.host = host,
                                                         .machine_id = machine_id,
                                                         .hostname = names[host - 1],
                                                         .labels = SLICE("{}"),
                                                         .epoch = 1}});
    }
    assert_int_equal(ledger_runs(fixture->reader, &job.id, &arena, &runs, &n), 0);
    assert_int_equal(n, 3);
    assert_string_equal(runs[0].hostname, "earth");
    assert_int_equal(runs[0].run, 2);
    assert_string_equal(runs[1].hostname, "mars");
    assert_int_equal(runs[1].run, 0);
    assert_string_equal(runs[2].hostname, "venus");
    assert_int_equal(runs[2].run, 1);
}

static void one_run_is_found_without_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_job all = fixture_submit(fixture, TARGET_ALL, 2);
    struct fixture_job one = fixture_submit(fixture, TARGET_HOST, 1);
    struct run_point at;
    host_number host;

    assert_int_equal(ledger_run_point(fixture->reader, &all.id, 1, &host, &at), 0);
    assert_int_equal(host, 2);
    assert_int_equal(at.state, run_state_WAITING); /* it has no row yet */
    assert_int_equal(ledger_run_point(fixture->reader, &all.id, 2, &host, &at), OUTCOME_NOT_FOUND);
    assert_int_equal(ledger_run_point(fixture->reader, &one.id, 0, &host, &at), 0);
    assert_int_equal(host, 1);
    one.id.bytes[15] ^= 1;
    assert_int_equal(ledger_run_point(fixture->reader, &one.id, 0, &host, &at), OUTCOME_NOT_FOUND);
}

struct walk {
    uint64_t last_seq;
    unsigned n, stop_at;
};

static int count_run(void *owner, const struct ledger_job *job, const struct ledger_run *run)
{
    struct walk *walk = owner;

    assert_true(job->seq >= walk->last_seq);
    assert_false(run_state_is_final(run->at.state));
    assert_string_equal(run->hostname, run->host == 1 ? "web-01" : "web-02");
    assert_string_equal(job->user, "alice");
    walk->last_seq = job->seq;
    return ++walk->n == walk->stop_at ? 42 : 0;
}

static void every_open_run_is_walked_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct walk walk = {0};
    struct walk short_walk = {.stop_at = 3};

    for (unsigned i = 0; i < 150; i++) {
        struct fixture_job job = fixture_submit(fixture, TARGET_ALL, 2);
        if (i % 3 != 0)
            fixture_apply(fixture, record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE,
                                                   NULL, NULL));
        if (i % 3 == 2)
            fixture_apply(fixture, record_finished(job.seq, 1, run_state_COMPLETED, run_code_NONE,
                                                   NULL, NULL));
    }
    assert_int_equal(ledger_each_open_run(fixture->reader, count_run, &walk), 0);
    assert_int_equal(walk.n, 50 * 2 + 50);
    assert_int_equal(ledger_each_open_run(fixture->reader, count_run, &short_walk), 42);
    assert_int_equal(short_walk.n, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_empty_ledger_has_an_empty_page),
        TEST(pages_are_newest_first_at_every_offset),
        TEST(a_filter_shows_one_status_and_counts_them_all),
        TEST(pages_reach_across_blocks),
        TEST(a_page_ends_at_8_mib),
        TEST(a_page_ends_where_the_caller_has_no_room),
        TEST(runs_come_in_order_of_host_names),
        TEST(one_run_is_found_without_the_others),
        TEST(every_open_run_is_walked_oldest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
