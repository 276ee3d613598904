/* SPDX-License-Identifier: MIT */
/*
 * What the files of retention share: the rules, what was found out about blocks, and the slice.
 *
 * All of it belongs to the retention's thread.
 */
#ifndef REEVE_LEDGER_RETAIN_INSIDE_H
#define REEVE_LEDGER_RETAIN_INSIDE_H

#include "ledger/item.h"
#include "ledger/retain.h"

/* What is known of a block. */
struct look {
    uint64_t version;                 /* of the block when it was read; 0: it never was */
    int64_t at_us;                    /* when that was */
    int64_t due_us;                   /* none of the jobs it had goes by age before */
    uint64_t bytes[job_status_COUNT]; /* of those that are final; when a rule asks for it */
};

struct retain {
    struct ledger_reader *reader;
    struct config_retention rules;
    bool counts_bytes; /* some rule asks for it */
    int64_t least_age_us;
    bool is_query[UINT16_MAX + 1]; /* by the operation's number; one that is unknown is none */
    uint16_t last_operation;       /* up to which that is known */

    struct look *looks; /* of blocks from `first` on */
    uint64_t first;
    size_t n_looks, room;

    /* The walk over all blocks: where it stands, and the look that is being taken. */
    uint64_t number;
    bool in_block;
    uint64_t seq;
    struct look look;

    unsigned rule; /* the round over the other rules: where it stands */

    /* What the slice has. */
    uint64_t slice_runs, slice_bytes;
    struct buf piece;
};

static inline int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t lesser_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- retain.c ---- */

/* NULL: none. */
const struct config_retention_rule *retain_rule_of(const struct retain *retain,
                                                   enum job_status status);
/* Of all rows of a job: input, results, history. */
int retain_job_bytes(struct retain *retain, uint64_t seq, const struct head *head,
                     uint64_t *ret_bytes);
bool slice_is_full(const struct retain *retain, const struct retain_slice *slice);
int slice_take(struct retain *retain, struct retain_slice *slice, uint64_t seq,
               const struct head *head, uint64_t *ret_bytes);

/* ---- retain_age.c ---- */

/* The rules are others: nothing is known of any block. */
void looks_begin(struct retain *retain);
/* One step of a walk over all blocks. When it has come to its end, slice->more is false: nothing is
   due by age, and the bytes of all blocks are known, if a rule asks for them. */
int retain_next_by_age(struct retain *retain, int64_t now_us, struct retain_slice *slice);
uint64_t looks_bytes(const struct retain *retain, enum job_status status);
/* The job is going by another rule. */
void looks_lose(struct retain *retain, uint64_t seq, enum job_status status, uint64_t bytes);

/* ---- retain_number.c ---- */

/* One step of a round over the other rules, in their order, until one has found something. A rule
   is left once it has less to drop than a slice: jobs that come as fast as they are dropped keep
   neither the other rules waiting nor the round from its end, which is slice->more false. */
int retain_next_by_number(struct retain *retain, int64_t now_us, struct retain_slice *slice);

#endif
