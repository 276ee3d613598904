/* SPDX-License-Identifier: MIT */
/*
 * Which jobs of a block a host has a run of: the table `hostruns`.
 *
 * There are more hosts than the index could hold bitmaps of, and a job's hosts hardly ever change:
 * a block's rows are written once, when the block is full, and read when a filter asks for them.
 * Until then, and for blocks with too many runs for it, the heads and `hosts` are searched.
 */
#ifndef REEVE_LEDGER_HOSTRUNS_H
#define REEVE_LEDGER_HOSTRUNS_H

#include "ledger/inside.h"

struct roaring_bitmap_s;

/* Runs of one block; of one with more no rows are written. */
#define HOSTRUNS_MAX (1u << 24)

/* ---- read: in a transaction of either kind ---- */

int hostruns_is_written(struct txn *txn, uint64_t block, bool *ret);
/* Positions of jobs, which may be deleted by now; a new bitmap that the caller frees, empty when
   there are none. */
int hostruns_read(struct txn *txn, uint64_t block, host_number host, struct roaring_bitmap_s **ret);
/* The same of a block whose rows are not written, by its heads: adds to *to what stands at
   positions from *from on, and moves *from behind the newest. */
int hostruns_scan(struct txn *txn, uint64_t block, host_number host, uint32_t *from,
                  struct roaring_bitmap_s *to);

/* ---- write: in the writer's batch ---- */

/* The rows of a full block. OUTCOME_TOO_LARGE: it has more than HOSTRUNS_MAX runs; nothing is
   written. */
int hostruns_write(struct ledger *ledger, uint64_t block);
/* The job's one run has another host. */
int hostruns_move(struct ledger *ledger, uint64_t seq, host_number from, host_number to);
int hostruns_delete(struct ledger *ledger, uint64_t block);

/* ---- what the rows of a block should be ---- */

/* Of the row of host 0, which a block has when its rows are written. */
int hostruns_mark_decode(struct slice bytes);

/* Of all hosts, one after the other: host h has the positions v[starts[h]] … v[starts[h + 1] - 1],
   ascending. */
struct host_positions {
    uint32_t n_hosts;
    uint32_t *starts; /* n_hosts + 2 */
    uint16_t *v;
    bool *there; /* by position: there is a job; BLOCK_JOBS */
};

/* By heads and `hosts`. OUTCOME_TOO_LARGE: more than HOSTRUNS_MAX runs. */
int host_positions_read(struct txn *txn, uint64_t block, uint32_t n_hosts,
                        struct host_positions *ret);
void host_positions_release(struct host_positions *positions); /* accepts a zeroed one */

#endif
