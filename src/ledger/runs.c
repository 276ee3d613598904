/* SPDX-License-Identifier: MIT */
/*
 * Reading the runs of a job: its hosts, then the rows there are, in one pass over neighbouring
 * keys.
 */
#include "ledger/runs.h"

#include "base/mem.h"

#include <errno.h>

void runs_release(struct runs *runs)
{
    mem_free(runs->v);
    mem_free(runs->order);
    mem_free(runs->at_rank);
    *runs = (struct runs){0};
}

static void runs_reserve(struct runs *runs, uint32_t n, uint32_t n_ranks)
{
    if (n > runs->room) {
        runs->room = n;
        runs->v = mem_realloc(runs->v, n * sizeof(*runs->v));
        runs->order = mem_realloc(runs->order, n * sizeof(*runs->order));
    }
    if (n_ranks > runs->room_ranks) {
        runs->room_ranks = n_ranks;
        runs->at_rank = mem_realloc(runs->at_rank, n_ranks * sizeof(*runs->at_rank));
    }
    runs->n = n;
}

int hosts_get(struct txn *txn, uint64_t seq, uint32_t n_hosts, struct slice *ret)
{
    int r = table_get(txn, TABLE_HOSTS, u64_slice(&seq), ret);

    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    return hosts_row_decode(*ret, n_hosts);
}

static int run_read_host(struct txn *txn, uint64_t seq, uint32_t n_runs, struct run *run,
                         uint32_t number)
{
    struct slice hosts;
    int r = hosts_get(txn, seq, n_runs, &hosts);

    if (r)
        return r;
    run->host = hosts_row_at(hosts, number);
    return 0;
}

int runs_read_one(struct txn *txn, uint64_t seq, const struct head *head, uint32_t number,
                  struct run *ret)
{
    struct run_key key = run_key(seq, number);
    struct run run = {.host = head->host};
    struct slice bytes;

    if (number >= head->counts.total)
        return OUTCOME_NOT_FOUND;
    int r = head->counts.total > 1 ? run_read_host(txn, seq, head->counts.total, &run, number) : 0;
    if (r)
        return r;
    r = table_get(txn, TABLE_RUNS, run_key_slice(&key), &bytes);
    if (!r)
        r = run_row_decode(bytes, &run.row);
    if (r && r != OUTCOME_NOT_FOUND) /* without a row: waiting */
        return r;
    *ret = run;
    return 0;
}

static int runs_read_hosts(struct runs *runs, struct txn *txn, const struct roster *roster,
                           uint64_t seq)
{
    struct slice hosts;
    int r = hosts_get(txn, seq, runs->n, &hosts);

    if (r)
        return r;
    for (uint32_t run = 0; run < runs->n; run++) {
        runs->v[run] = (struct run){.host = hosts_row_at(hosts, run)};
        if (!roster_has(roster, runs->v[run].host))
            return FAULT(-EUCLEAN);
    }
    return 0;
}

static int runs_read_rows(struct runs *runs, struct txn *txn, uint64_t seq)
{
    struct run_key first = run_key(seq, 0);
    struct slice key, bytes;
    uint32_t run;
    int r = table_seek(txn, TABLE_RUNS, run_key_slice(&first), &key, &bytes);

    while (!r && run_key_is_of(key, seq, &run)) {
        if (run >= runs->n)
            return FAULT(-EUCLEAN);
        r = run_row_decode(bytes, &runs->v[run].row);
        if (!r)
            r = table_next(txn, TABLE_RUNS, &key, &bytes);
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* Mostly hosts came in the order of their names: what counting costs is the size of the fleet. */
static bool runs_are_in_order(struct runs *runs, const struct roster *roster)
{
    for (uint32_t run = 0; run < runs->n; run++) {
        runs->order[run] = run;
        if (run > 0 &&
            roster_rank(roster, runs->v[run].host) <= roster_rank(roster, runs->v[run - 1].host))
            return false;
    }
    return true;
}

/* Each rank has one host and each host at most one run: a sort by counting. */
static void runs_sort(struct runs *runs, const struct roster *roster)
{
    uint32_t n = 0;

    if (runs_are_in_order(runs, roster))
        return;
    memset(runs->at_rank, 0, roster->n * sizeof(*runs->at_rank));
    for (uint32_t run = 0; run < runs->n; run++)
        runs->at_rank[roster_rank(roster, runs->v[run].host)] = run + 1;
    for (uint32_t rank = 0; rank < roster->n && n < runs->n; rank++) {
        if (runs->at_rank[rank])
            runs->order[n++] = runs->at_rank[rank] - 1;
    }
    runs->n = n; /* less only if a damaged row names a host twice */
}

int runs_read(struct runs *runs, struct txn *txn, const struct roster *roster, uint64_t seq,
              const struct head *head)
{
    if (head->counts.total > roster->n) /* so that what is reserved is bounded by the fleet */
        return FAULT(-EUCLEAN);
    runs_reserve(runs, head->counts.total, roster->n);
    if (head->counts.total == 1) {
        if (!roster_has(roster, head->host))
            return FAULT(-EUCLEAN);
        runs->order[0] = 0;
        return runs_read_one(txn, seq, head, 0, &runs->v[0]);
    }
    int r = runs_read_hosts(runs, txn, roster, seq);
    if (!r)
        r = runs_read_rows(runs, txn, seq);
    if (r)
        return r;
    runs_sort(runs, roster);
    return 0;
}

const struct run *runs_at(const struct runs *runs, uint32_t i)
{
    return &runs->v[runs->order[i]];
}
