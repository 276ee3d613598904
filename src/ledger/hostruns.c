/* SPDX-License-Identifier: MIT */
/*
 * The table `hostruns`: (block, host) -> positions (bits.h). Keys are those of `runs`, with a block
 * for the seq and a host for the run.
 *
 * The row of host 0 says that a block's rows are written, all of them in one commit. After that
 * they follow runs that move; jobs that are deleted stay in them until all of the block is gone.
 */
#include "ledger/hostruns.h"

#include "base/mem.h"
#include "ledger/bits.h"

#include <errno.h>
#include <roaring/roaring.h>

_Static_assert(BLOCK_JOBS == BITS_POSITIONS, "positions in a block");

#define MARK_FORMAT 1

struct mark_disk {
    uint8_t format;
};
_Static_assert(sizeof(struct mark_disk) == 1, "on disk");

#define MARK_HOST 0

/* ---- the jobs of a block, oldest first, and their hosts ---- */

struct job_walk {
    struct txn *txn;
    uint64_t block;
    bool begun;
    /* Of the job it stands at: */
    uint32_t position;
    uint32_t n_hosts;
    host_number host;   /* of one with one run */
    struct slice hosts; /* of one with several */
};

static host_number job_host(const struct job_walk *walk, uint32_t run)
{
    return walk->n_hosts == 1 ? walk->host : hosts_row_at(walk->hosts, run);
}

static int job_take(struct job_walk *walk, struct slice key, struct slice bytes)
{
    struct head head;
    uint64_t seq;
    int r = u64_decode(key, &seq);

    if (!r && seq / BLOCK_JOBS != walk->block)
        return OUTCOME_NOT_FOUND;
    if (!r)
        r = head_decode(bytes, &head);
    if (r)
        return r;
    walk->position = (uint32_t)(seq % BLOCK_JOBS);
    walk->n_hosts = head.counts.total;
    walk->host = head.host;
    if (walk->n_hosts == 1)
        return 0;
    return hosts_get(walk->txn, seq, walk->n_hosts, &walk->hosts);
}

/* OUTCOME_NOT_FOUND: there are no more. The first call goes to `position`, or to what comes after
   it. */
static int job_next(struct job_walk *walk)
{
    uint64_t first = walk->block * BLOCK_JOBS + walk->position;
    struct slice key, bytes;
    int r = walk->begun ? table_next(walk->txn, TABLE_HEADS, &key, &bytes)
                        : table_seek(walk->txn, TABLE_HEADS, u64_slice(&first), &key, &bytes);

    walk->begun = true;
    return r ? r : job_take(walk, key, bytes);
}

/* ---- scan ---- */

