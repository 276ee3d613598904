/* SPDX-License-Identifier: MIT */
/*
 * Which jobs a filter means: its conditions on the index, and what a reader remembers of it.
 *
 * Of each block a reader remembers how many jobs match, by status, with the block's version: after
 * a change only the blocks that changed are counted again. Counting is done under the ledger's
 * lock, a few blocks at a time; what has to be read from disk for it is read before, without the
 * lock.
 */
#ifndef REEVE_LEDGER_FILTER_H
#define REEVE_LEDGER_FILTER_H

#include "ledger/hostset.h"
#include "ledger/ledger.h"
#include "ledger/select.h"

#define FILTERS_MAX        128 /* remembered by one reader; the one not used for longest makes room */
#define FILTER_TERMS_MAX   6
#define FILTER_HOSTS_MAX   2    /* hostname, and target when that is a host */
#define FILTER_PREFIX_MAX  1024 /* operations that begin alike */
#define FILTER_STEP_BLOCKS 4    /* counted under the lock at one go */
#define FILTER_STEP_JOBS   256  /* looked at for their hosts under the lock at one go */

struct filter_slot {
    uint64_t version; /* of the block when it was counted; 0: never */
    uint32_t counts[job_status_COUNT];
};

/* A filter without its statuses and times, which cost nothing to change. */
struct filter {
    char *key; /* what tells it from others */
    size_t key_size;
    uint64_t names_version;
    bool matches_nothing; /* a name that nobody has */
    bool targets_host;    /* its target is a host */
    struct block_term terms[FILTER_TERMS_MAX];
    unsigned n_terms;
    uint32_t *values;                  /* of all terms */
    uint64_t stamps[FILTER_HOSTS_MAX]; /* of the host sets it was counted with */
    struct filter_slot *slots;
    uint64_t first; /* number of the block at slots[0] */
    size_t n_slots;
    uint64_t last_used; /* rises */
};

struct filters {
    struct filter *v[FILTERS_MAX];
    unsigned n;
    uint64_t uses;
};
void filters_release(struct filters *filters);

/* What the index says about a filter, seen under the lock. */
struct filter_view {
    const struct blocks *blocks;
    struct filter *filter; /* NULL: any job of these statuses and times */
    struct host_set *hosts[FILTER_HOSTS_MAX];
    unsigned n_hosts;
    struct block_term status; /* n is 0: any */
    uint32_t statuses[job_status_COUNT];
    uint64_t begin, end; /* seqs in question, from `begin` on and below `end` */
    uint64_t index_end;  /* no job has this seq or a higher one */
};

/* Copies from the index. False: it has done a part and is to be called again, the lock being
   released in between; with `must_end` it does all that is left. */
typedef bool filter_copy(const struct filter_view *view, bool must_end, void *owner);
/* reader_begin() for an answer about the jobs of a filter: `copy` sees the index of the reader's
   snapshot. 0; OUTCOME_TOO_LARGE: more than FILTER_PREFIX_MAX operations begin like that; or a
   fault. After 0 reader_end() follows. */
int filter_begin(struct ledger_reader *reader, const struct ledger_filter *wanted,
                 filter_copy *copy, void *owner);

/* The first seq in [low, high) from which on all jobs were created then or later; `high`: there is
   none. In a transaction of either kind. */
int filter_seq_at(struct txn *txn, int64_t time_us, uint64_t low, uint64_t high, uint64_t *ret);

/* ---- for a filter_copy ---- */

/* The jobs of the i-th block (blocks->v) that match, statuses included; false: there are none, and
   nothing to release. */
bool filter_select(const struct filter_view *view, size_t i, struct selection *ret);
/* Jobs by status that match all but the statuses. */
void filter_counts(const struct filter_view *view, uint64_t ret[job_status_COUNT]);
/* Seqs of at most `limit` (BLOCKS_PAGE_MAX) matching jobs below seq `below`, newest first, leaving
   out the first `offset`. How many. */
unsigned filter_down(const struct filter_view *view, uint64_t below, uint64_t offset,
                     unsigned limit, uint64_t *ret);
/* From seq `from` on, oldest first. */
unsigned filter_up(const struct filter_view *view, uint64_t from, unsigned limit, uint64_t *ret);

#endif
