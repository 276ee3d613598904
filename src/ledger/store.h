/* SPDX-License-Identifier: MIT */
/*
 * The tables on disk: LMDB, and what must hold before it is opened.
 *
 * store.c, store_read.c and table.c alone include lmdb.h. Keys and values are slices; those that
 * are read point into the map and die with the transaction, or with its next write. Everything
 * returns 0, OUTCOME_NOT_FOUND where that is said, or a fault.
 */
#ifndef REEVE_LEDGER_STORE_H
#define REEVE_LEDGER_STORE_H

#include "base/outcome.h"
#include "base/slice.h"

#include <stdint.h>

/* table, its name in the file, whether its keys are uint64_t in the machine's byte order */
#define STORE_TABLES(X)                                                                            \
    X(META, "meta", true)                                                                          \
    X(HEADS, "heads", true)                                                                        \
    X(JOBS, "jobs", true)                                                                          \
    X(HOSTS, "hosts", true)                                                                        \
    X(EVENTS, "events", true)                                                                      \
    X(RUNS, "runs", false)                                                                         \
    X(SEALED, "sealed", false)                                                                     \
    X(HOSTRUNS, "hostruns", false)                                                                 \
    X(IDS, "ids", false)                                                                           \
    X(NAMES, "names", false)                                                                       \
    X(BLOCKS, "blocks", true)                                                                      \
    X(DIRTY, "dirty", true)                                                                        \
    X(AGENTS, "agents", true)

enum table {
#define X(id, name, number_keys) TABLE_##id,
    STORE_TABLES(X)
#undef X
        TABLE_COUNT
};

struct store;
struct MDB_txn;
struct MDB_cursor;

/* A batch of the writer, or a reader's snapshot. */
struct txn {
    struct store *store;
    struct MDB_txn *mdb;
    struct MDB_cursor *cursors[TABLE_COUNT]; /* opened when first used */
    bool writes;
};

/* `dir` is made 0700 if it is not there. Outcomes as of ledger_open(). no_sync: commits are not
   durable, for tests and benchmarks of everything but the disk. */
int store_open(const char *dir, bool no_sync, struct store **ret, struct refusal *why);
/* The file as it is, beside a controller or without one: nothing is made, changed or rebuilt but
   LMDB's lock file, and no controller is kept from starting. OUTCOME_UNAVAILABLE. Whoever reads a
   file that may be damaged does so in a process of its own (damage.h). */
int store_open_to_read(const char *dir, struct store **ret, struct refusal *why);
void store_close(struct store *store); /* accepts NULL */
/* Its directory's absolute path, for messages. */
const char *store_name(const struct store *store);
/* OUTCOME_UNAVAILABLE: "can't <what> the ledger in …"; a damaged one is said to be that. */
int store_refuse(const struct store *store, const char *what, int negative_errno,
                 struct refusal *why);
/* Bytes that the file system has left for this user. */
int store_free_space(struct store *store, uint64_t *ret_bytes);
/* Id of the newest committed transaction. */
uint64_t store_last_txn(struct store *store);
/* Of the oldest that is being read, by any process; without one the newest. */
int store_oldest_txn(struct store *store, uint64_t *ret);
/* Snapshots of processes that were killed are let go: their pages can be used again. */
void store_drop_dead_readers(struct store *store);
/* Bytes of the file that are in use or were. */
uint64_t store_file_bytes(struct store *store);

int txn_begin(struct store *store, struct txn *ret); /* the one writer's */
/* Durable when it returns 0; else the batch is lost. OUTCOME_NO_SPACE: the disk takes nothing now,
   and the next batch may try again. */
int txn_commit(struct txn *txn);
void txn_abort(struct txn *txn);

/* A snapshot is opened once, idle at first, and renewed for every answer: that costs no system call
   and no lock. */
int snapshot_open(struct store *store, struct txn *ret);
void snapshot_close(struct txn *snapshot);
int snapshot_renew(struct txn *snapshot);
void snapshot_reset(struct txn *snapshot);
uint64_t snapshot_id(const struct txn *snapshot);
/* Bytes of the file that hold something in it; the rest is free to be used again. */
int snapshot_used_bytes(struct txn *snapshot, uint64_t *ret);

/* Or NOT_FOUND. */
int table_get(struct txn *txn, enum table table, struct slice key, struct slice *ret);
int table_put(struct txn *txn, enum table table, struct slice key, struct slice value);
/* The same, faster and denser when the key sorts after all others of the table. */
int table_append(struct txn *txn, enum table table, struct slice key, struct slice value);
int table_delete(struct txn *txn, enum table table, struct slice key); /* or NOT_FOUND */
/* The first entry whose key is not before `key`, and the one that follows; or NOT_FOUND. */
int table_seek(struct txn *txn, enum table table, struct slice key, struct slice *ret_key,
               struct slice *ret_value);
int table_next(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value);
/* Of the whole table; or NOT_FOUND. */
int table_first(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value);
int table_last(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value);

/* ---- of a snapshot of a file that is only read ---- */

/* Renews it to the newest commit; *ret_pages is how many pages the file had then. */
int snapshot_renew_newest(struct txn *snapshot, uint64_t *ret_pages);
/* As table_get(), by a search that begins at the root: a walk over the table stays where it is. */
int table_find(struct txn *txn, enum table table, struct slice key, struct slice *ret);
/* Rows that the table says it has. */
int table_count(struct txn *txn, enum table table, uint64_t *ret);
const char *table_name(enum table table);
/* Tables that are none of ours. */
int snapshot_each_stranger(struct txn *snapshot, void (*each)(void *owner, struct slice name),
                           void *owner);

/* Each page is used by one table or free: of a sound file total = used + free. */
struct page_use {
    uint64_t total, used, free;
    uint64_t damaged; /* entries of free lists that can't be */
};
int snapshot_page_use(struct txn *snapshot, uint64_t n_pages, struct page_use *ret);
/* Writes the newest commit to `fd`, without the pages that are free. */
int store_copy(struct store *store, int fd);

/* Fetches a large value from the disk at once: with MDB_NORDAHEAD each of its pages is a read of
   its own. */
void value_fetch(struct slice value);

#endif
