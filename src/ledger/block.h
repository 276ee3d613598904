/* SPDX-License-Identifier: MIT */
/*
 * The index: which jobs have which status, operation, user, code, … in blocks of 65,536 consecutive
 * seqs.
 *
 * A block holds one small bitmap for each value of each dimension, with its cardinality: counts are
 * sums, a page at any offset walks cardinalities and selects inside one block. Everything here is
 * derived from heads. Changed by the writer alone; whoever shares it holds the ledger's lock.
 */
#ifndef REEVE_LEDGER_BLOCK_H
#define REEVE_LEDGER_BLOCK_H

#include "base/buf.h"
#include "ledger/stored.h"

#define BLOCK_JOBS                                                                                 \
    65536u /* seq / BLOCK_JOBS is the block's number, the rest the job's position in it */

/* What jobs can be told apart by. On disk in blobs: numbers stay, new ones are added at the end. */
enum dimension {
    DIMENSION_ALL,       /* one value, 0 */
    DIMENSION_STATUS,    /* enum job_status */
    DIMENSION_OPERATION, /* number in `names` */
    DIMENSION_USER,      /* number in `names` */
    DIMENSION_CODE,      /* enum run_code, of each run that is failed */
    DIMENSION_CHANGED,   /* enum job_changed */
    DIMENSION_TARGET,    /* enum target_kind */
    DIMENSION_LABEL,     /* number in `names` of a label target; no value: it has none */
    DIMENSION_BULK,      /* number in `names` of a bulk action; no value: it has none */
    DIMENSION_COUNT
};

/* ---- one block ---- */

struct block;

struct block *block_new(void);
struct block *block_free(struct block *block); /* accepts NULL, returns NULL */

/* The job at `position` was `before` and is `after`; NULL: not there. */
void block_move(struct block *block, uint16_t position, const struct head *before,
                const struct head *after);
uint32_t block_count(const struct block *block, enum dimension dimension, uint32_t value);
/* The same for all values below `n` that are `wanted`: entries of a job with several count each. */
uint32_t block_count_among(const struct block *block, enum dimension dimension, const bool *wanted,
                           size_t n);
/* Blobs are written by checkpoints. Decoding believes nothing: -EUCLEAN. */
#define BLOCK_BLOB_MAX ((size_t)64 << 20)
void block_encode(const struct block *block, struct buf *to);
int block_decode(struct slice blob, struct block **ret);
/* Of an older program; it does not decode. */
bool block_blob_is_old(struct slice blob);
/* Whether some value is had by other jobs in `a` than in `b`; the first such value. */
bool block_differs(const struct block *a, const struct block *b, enum dimension *ret_dimension,
                   uint32_t *ret_value);

/* ---- all blocks ---- */

#define BLOCKS_PAGE_MAX 100u /* seqs in one answer of the functions below */

struct block_slot {
    struct block *block; /* NULL: no jobs */
    bool dirty;          /* changed since its blob was written; its mark is on disk */
    uint64_t version;    /* rises with every change, and is no other block's, before or after */
    uint32_t counts[job_status_COUNT]; /* of its jobs: walks over all blocks read nothing else */
};

struct blocks {
    struct block_slot *v;
    uint64_t first; /* number of the block at v[0] */
    size_t n, room;
    uint64_t totals[job_status_COUNT];
    uint64_t total;
    uint64_t last_version; /* given to a block */
};

void blocks_release(struct blocks *blocks);
/* Takes ownership; the block is not there yet. */
void blocks_add(struct blocks *blocks, uint64_t number, struct block *block, bool dirty);
/* block_move() by seq, and the totals with it; the job's block is dirty after it. */
void blocks_move(struct blocks *blocks, uint64_t seq, const struct head *before,
                 const struct head *after);
bool blocks_is_dirty(const struct blocks *blocks, uint64_t number);
/* Drops blocks that are clean and empty. */
void blocks_trim(struct blocks *blocks);
/* Sets of statuses: bits 1 << enum job_status. */
#define STATUSES_OPEN  (1u << job_status_SUBMITTED | 1u << job_status_PROCESSING)
#define STATUSES_FINAL (((1u << job_status_COUNT) - 1) & ~STATUSES_OPEN)
/* Seqs of at most `limit` jobs whose status is in the set, oldest first, from `seq` on. How many.
 */
unsigned blocks_from(const struct blocks *blocks, unsigned statuses, uint64_t seq, unsigned limit,
                     uint64_t *ret);

#endif