static bool job_has_host(const struct job_walk *walk, host_number host)
{
    uint32_t low = 0, high = walk->n_hosts;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        host_number at = job_host(walk, middle);
        if (at == host)
            return true;
        if (at < host)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

int hostruns_scan(struct txn *txn, uint64_t block, host_number host, uint32_t *from,
                  roaring_bitmap_t *to)
{
    struct job_walk walk = {.txn = txn, .block = block, .position = *from};
    uint32_t end = *from;
    int r;

    if (*from >= BLOCK_JOBS)
        return 0;
    while (!(r = job_next(&walk))) {
        if (job_has_host(&walk, host))
            roaring_bitmap_add(to, walk.position);
        end = walk.position + 1;
    }
    if (r != OUTCOME_NOT_FOUND)
        return r;
    *from = end;
    return 0;
}

/* ---- positions by host ---- */

void host_positions_release(struct host_positions *positions)
{
    mem_free(positions->starts);
    mem_free(positions->v);
    mem_free(positions->there);
    *positions = (struct host_positions){0};
}

/* starts[h + 1]: how many host h has. */
static int positions_count(struct txn *txn, uint64_t block, struct host_positions *positions)
{
    struct job_walk walk = {.txn = txn, .block = block};
    uint64_t n = 0;
    int r;

    while (!(r = job_next(&walk))) {
        n += walk.n_hosts;
        if (n > HOSTRUNS_MAX)
            return OUTCOME_TOO_LARGE;
        positions->there[walk.position] = true;
        for (uint32_t run = 0; run < walk.n_hosts; run++) {
            host_number host = job_host(&walk, run);
            if (host == 0 || host > positions->n_hosts)
                return FAULT(-EUCLEAN);
            positions->starts[host + 1]++;
        }
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* Each host's start moves on to its end, which is the start of the next. */
static int positions_fill(struct txn *txn, uint64_t block, struct host_positions *positions)
{
    struct job_walk walk = {.txn = txn, .block = block};
    int r;

    while (!(r = job_next(&walk))) {
        for (uint32_t run = 0; run < walk.n_hosts; run++)
            positions->v[positions->starts[job_host(&walk, run)]++] = (uint16_t)walk.position;
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* A sort by counting. */
int host_positions_read(struct txn *txn, uint64_t block, uint32_t n_hosts,
                        struct host_positions *ret)
{
    struct host_positions positions = {
        .n_hosts = n_hosts,
        .starts = mem_alloc(((size_t)n_hosts + 2) * sizeof(*positions.starts)),
        .there = mem_alloc(BLOCK_JOBS * sizeof(*positions.there)),
    };
    uint32_t *starts = positions.starts;
    int r = positions_count(txn, block, &positions);

    for (uint32_t host = 1; host <= n_hosts + 1; host++)
        starts[host] += starts[host - 1];
    if (!r) {
        positions.v = mem_alloc(starts[n_hosts + 1] * sizeof(*positions.v));
        r = positions_fill(txn, block, &positions);
    }
    if (r) {
        host_positions_release(&positions);
        return r;
    }
    memmove(starts + 1, starts, ((size_t)n_hosts + 1) * sizeof(*starts));
    starts[0] = 0;
    *ret = positions;
    return 0;
}

/* ---- rows ---- */

int hostruns_mark_decode(struct slice bytes)
{
    struct mark_disk mark;

    if (bytes.size != sizeof(mark))
        return FAULT(-EUCLEAN);
    memcpy(&mark, bytes.at, sizeof(mark));
    return mark.format == MARK_FORMAT ? 0 : FAULT(-EUCLEAN);
}

int hostruns_is_written(struct txn *txn, uint64_t block, bool *ret)
{
    struct run_key key = run_key(block, MARK_HOST);
    struct slice bytes;
    int r = table_get(txn, TABLE_HOSTRUNS, run_key_slice(&key), &bytes);
    bool written = r == 0;

    if (written)
        r = hostruns_mark_decode(bytes);
    if (r && r != OUTCOME_NOT_FOUND)
        return r;
    *ret = written;
    return 0;
}

int hostruns_read(struct txn *txn, uint64_t block, host_number host, roaring_bitmap_t **ret)
{
    struct run_key key = run_key(block, host);
    struct slice bytes;
    int r = table_get(txn, TABLE_HOSTRUNS, run_key_slice(&key), &bytes);

    if (r == OUTCOME_NOT_FOUND) {
        *ret = bits_new();
        return 0;
    }
    return r ? r : bits_decode(bytes, ret);
}

static int row_write(struct ledger *ledger, uint64_t block, host_number host,
                     const roaring_bitmap_t *bits)
{
    struct run_key key = run_key(block, host);

    buf_clear(&ledger->row);
    bits_encode(bits, &ledger->row);
    return table_append(&ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key), buf_slice(&ledger->row));
}

static int rows_write(struct ledger *ledger, uint64_t block, const struct host_positions *positions)
{
    roaring_bitmap_t *bits = bits_new();
    int r = 0;

    for (host_number host = 1; !r && host <= positions->n_hosts; host++) {
        uint32_t end = positions->starts[host + 1];
        if (positions->starts[host] == end)
            continue;
        roaring_bitmap_clear(bits);
        for (uint32_t i = positions->starts[host]; i < end; i++)
            roaring_bitmap_add(bits, positions->v[i]);
        r = row_write(ledger, block, host, bits);
    }
    roaring_bitmap_free(bits);
    return r;
}

int hostruns_write(struct ledger *ledger, uint64_t block)
{
    struct run_key key = run_key(block, MARK_HOST);
    struct mark_disk mark = {.format = MARK_FORMAT};
    struct slice bytes = {.at = (const char *)&mark, .size = sizeof(mark)};
    struct host_positions positions;
    int r = host_positions_read(&ledger->txn, block, ledger->meta.n_hosts, &positions);

    if (r)
        return r;
    r = table_append(&ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key), bytes);
    if (!r)
        r = rows_write(ledger, block, &positions);
    host_positions_release(&positions);
    return r;
}

int hostruns_delete(struct ledger *ledger, uint64_t block)
{
    struct run_key first = run_key(block, MARK_HOST);
    struct txn *txn = &ledger->txn;
    struct slice key, value;
    uint32_t host;
    int r;

    while (!(r = table_seek(txn, TABLE_HOSTRUNS, run_key_slice(&first), &key, &value)) &&
           run_key_is_of(key, block, &host)) {
        struct run_key row = run_key(block, host);
        r = table_delete(txn, TABLE_HOSTRUNS, run_key_slice(&row));
        if (r)
            return r;
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* ---- moves ---- */

static int row_remove(struct ledger *ledger, uint64_t seq, host_number host)
{
    struct run_key key = run_key(seq / BLOCK_JOBS, host);
    roaring_bitmap_t *bits;
    int r = hostruns_read(&ledger->txn, seq / BLOCK_JOBS, host, &bits);

    if (r)
        return r;
    if (!roaring_bitmap_remove_checked(bits, (uint32_t)(seq % BLOCK_JOBS)))
        r = FAULT(-EUCLEAN);
    else if (roaring_bitmap_is_empty(bits))
        r = table_delete(&ledger->txn, TABLE_HOSTRUNS, run_key_slice(&key));
    else
        r = row_write(ledger, seq / BLOCK_JOBS, host, bits);
    roaring_bitmap_free(bits);
    return r;
}

static int row_add(struct ledger *ledger, uint64_t seq, host_number host)
{
    roaring_bitmap_t *bits;
    int r = hostruns_read(&ledger->txn, seq / BLOCK_JOBS, host, &bits);

    if (r)
        return r;
    roaring_bitmap_add(bits, (uint32_t)(seq % BLOCK_JOBS));
    r = row_write(ledger, seq / BLOCK_JOBS, host, bits);
    roaring_bitmap_free(bits);
    return r;
}

int hostruns_move(struct ledger *ledger, uint64_t seq, host_number from, host_number to)
{
    bool written;
    int r = hostruns_is_written(&ledger->txn, seq / BLOCK_JOBS, &written);

    if (r || !written)
        return r;
    r = row_remove(ledger, seq, from);
    return r ? r : row_add(ledger, seq, to);
}
