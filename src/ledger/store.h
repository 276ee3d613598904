/* SPDX-License-Identifier: MIT */
/*
 * The tables on disk: LMDB, and what must hold before it is opened.
 *
 * store.c alone includes lmdb.h. Keys and values are slices; those that are read point into the map
 * and die with the transaction, or with its next write. Everything returns 0, OUTCOME_NOT_FOUND
 * where that is said, or a fault.
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
void store_close(struct store *store); /* accepts NULL */
/* Bytes that the file system has left for this user. */
int store_free_space(struct store *store, uint64_t *ret_bytes);
/* Id of the newest committed transaction. */
uint64_t store_last_txn(struct store *store);
/* Of the oldest that is being read, by any process; without one the newest. */
int store_oldest_txn(struct store *store, uint64_t *ret);
/* Bytes of the file that are in use or were. */
uint64_t store_file_bytes(struct store *store);

int txn_begin(struct store *store, struct txn *ret); /* the one writer's */
/* Durable when it returns 0; else the batch is lost. */
int txn_commit(struct txn *txn);
void txn_abort(struct txn *txn);

/* A snapshot is opened once, idle at first, and renewed for every answer: that costs no system call
   and no lock. */
int snapshot_open(struct store *store, struct txn *ret);
void snapshot_close(struct txn *snapshot);
int snapshot_renew(struct txn *snapshot);
void snapshot_reset(struct txn *snapshot);
uint64_t snapshot_id(const struct txn *snapshot);

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

/* Fetches a large value from the disk at once: with MDB_NORDAHEAD each of its pages is a read of
   its own. */
void value_fetch(struct slice value);

#endif
