/* SPDX-License-Identifier: MIT */
/*
 * From sums by number to groups by name, the largest first; and the sums by host, from heads.
 */
#include "ledger/stats.h"

#include "base/mem.h"
#include "ledger/inside.h"

#include <errno.h>
#include <roaring/roaring.h>

/* ---- the largest ---- */

struct ranked {
    uint32_t key;
    uint64_t n;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Keys with jobs, the largest first; those beyond LEDGER_GROUPS_MAX are added to *others. */
static struct ranked *rank(const uint64_t *sums, size_t n_sums, struct arena *arena, size_t *ret_n,
                           uint64_t *others)
{
    size_t n = 0;

    for (size_t key = 0; key < n_sums; key++)
        n += sums[key] > 0;
    struct ranked *ranked = arena_alloc(arena, n * sizeof(*ranked));
    n = 0;
    for (size_t key = 0; key < n_sums; key++) {
        if (sums[key] > 0)
            ranked[n++] = (struct ranked){.key = (uint32_t)key, .n = sums[key]};
    }
    if (n > 1)
        qsort(ranked, n, sizeof(*ranked), compare_ranked);
    for (size_t i = LEDGER_GROUPS_MAX; i < n; i++)
        *others += ranked[i].n;
    *ret_n = n < LEDGER_GROUPS_MAX ? n : LEDGER_GROUPS_MAX;
    return ranked;
}

static struct ledger_groups groups_of(const struct ranked *ranked, size_t n, struct arena *arena)
{
    struct ledger_groups groups = {.v = arena_alloc(arena, n * sizeof(*groups.v)), .n = n};

    for (size_t i = 0; i < n; i++)
        groups.v[i].n = ranked[i].n;
    return groups;
}

/* ---- words and names ---- */

void stats_groups_of_words(const struct stats_sums *sums, struct arena *arena,
                           struct ledger_groups *ret)
{
    uint64_t others = 0; /* words are few */
    size_t n;
    const struct ranked *ranked = rank(sums->v, sums->n, arena, &n, &others);

    *ret = groups_of(ranked, n, arena);
    for (size_t i = 0; i < n; i++)
        ret->v[i].name = sums->words[ranked[i].key].word;
}

/* The names of a kind are walked once, whichever are wanted. */
static int names_read(struct txn *txn, enum name_kind kind, const uint32_t *group_of, size_t n_keys,
                      struct arena *arena, struct ledger_groups *groups)
{
    struct slice key, value, name;
    enum name_kind found;
    uint32_t number;
    int r = table_seek(txn, TABLE_NAMES, names_begin(kind), &key, &value);

