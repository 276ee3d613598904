/* SPDX-License-Identifier: MIT */
/*
 * Sets of a reader, by name; in each its blocks, from the oldest that was asked for.
 */
#include "ledger/hostset.h"

#include "base/mem.h"
#include "ledger/hostruns.h"
#include "ledger/store.h"
#include "ledger/stored.h"

#include <errno.h>
#include <roaring/roaring.h>

static void blocks_free(struct host_set *set)
{
    for (size_t i = 0; i < set->n_blocks; i++) {
        if (set->blocks[i].bits)
            roaring_bitmap_free(set->blocks[i].bits);
    }
    set->blocks = mem_free(set->blocks);
    set->n_blocks = 0;
}

static void set_free(struct host_set *set)
{
    blocks_free(set);
    mem_free(set->hosts);
    mem_free(set->name);
    mem_free(set);
}

void host_sets_release(struct host_sets *sets)
{
    for (unsigned i = 0; i < sets->n; i++)
        set_free(sets->v[i]);
    *sets = (struct host_sets){0};
}

/* ---- hosts of a name ---- */

static void add_host(struct host_set *set, host_number host)
{
    set->hosts = mem_realloc(set->hosts, (set->n_hosts + 1) * sizeof(*set->hosts));
    set->hosts[set->n_hosts++] = host;
}

static int add_machine(struct host_set *set, struct txn *txn, const struct roster *roster)
{
    struct agent_row agent;
    struct slice bytes;

    for (uint64_t key = 1; key <= roster->n; key++) {
        int r = table_get(txn, TABLE_AGENTS, u64_slice(&key), &bytes);
        if (!r)
            r = agent_row_decode(bytes, &agent);
        if (r)
            return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
        if (slice_is(agent.machine_id, set->name))
            add_host(set, (host_number)key);
    }
    return 0;
}

static int set_begin(struct host_set *set, struct txn *txn, const struct roster *roster)
{
    blocks_free(set);
    set->n_hosts = 0;
    for (host_number host = 1; host <= roster->n; host++) {
        if (slice_is(roster_name(roster, host), set->name))
            add_host(set, host);
    }
    return set->n_hosts ? 0 : add_machine(set, txn, roster);
}

static struct host_set *sets_take(struct host_sets *sets, const char *name)
{
    struct host_set *oldest = NULL;
    unsigned at = sets->n;

    for (unsigned i = 0; i < sets->n; i++) {
        if (strcmp(sets->v[i]->name, name) == 0)
            return sets->v[i];
        if (!oldest || sets->v[i]->last_used < oldest->last_used) {
            oldest = sets->v[i];
            at = i;
        }
    }
    if (sets->n < HOST_SETS_MAX)
        at = sets->n++;
    else
        set_free(oldest);
    struct host_set *set = mem_alloc(sizeof(*set));
    set->name = mem_strdup(name);
    sets->v[at] = set;
    return set;
}

int host_sets_find(struct host_sets *sets, struct txn *txn, const struct roster *roster,
                   const char *name, struct host_versions versions, struct host_set **ret)
{
    struct host_set *set = sets_take(sets, name);

    set->last_used = ++sets->uses;
    *ret = set;
    if (set->stamp && set->versions.agents == versions.agents &&
        set->versions.moved == versions.moved)
        return 0;
    int r = set_begin(set, txn, roster);
    if (r)
        return r;
    set->versions = versions;
    set->stamp = ++sets->last_stamp;
    return 0;
}

/* ---- their jobs ---- */

static uint32_t block_end(uint64_t block, uint64_t end)
{
    return end / BLOCK_JOBS == block ? (uint32_t)(end % BLOCK_JOBS) : BLOCK_JOBS;
}

uint64_t host_set_missing(const struct host_set *set, uint64_t first_block, uint64_t end)
{
    uint64_t n = 0;

    for (uint64_t block = first_block; block * BLOCK_JOBS < end; block++) {
        bool known = block >= set->first && block - set->first < set->n_blocks;
        uint32_t seen = known ? set->blocks[block - set->first].end : 0;
        n += block_end(block, end) - seen;
    }
    return n;
}

/* Blocks from first_block to the last; those before it are forgotten. */
static void set_resize(struct host_set *set, uint64_t first_block, uint64_t n)
{
    struct host_block *blocks = mem_alloc(n * sizeof(*blocks));

    for (size_t i = 0; i < set->n_blocks; i++) {
        uint64_t number = set->first + i;
        if (number >= first_block && number - first_block < n)
            blocks[number - first_block] = set->blocks[i];
        else if (set->blocks[i].bits)
            roaring_bitmap_free(set->blocks[i].bits);
    }
    mem_free(set->blocks);
    set->blocks = blocks;
    set->first = first_block;
    set->n_blocks = n;
}

static int block_read(struct host_set *set, struct txn *txn, uint64_t number,
                      struct host_block *block)
{
    bool is_written;
    uint32_t from = block->end, end = from;
    int r = set->n_hosts ? hostruns_is_written(txn, number, &is_written) : 0;

    if (!r && set->n_hosts && !block->bits)
        block->bits = roaring_bitmap_create();
    for (uint32_t i = 0; !r && i < set->n_hosts; i++) {
        struct roaring_bitmap_s *bits = NULL;
        end = from;
        if (!is_written)
            r = hostruns_scan(txn, number, set->hosts[i], &end, block->bits);
        else
            r = hostruns_read(txn, number, set->hosts[i], &bits);
        if (r || !bits)
            continue;
        roaring_bitmap_or_inplace(block->bits, bits);
        roaring_bitmap_free(bits);
    }
    return r;
}

int host_set_read(struct host_set *set, struct txn *txn, uint64_t first_block, uint64_t end)
{
    uint64_t n = end > first_block * BLOCK_JOBS
                     ? (end - first_block * BLOCK_JOBS + BLOCK_JOBS - 1) / BLOCK_JOBS
                     : 0;

    if (set->first != first_block || set->n_blocks != n)
        set_resize(set, first_block, n);
    for (size_t i = 0; i < set->n_blocks; i++) {
        struct host_block *block = &set->blocks[i];
        uint32_t wanted = block_end(first_block + i, end);
        if (block->end >= wanted)
            continue;
        int r = block_read(set, txn, first_block + i, block);
        if (r)
            return r;
        block->end = wanted;
    }
    return 0;
}

const struct roaring_bitmap_s *host_set_bits(const struct host_set *set, uint64_t block)
{
    if (block < set->first || block - set->first >= set->n_blocks)
        return NULL;
    return set->blocks[block - set->first].bits;
}
