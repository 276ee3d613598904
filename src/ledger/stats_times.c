/* SPDX-License-Identifier: MIT */
/*
 * Pieces of time as ranges of seqs, found by search in heads.
 */
#include "ledger/stats.h"

#include "base/mem.h"
#include "ledger/inside.h"

static int64_t bucket_of(int64_t time_us, int64_t bucket_us)
{
    return time_us / bucket_us; /* no time is negative */
}

uint64_t ledger_n_buckets(int64_t since_us, int64_t until_us, int64_t bucket_us)
{
    if (since_us >= until_us)
        return 0;
    return (uint64_t)(bucket_of(until_us - 1, bucket_us) - bucket_of(since_us, bucket_us)) + 1;
}

void stats_times_init(struct stats_times *times, int64_t since_us, int64_t until_us,
                      int64_t bucket_us)
{
    *times = (struct stats_times){
        .first_us = bucket_of(since_us, bucket_us) * bucket_us,
        .bucket_us = bucket_us,
        .n = (size_t)ledger_n_buckets(since_us, until_us, bucket_us),
    };
    times->bounds = mem_alloc((times->n + 1) * sizeof(*times->bounds));
    for (size_t i = 1; i <= times->n; i++)
        times->bounds[i] = BOUND_OPEN;
}

void stats_times_release(struct stats_times *times)
{
    mem_free(times->bounds);
    *times = (struct stats_times){0};
}

static int find_end(struct txn *txn, uint64_t *ret)
{
    struct slice key, value;
    uint64_t last;
    int r = table_last(txn, TABLE_HEADS, &key, &value);

    if (!r)
        r = u64_decode(key, &last);
    if (r == OUTCOME_NOT_FOUND) {
        *ret = 0;
        return 0;
    }
    if (!r)
        *ret = last + 1;
    return r;
}

int stats_times_read(struct stats_times *times, struct txn *txn, bool *ret_moved)
{
    uint64_t end;
    int r = find_end(txn, &end);

    *ret_moved = false;
    for (size_t i = 1; !r && i < times->n; i++) {
        if (times->bounds[i] != BOUND_OPEN)
            continue;
        uint64_t low = times->bounds[i - 1];
        uint64_t bound = end;
        if (low < end)
            r = filter_seq_at(txn, times->first_us + (int64_t)i * times->bucket_us, low, end,
                              &bound);
        if (r || bound >= end)
            break; /* and so are all later ones */
        times->bounds[i] = bound;
        *ret_moved = true;
    }
    return r;
}

size_t stats_times_find(const struct stats_times *times, uint64_t seq)
{
    size_t low = 0, high = times->n - 1;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (times->bounds[middle] <= seq)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

bool stats_times_reach(const struct stats_times *times, size_t bucket, uint64_t seq)
{
    return bucket < times->n && times->bounds[bucket] < seq;
}
