/* SPDX-License-Identifier: MIT */
/*
 * The tests' retention.
 */
#include "ledger/fixture_retain.h"

#include "base/mem.h"

const struct op unknown_op = {.type = "node.forgotten.get", .class = CLASS_QUERY};

int world_setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));

    fixture_make(&world->fixture);
    fixture_add_hosts(&world->fixture, 3);
    assert_int_equal(retain_open(world->fixture.ledger, &world->retain), 0);
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    struct world *world = *state;

    retain_close(world->retain);
    fixture_release(&world->fixture);
    mem_free(world);
    return 0;
}

void world_reopen(struct world *world, bool orderly)
{
    retain_close(world->retain);
    fixture_reopen(&world->fixture, orderly);
    assert_int_equal(retain_open(world->fixture.ledger, &world->retain), 0);
}

/* ---- jobs ---- */

struct record record_end(uint64_t seq, uint32_t run, const struct made *made)
{
    bool fails = made->status == job_status_FAILED ||
                 (made->status == job_status_PARTIAL_FAILURE && run == 0);

    if (fails)
        return record_finished(seq, run, run_state_FAILED, run_code_ERROR, "it broke", NULL);
    if (made->status == job_status_SKIPPED)
        return record_finished(seq, run, run_state_SKIPPED, run_code_NONE, "not here", NULL);
    return record_finished(seq, run, run_state_COMPLETED, run_code_NONE, NULL, made->data);
}

static struct ledger_effect apply(struct fixture *fixture, struct record record)
{
    struct ledger_effect effect;

    record.time_us = fixture->now_us++;
    assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    return effect;
}

uint64_t world_add_in_batch(struct world *world, const struct made *made)
{
    static const host_number hosts[] = {1, 2, 3};
    struct fixture *fixture = &world->fixture;
    uint32_t n_hosts = made->n_hosts ? made->n_hosts : 1;
    struct record record = {
        .kind = RECORD_SUBMITTED,
        .submitted = {.id = uuid_make(fixture->now_us),
                      .op = made->op ? made->op : op_by_type("node.hostname.get"),
                      .data = SLICE("{\"a\":1}"),
                      .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                      .user = "alice",
                      .hosts = hosts,
                      .n_hosts = n_hosts},
    };
    uint64_t seq = apply(fixture, record).seq;

    for (uint32_t run = 0; run < n_hosts && made->status != job_status_SUBMITTED; run++)
        apply(fixture, record_end(seq, run, made));
    return seq;
}

uint64_t world_add(struct world *world, struct made made)
{
    assert_int_equal(ledger_begin(world->fixture.ledger), 0);
    uint64_t seq = world_add_in_batch(world, &made);
    assert_int_equal(ledger_commit(world->fixture.ledger), 0);
    return seq;
}

void world_add_many(struct world *world, unsigned n, struct made made)
{
    for (unsigned i = 0; i < n; i++) {
        if (i % 1000 == 0)
            assert_int_equal(ledger_begin(world->fixture.ledger), 0);
        world_add_in_batch(world, &made);
        if (i % 1000 == 999 || i == n - 1)
            assert_int_equal(ledger_commit(world->fixture.ledger), 0);
    }
}

bool world_head(struct world *world, uint64_t seq, struct head *ret)
{
    assert_int_equal(reader_begin(world->fixture.reader, NULL, NULL), 0);
    int r = head_get(&world->fixture.reader->txn, seq, ret);
    reader_end(world->fixture.reader);
    assert_true(r == 0 || r == OUTCOME_NOT_FOUND);
    return r == 0;
}

bool world_has(struct world *world, uint64_t seq)
{
    struct head head;

    return world_head(world, seq, &head);
}

/* Not by fixture_list(): what another version had is no operation in a reply. */
struct ledger_page world_count(struct world *world)
{
    struct ledger_question all = {.limit = 0};
    struct ledger_page page;
    struct buf *items = &world->fixture.text;

    buf_clear(items);
    assert_int_equal(ledger_list(world->fixture.reader, &all, &page, items), 0);
    all.at = page.total / 2;
    all.limit = 5;
    assert_int_equal(ledger_list(world->fixture.reader, &all, &page, items), 0);
    assert_int_equal(page.n_items, page.total - all.at < 5 ? page.total - all.at : 5);
    return page;
}

/* ---- retention ---- */

uint32_t world_drop(struct world *world, const struct retain_slice *slice)
{
    struct record record = {.kind = RECORD_DROPPED,
                            .dropped = {.jobs = slice->jobs, .n = slice->n}};

    for (uint32_t i = 1; i < slice->n; i++)
        assert_true(slice->jobs[i - 1].seq < slice->jobs[i].seq);
    return fixture_apply(&world->fixture, record).n_dropped;
}

uint64_t world_clean(struct world *world)
{
    struct retain_slice slice;
    uint64_t n = 0;

    world->n_steps = 0;
    memset(world->n_dropped, 0, sizeof(world->n_dropped));
    do {
        assert_int_equal(retain_next(world->retain, world->fixture.now_us, &slice), 0);
        assert_true(slice.n <= RECORD_DROPPED_MAX);
        assert_true(slice.n == 0 || slice.more);
        world->n_steps++;
        if (slice.n == 0)
            continue;
        assert_int_equal(world_drop(world, &slice), slice.n);
        world->n_dropped[slice.reason] += slice.n;
        n += slice.n;
    } while (slice.more);
    return n;
}

uint64_t world_clean_by(struct world *world, struct config_retention rules)
{
    retain_rule(world->retain, &rules);
    return world_clean(world);
}