    while (!r) {
        if (!names_row_decode(key, value, &found, &name, &number))
            return FAULT(-EUCLEAN);
        if (found != kind)
            return 0;
        if (number < n_keys && group_of[number])
            groups->v[group_of[number] - 1].name = arena_copy(arena, name);
        r = table_next(txn, TABLE_NAMES, &key, &value);
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

int stats_groups_of_names(const struct stats_sums *sums, struct txn *txn, enum name_kind kind,
                          struct arena *arena, struct ledger_groups *ret)
{
    uint64_t others = sums->n > 0 ? sums->v[0] : 0; /* of names that have no number */
    size_t n;

    if (sums->n > 0)
        sums->v[0] = 0;
    const struct ranked *ranked = rank(sums->v, sums->n, arena, &n, &others);
    struct ledger_groups groups = groups_of(ranked, n, arena);
    uint32_t *group_of = arena_alloc(arena, sums->n * sizeof(*group_of)); /* by key: index + 1 */
    for (size_t i = 0; i < n; i++)
        group_of[ranked[i].key] = (uint32_t)i + 1;
    int r = names_read(txn, kind, group_of, sums->n, arena, &groups);
    if (r)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (!groups.v[i].name)
            return FAULT(-EUCLEAN);
    }
    groups.others = others;
    *ret = groups;
    return 0;
}

/* ---- hosts ---- */

void host_counts_init(struct host_counts *counts, const struct roster *roster)
{
    size_t room = (size_t)roster->n + 1;
    uint32_t *by_rank CLEANUP(mem_freep) = mem_alloc(room * sizeof(*by_rank));

    *counts = (struct host_counts){
        .n_hosts = roster->n,
        .counts = mem_alloc(room * sizeof(*counts->counts)),
        .first = mem_alloc(room * sizeof(*counts->first)),
        .last_job = mem_alloc(room * sizeof(*counts->last_job)),
    };
    for (host_number host = 1; host <= roster->n; host++)
        by_rank[roster_rank(roster, host)] = host;
    for (uint32_t rank = 0; rank < roster->n; rank++) {
        host_number host = by_rank[rank], before = rank > 0 ? by_rank[rank - 1] : 0;
        bool same = before && slice_equal(roster_name(roster, host), roster_name(roster, before));
        counts->first[host] = same ? counts->first[before] : host;
    }
}

void host_counts_release(struct host_counts *counts)
{
    mem_free(counts->counts);
    mem_free(counts->first);
    mem_free(counts->last_job);
    *counts = (struct host_counts){0};
}

static int count_host(struct host_counts *counts, host_number host)
{
    if (host < 1 || host > counts->n_hosts)
        return FAULT(-EUCLEAN);
    uint32_t first = counts->first[host];
    counts->counts[first] += counts->last_job[first] != counts->n_jobs;
    counts->last_job[first] = counts->n_jobs;
    return 0;
}

static int count_job(struct host_counts *counts, struct txn *txn, uint64_t seq,
                     const struct head *head)
{
    uint32_t n = head->counts.total;
    struct slice hosts;

    counts->n_jobs++;
    if (n == 1)
        return count_host(counts, head->host);
    int r = hosts_get(txn, seq, n, &hosts);
    for (uint32_t run = 0; !r && run < n; run++)
        r = count_host(counts, hosts_row_at(hosts, run));
    return r;
}

/* Steps of a walk that are cheaper than a search. */
#define STEPS_MAX 16

struct head_walk {
    struct txn *txn;
    bool is_there;
    uint64_t seq;
    struct slice bytes;
};

static int walk_to(struct head_walk *walk, uint64_t seq)
{
    struct slice key;
    int r = 0;

    if (!walk->is_there || seq - walk->seq > STEPS_MAX) {
        r = table_seek(walk->txn, TABLE_HEADS, u64_slice(&seq), &key, &walk->bytes);
        if (!r)
            r = u64_decode(key, &walk->seq);
    }
    while (!r && walk->seq < seq) {
        r = table_next(walk->txn, TABLE_HEADS, &key, &walk->bytes);
        if (!r)
            r = u64_decode(key, &walk->seq);
    }
    walk->is_there = !r;
    /* The index has the job, so its head is there. */
    return r == OUTCOME_NOT_FOUND || (!r && walk->seq != seq) ? FAULT(-EUCLEAN) : r;
}

int host_counts_add(struct host_counts *counts, struct txn *txn, uint64_t block,
                    const struct roaring_bitmap_s *jobs)
{
    struct head_walk walk = {.txn = txn};
    roaring_uint32_iterator_t at;
    struct head head;
    int r = 0;

    roaring_init_iterator(jobs, &at);
    for (; !r && at.has_value; roaring_advance_uint32_iterator(&at)) {
        uint64_t seq = block * BLOCK_JOBS + at.current_value;
        r = walk_to(&walk, seq);
        if (!r)
            r = head_decode(walk.bytes, &head);
        if (!r)
            r = count_job(counts, txn, seq, &head);
    }
    return r;
}

void host_counts_groups(const struct host_counts *counts, const struct roster *roster,
                        struct arena *arena, struct ledger_groups *ret)
{
    uint64_t others = 0;
    size_t n;
    const struct ranked *ranked =
        rank(counts->counts, (size_t)counts->n_hosts + 1, arena, &n, &others);

    *ret = groups_of(ranked, n, arena);
    ret->others = others;
    for (size_t i = 0; i < n; i++)
        ret->v[i].name = arena_copy(arena, roster_name(roster, ranked[i].key));
}
