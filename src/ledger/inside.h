/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: the ledger itself and its readers.
 *
 * The writer's thread owns everything in struct ledger but what stands below `lock`: that it
 * changes under the write lock only, after the commit that made it true.
 */
#ifndef REEVE_LEDGER_INSIDE_H
#define REEVE_LEDGER_INSIDE_H

#include "ledger/filter.h"
#include "ledger/ledger.h"
#include "ledger/pack.h"
#include "ledger/roster.h"
#include "ledger/runs.h"
#include "ledger/store.h"
#include "ledger/stored.h"

#include <pthread.h>
#include <stdatomic.h>

/* A job that a batch changed: what the index has to learn once the batch is committed. */
struct move {
    uint64_t seq;
    bool has_before, has_after;
    struct head before, after;
};

struct ledger {
    struct store *store;
    struct txn txn; /* the batch, while in_batch */
    bool in_batch;
    struct meta_row meta; /* with what the batch did */
    struct meta_row committed_meta;
    struct move *moves; /* of the batch, in order */
    size_t n_moves, room_moves;
    bool agents_changed, names_added, runs_moved; /* by the batch */
    struct buf row;                               /* for encoding one row at a time */
    struct packer packer;
    uint64_t hostruns_next; /* full blocks before it have all their rows, see checkpoint.c */
    _Atomic uint64_t refused;
    atomic_bool is_lost;    /* a commit ended in a fault: index and file are apart for good */
    struct rosters rosters; /* any thread's */

    pthread_rwlock_t lock;
    struct blocks blocks;
    uint64_t end_seq;           /* no job has this seq or a higher one */
    uint64_t agents_version;    /* changes with every change of a host's name */
    uint64_t names_version;     /* changes with every new name (names.h) */
    uint64_t moved_version;     /* changes when a run gets another host */
    _Atomic uint64_t published; /* id of the transaction that all this belongs to */
};

struct ledger_reader {
    struct ledger *ledger;
    struct txn txn; /* idle between answers */
    struct roster *roster;
    struct filters filters;
    struct host_sets host_sets;
    struct runs runs; /* of the job that is being read */
    struct buf lines; /* of its timeline */
    struct packer packer;
};

struct ledger_options {
    bool no_sync; /* commits are not durable: for tests and benchmarks of everything but the disk */
};
int ledger_open_with(const char *dir, const struct ledger_options *options, struct ledger **ret,
                     struct refusal *why);
/* Closes without writing dirty blocks, as a crash would. */
void ledger_drop(struct ledger *ledger);

/* What a reader copies while index and snapshot belong together; nothing in it takes longer than 10
   us. */
typedef void snapshot_copy(const struct ledger *ledger, void *ret);
/* Begins an answer: the reader's transaction is the one that *copy (may be NULL) saw the index of,
   and its roster is of that transaction. Every begin is followed by an end before the answer is
   sent. */
int reader_begin(struct ledger_reader *reader, snapshot_copy *copy, void *ret);
void reader_end(struct ledger_reader *reader);

/* Rows of a job in the reader's snapshot. An id may be OUTCOME_NOT_FOUND; a seq that is known and
   has no row is damage. */
int reader_seq(struct ledger_reader *reader, const struct uuid *id, uint64_t *ret);
int reader_head(struct ledger_reader *reader, uint64_t seq, struct head *ret);
int reader_job(struct ledger_reader *reader, uint64_t seq, struct job_row *ret);

/* In the batch: what was committed last. */
int ledger_read_meta(struct ledger *ledger);
/* raise.c: the rows of a ledger of an older format are brought up, before anything reads them. Also
   of one that was killed while it did so. */
int ledger_raise(struct ledger *ledger);
/* Ends the batch on disk; then readers must be told of it. */
int batch_write(struct ledger *ledger);
void ledger_publish(struct ledger *ledger);

/* The head of a job in a transaction of either kind; OUTCOME_NOT_FOUND. */
int head_get(struct txn *txn, uint64_t seq, struct head *ret);

#endif
