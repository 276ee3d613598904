/* SPDX-License-Identifier: MIT */
/*
 * All blocks, in an array that begins with the oldest one that has jobs, and the totals over them.
 *
 * Whatever readers call here runs under the ledger's lock: a walk over cardinalities, then one
 * block.
 */
#include "base/mem.h"
#include "ledger/select.h"

#include <assert.h>

void blocks_release(struct blocks *blocks)
{
    for (size_t i = 0; i < blocks->n; i++)
        block_free(blocks->v[i].block);
    mem_free(blocks->v);
    *blocks = (struct blocks){0};
}

static void blocks_reserve(struct blocks *blocks, size_t n)
{
    if (n <= blocks->room)
        return;
    blocks->room = n < 16 ? 16 : n + n / 2;
    blocks->v = mem_realloc(blocks->v, blocks->room * sizeof(*blocks->v));
}

/* The slot of a block, made when it is not there. */
static struct block_slot *blocks_slot(struct blocks *blocks, uint64_t number)
{
    if (blocks->n == 0)
        blocks->first = number;
    if (number < blocks->first) {
        size_t n_older = (size_t)(blocks->first - number);
        blocks_reserve(blocks, blocks->n + n_older);
        memmove(blocks->v + n_older, blocks->v, blocks->n * sizeof(*blocks->v));
        memset(blocks->v, 0, n_older * sizeof(*blocks->v));
        blocks->n += n_older;
        blocks->first = number;
    }
    size_t at = (size_t)(number - blocks->first);
    if (at >= blocks->n) {
        blocks_reserve(blocks, at + 1);
        memset(blocks->v + blocks->n, 0, (at + 1 - blocks->n) * sizeof(*blocks->v));
        blocks->n = at + 1;
    }
    return &blocks->v[at];
}

void blocks_add(struct blocks *blocks, uint64_t number, struct block *block, bool dirty)
{
    struct block_slot *slot = blocks_slot(blocks, number);

    assert(!slot->block);
    *slot = (struct block_slot){.block = block, .dirty = dirty, .version = ++blocks->last_version};
    for (unsigned status = 0; status < job_status_COUNT; status++) {
        slot->counts[status] = block_count(block, DIMENSION_STATUS, status);
        blocks->totals[status] += slot->counts[status];
    }
    blocks->total += block_count(block, DIMENSION_ALL, 0);
}

void blocks_move(struct blocks *blocks, uint64_t seq, const struct head *before,
                 const struct head *after)
{
    struct block_slot *slot = blocks_slot(blocks, seq / BLOCK_JOBS);

    if (!slot->block)
        slot->block = block_new();
    slot->dirty = true;
    slot->version = ++blocks->last_version;
    block_move(slot->block, (uint16_t)(seq % BLOCK_JOBS), before, after);
    if (before) {
        slot->counts[head_status(before)]--;
        blocks->totals[head_status(before)]--;
        blocks->total--;
    }
    if (after) {
        slot->counts[head_status(after)]++;
        blocks->totals[head_status(after)]++;
        blocks->total++;
    }
}

bool blocks_is_dirty(const struct blocks *blocks, uint64_t number)
{
    if (number < blocks->first || number - blocks->first >= blocks->n)
        return false;
    return blocks->v[number - blocks->first].dirty;
}

void blocks_trim(struct blocks *blocks)
{
    size_t n_gone = 0;

    for (size_t i = 0; i < blocks->n; i++) {
        struct block_slot *slot = &blocks->v[i];
        if (slot->block && !slot->dirty && block_count(slot->block, DIMENSION_ALL, 0) == 0)
            slot->block = block_free(slot->block);
    }
    while (n_gone < blocks->n && !blocks->v[n_gone].block)
        n_gone++;
    if (n_gone == 0)
        return;
    blocks->n -= n_gone;
    blocks->first += n_gone;
    memmove(blocks->v, blocks->v + n_gone, blocks->n * sizeof(*blocks->v));
}

unsigned blocks_from(const struct blocks *blocks, unsigned statuses, uint64_t seq, unsigned limit,
                     uint64_t *ret)
{
    uint32_t values[job_status_COUNT];
    const struct block_term term = term_of_statuses(statuses, values);
    uint16_t positions[BLOCKS_PAGE_MAX];
    uint64_t first = seq / BLOCK_JOBS;
    unsigned n = 0;

    assert(limit <= BLOCKS_PAGE_MAX);
    size_t at = first > blocks->first ? (size_t)(first - blocks->first) : 0;
    for (; at < blocks->n && n < limit; at++) {
        const struct block *block = blocks->v[at].block;
        uint64_t base = (blocks->first + at) * BLOCK_JOBS;
        uint16_t from = base < seq ? (uint16_t)(seq - base) : 0;
        if (!block)
            continue;
        struct selection selection = block_select(block, &term, 1, NULL);
        unsigned found = selection_up(&selection, from, limit - n, positions);
        selection_release(&selection);
        for (unsigned i = 0; i < found; i++)
            ret[n++] = base + positions[i];
    }
    return n;
}
