/* SPDX-License-Identifier: MIT */
/*
 * What must hold of `hostruns`: a block has all of its rows or none, and they say what heads and
 * `hosts` say, but for jobs that are deleted.
 *
 * Memory is that of one block.
 */
#include "ledger/verify_inside.h"

#include "ledger/bits.h"
#include "ledger/hostruns.h"

#include <roaring/roaring.h>

struct rows {
    struct verify *verify;
    struct walk walk;
    uint64_t block;
    struct host_positions expected;
    host_number last; /* host of the row before */
};

static void say(struct rows *rows, host_number host, const char *text)
{
    verify_say(rows->verify, TABLE_HOSTRUNS, rows->block, "host %u: %s", (unsigned)host, text);
}

static uint32_t n_expected(const struct rows *rows, host_number host)
{
    const struct host_positions *expected = &rows->expected;

    return host <= expected->n_hosts ? expected->starts[host + 1] - expected->starts[host] : 0;
}

/* Hosts after the last row and before `host` have none. */
static void check_missing(struct rows *rows, host_number host)
{
    for (host_number at = rows->last + 1; at < host && at <= rows->expected.n_hosts; at++) {
        if (n_expected(rows, at) > 0)
            say(rows, at, "its row is missing");
    }
    rows->last = host;
}

static const char *row_fault(const struct rows *rows, host_number host,
                             const roaring_bitmap_t *bits)
{
    const struct host_positions *expected = &rows->expected;
    uint32_t n = n_expected(rows, host), n_there = 0;
    roaring_uint32_iterator_t at;

    for (uint32_t i = 0; i < n; i++) {
        if (!roaring_bitmap_contains(bits, expected->v[expected->starts[host] + i]))
            return "a job of it is missing";
    }
    roaring_init_iterator(bits, &at);
    for (; at.has_value; roaring_advance_uint32_iterator(&at))
        n_there += expected->there[at.current_value];
    return n_there > n ? "it has no run of a job there" : NULL;
}

static void check_row(struct rows *rows)
{
    host_number host = rows->walk.run;
    roaring_bitmap_t *bits;

    if (host > rows->expected.n_hosts) {
        say(rows, host, "there is no such host");
        return;
    }
    check_missing(rows, host);
    if (bits_decode(rows->walk.value, &bits)) {
        say(rows, host, "its row can't be decoded");
        return;
    }
    const char *wrong = row_fault(rows, host, bits);
    if (wrong)
        say(rows, host, wrong);
    roaring_bitmap_free(bits);
}

static bool block_has_jobs(const struct rows *rows)
{
    for (uint32_t position = 0; position < BLOCK_JOBS; position++) {
        if (rows->expected.there[position])
            return true;
    }
    return false;
}

static const char *block_fault(struct rows *rows)
{
    const struct walk *walk = &rows->walk;

    if (walk->run != 0 || hostruns_mark_decode(walk->value))
        return "nothing says that its rows are all there";
    if (!block_has_jobs(rows) && !verify_is_dirty(rows->verify, rows->block))
        return "there are no jobs in it";
    return NULL;
}

/* The walk stands at the block's first row. */
static void check_rows(struct rows *rows)
{
    struct walk *walk = &rows->walk;
    const char *wrong = block_fault(rows);

    if (wrong) {
        verify_say(rows->verify, TABLE_HOSTRUNS, rows->block, "%s", wrong);
        return;
    }
    rows->last = 0;
    for (walk_next(walk); walk->here && walk->number == rows->block; walk_next(walk))
        check_row(rows);
    if (!walk->broken)
        check_missing(rows, UINT32_MAX);
}

static void check_block(struct rows *rows)
{
    struct verify *verify = rows->verify;

    rows->block = rows->walk.number;
    if (rows->block >= verify->meta.next_seq / BLOCK_JOBS)
        verify_say(verify, TABLE_HOSTRUNS, rows->block, "it is not full yet");
    else if (host_positions_read(&verify->txn, rows->block, verify->meta.n_hosts,
                                 &rows->expected) == 0)
        check_rows(rows); /* else its heads are damaged, which was said before */
    host_positions_release(&rows->expected);
    while (rows->walk.here && rows->walk.number == rows->block)
        walk_next(&rows->walk);
}

void verify_hostruns(struct verify *verify)
{
    struct rows rows = {.verify = verify};
    uint64_t n_hosts;

    /* So that what is reserved is bounded by the file; and it was said before. */
    if (table_count(&verify->txn, TABLE_AGENTS, &n_hosts) || n_hosts != verify->meta.n_hosts ||
        n_hosts > verify->n_pages * 4096)
        return;
    for (rows.walk = walk_begin(verify, TABLE_HOSTRUNS); rows.walk.here;)
        check_block(&rows);
    walk_check_count(&rows.walk);
}
