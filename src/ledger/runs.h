/* SPDX-License-Identifier: MIT */
/*
 * The runs of one job as a snapshot has them, and their order by host name.
 */
#ifndef REEVE_LEDGER_RUNS_H
#define REEVE_LEDGER_RUNS_H

#include "ledger/roster.h"
#include "ledger/store.h"
#include "ledger/stored.h"

struct run {
    host_number host;
    struct run_row
        row; /* of a run without a row: waiting, all else 0; slices die with the snapshot */
};

/* Room is kept from job to job. */
struct runs {
    struct run *v;   /* by run number */
    uint32_t *order; /* run numbers, in the order of host names */
    uint32_t n, room;
    uint32_t *at_rank; /* for making the order */
    uint32_t room_ranks;
};

/* The hosts of a job with several runs, for hosts_row_at(): every such job has the row. */
int hosts_get(struct txn *txn, uint64_t seq, uint32_t n_hosts, struct slice *ret);
/* One of them. OUTCOME_NOT_FOUND: the job has no such run. */
int runs_read_one(struct txn *txn, uint64_t seq, const struct head *head, uint32_t number,
                  struct run *ret);

void runs_release(struct runs *runs);
int runs_read(struct runs *runs, struct txn *txn, const struct roster *roster, uint64_t seq,
              const struct head *head);
/* The i-th by host name. */
const struct run *runs_at(const struct runs *runs, uint32_t i);

#endif
