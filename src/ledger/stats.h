/* SPDX-License-Identifier: MIT */
/*
 * Parts of ledger_stats(): pieces of time as seqs, one block's counts, names of what was counted,
 * hosts.
 *
 * One block is counted under the lock; all else is done in a reader's snapshot without it.
 */
#ifndef REEVE_LEDGER_STATS_H
#define REEVE_LEDGER_STATS_H

#include "ledger/filter.h"
#include "ledger/names.h"
#include "ledger/roster.h"

struct roaring_bitmap_s;

/* ---- pieces of time: `created` never falls, so each is a range of seqs ---- */

struct stats_times {
    int64_t first_us, bucket_us;
    size_t n;         /* 0: none are wanted */
    uint64_t *bounds; /* n + 1: bucket i has seqs from bounds[i] on, below bounds[i + 1] */
};

#define BOUND_OPEN UINT64_MAX /* behind the newest job; the last bound always is */

void stats_times_init(struct stats_times *times, int64_t since_us, int64_t until_us,
                      int64_t bucket_us);
void stats_times_release(struct stats_times *times); /* accepts a zeroed one */
/* Looks for the bounds that are open, the last but one; *ret_moved: one was found. */
int stats_times_read(struct stats_times *times, struct txn *txn, bool *ret_moved);
/* The bucket that `seq` is in. */
size_t stats_times_find(const struct stats_times *times, uint64_t seq);
/* Whether there is such a bucket and it begins below `seq`. */
bool stats_times_reach(const struct stats_times *times, size_t bucket, uint64_t seq);

/* ---- one block ---- */

/* What is counted, in this order. */
enum axis { AXIS_STATUS, AXIS_OPERATION, AXIS_USER, AXIS_CODE, AXIS_TIME, AXIS_HOSTS, AXIS_COUNT };

struct cell {
    uint32_t key; /* of a dimension its value; of a series bucket * job_status_COUNT + status */
    uint32_t n;
};

struct cells {
    struct cell *v;
    size_t n, room;
};

struct tally {
    uint64_t version; /* of the block that was counted; 0: none was */
    uint32_t low, high;
    /* Where counting goes on; AXIS_COUNT: all is counted. */
    enum axis axis;
    uint32_t at;
    struct selection selected; /* while it is not counted */
    bool is_all;               /* every job of the block is meant: cardinalities do */
    struct cells cells[AXIS_COUNT];
    struct roaring_bitmap_s *jobs; /* AXIS_HOSTS: the jobs themselves */
};

void tally_clear(struct tally *tally);

struct tally_question {
    bool wants[AXIS_COUNT];
    struct stats_times times;
};
struct tally_budget {
    int64_t left_ns;     /* about */
    unsigned n_restarts; /* blocks that had changed while they were counted, or after it */
};
/* Counts the i-th block of the view, or goes on with it. False: the budget is spent, and it has
   still to be counted, in whole or in part. */
bool tally_block(struct tally *tally, const struct tally_question *question,
                 const struct filter_view *view, size_t i, struct tally_budget *budget);

/* ---- groups ---- */

struct stats_sums {
    const struct word *words; /* of the keys, if they are an ENUM's */
    uint64_t *v;              /* by key */
    size_t n;
};

void stats_groups_of_words(const struct stats_sums *sums, struct arena *arena,
                           struct ledger_groups *ret);
int stats_groups_of_names(const struct stats_sums *sums, struct txn *txn, enum name_kind kind,
                          struct arena *arena, struct ledger_groups *ret);

/* ---- hosts: by heads and `hosts` ---- */

struct host_counts {
    uint32_t n_hosts;
    uint64_t *counts;   /* by the first host of the same name, from 1 */
    uint32_t *first;    /* of each host */
    uint32_t *last_job; /* that was counted, so that two hosts of one name count once */
    uint32_t n_jobs;
};

void host_counts_init(struct host_counts *counts, const struct roster *roster);
void host_counts_release(struct host_counts *counts);
/* Jobs at these positions of a block. */
int host_counts_add(struct host_counts *counts, struct txn *txn, uint64_t block,
                    const struct roaring_bitmap_s *jobs);
void host_counts_groups(const struct host_counts *counts, const struct roster *roster,
                        struct arena *arena, struct ledger_groups *ret);

#endif
