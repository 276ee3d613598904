/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints: what is derived from heads and `hosts` is written down, for the next start and for
 * filters by host.
 *
 * Nothing is lost without them: what was not written is made again at start, or searched for in
 * heads.
 */
#include "ledger/hostruns.h"

#include <errno.h>

/* ---- blobs ---- */

/* An empty block has none, and no rows of hosts: no job will ever be in it again. */
static int block_delete(struct ledger *ledger, uint64_t number)
{
    int r = table_delete(&ledger->txn, TABLE_BLOCKS, u64_slice(&number));

    if (r && r != OUTCOME_NOT_FOUND)
        return r;
    return hostruns_delete(ledger, number);
}

static int block_write(struct ledger *ledger, uint64_t number, const struct block *block)
{
    buf_clear(&ledger->row);
    block_encode(block, &ledger->row);
    if (buf_overflowed(&ledger->row))
        return FAULT(-EFBIG);
    return table_put(&ledger->txn, TABLE_BLOCKS, u64_slice(&number), buf_slice(&ledger->row));
}

static int block_checkpoint(struct ledger *ledger, uint64_t number, const struct block *block)
{
    int r = block_count(block, DIMENSION_ALL, 0) == 0 ? block_delete(ledger, number)
                                                      : block_write(ledger, number, block);

    if (!r)
        r = table_delete(&ledger->txn, TABLE_DIRTY, u64_slice(&number));
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* *ret_end: slots before it are clean. */
static int blocks_checkpoint(struct ledger *ledger, unsigned blocks_max, size_t *ret_end)
{
    const struct blocks *blocks = &ledger->blocks;
    unsigned n = 0;
    size_t end = 0;
    int r = 0;

    for (; !r && end < blocks->n && n < blocks_max; end++) {
        if (!blocks->v[end].dirty)
            continue;
        r = block_checkpoint(ledger, blocks->first + end, blocks->v[end].block);
        n++;
    }
    *ret_end = end;
    return r;
}

/* ---- rows of hosts ---- */

/* Of the block that is being filled now. */
static uint64_t last_block(const struct ledger *ledger)
{
    return ledger->meta.next_seq / BLOCK_JOBS;
}

/* 0 when nothing had to be written. */
static int hostruns_checkpoint_block(struct ledger *ledger, uint64_t number, bool *ret_wrote)
{
    const struct blocks *blocks = &ledger->blocks;
    const struct block *block = blocks->v[number - blocks->first].block;
    bool written;

    *ret_wrote = false;
    if (!block || block_count(block, DIMENSION_ALL, 0) == 0)
        return 0;
    int r = hostruns_is_written(&ledger->txn, number, &written);
    if (r || written)
        return r;
    r = hostruns_write(ledger, number);
    *ret_wrote = r == 0;
    return r == OUTCOME_TOO_LARGE ? 0 : r;
}

/* One block at a time: it takes tens of milliseconds. */
static int hostruns_checkpoint(struct ledger *ledger, uint64_t *ret_next)
{
    const struct blocks *blocks = &ledger->blocks;
    uint64_t number = ledger->hostruns_next > blocks->first ? ledger->hostruns_next : blocks->first;
    bool wrote = false;

    for (; !wrote && number < last_block(ledger) && number < blocks->first + blocks->n; number++) {
        int r = hostruns_checkpoint_block(ledger, number, &wrote);
        if (r)
            return r;
    }
    *ret_next = wrote ? number : last_block(ledger);
    return 0;
}

/* ---- both ---- */

int ledger_checkpoint(struct ledger *ledger, unsigned blocks_max)
{
    uint64_t hostruns_next = 0;
    size_t end = 0;

    store_drop_dead_readers(ledger->store);
    int r = ledger_begin(ledger);
    if (r)
        return r;
    r = blocks_checkpoint(ledger, blocks_max, &end);
    if (!r)
        r = hostruns_checkpoint(ledger, &hostruns_next);
    if (r) {
        ledger_abort(ledger);
        return r;
    }
    r = batch_write(ledger);
    if (r)
        return r;
    ledger->hostruns_next = hostruns_next;
    /* Readers do not look at it. Cleared before blocks_trim(). */
    for (size_t i = 0; i < end; i++)
        ledger->blocks.v[i].dirty = false;
    ledger_publish(ledger);
    return 0;
}

bool ledger_is_behind(const struct ledger *ledger)
{
    const struct blocks *blocks = &ledger->blocks;

    if (ledger->hostruns_next < last_block(ledger))
        return true;
    for (size_t i = 0; i < blocks->n; i++) {
        if (blocks->v[i].dirty)
            return true;
    }
    return false;
}
