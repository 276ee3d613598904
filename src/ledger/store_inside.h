/* SPDX-License-Identifier: MIT */
/*
 * What store.c (a controller's own file), store_read.c (any file, to be read alone) and table.c
 * (what is done in either) share.
 *
 * For these three files alone: the only ones that include lmdb.h.
 */
#ifndef REEVE_LEDGER_STORE_INSIDE_H
#define REEVE_LEDGER_STORE_INSIDE_H

#include "ledger/store.h"

#include <lmdb.h>

#ifdef __SANITIZE_THREAD__ /* leaves room for no two of the others */
#define MAP_SIZE ((size_t)1 << 36)
#else
#define MAP_SIZE ((size_t)1 << 40) /* sparse: address space, not disk */
#endif
#define TABLE_ABSENT ((MDB_dbi)-1) /* of a file that is only read: an older program made it */

/* Every environment has these two: its free pages, and its tables. */
#define FREE_DBI   ((MDB_dbi)0)
#define MAIN_DBI   ((MDB_dbi)1)
#define META_PAGES 2u

struct store {
    char *dir;  /* as it was given: it can be opened by this path */
    char *name; /* the same, absolute: for messages */
    int lock_fd;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
};

struct store *store_new(const char *dir); /* named by `dir` until store_find_name() */
void store_find_name(struct store *store);
/* Of a file in its directory; the caller frees it. */
char *store_path(const struct store *store, const char *name);

/* LMDB's own codes in terms of errno. */
int mdb_errno(int rc);
#define MDB_FAULT(rc) FAULT(mdb_errno(rc))

/* OUTCOME_UNAVAILABLE: a damaged ledger, what was found, what to do. */
#define NO_LMDB_FILE "its data.mdb is no file of LMDB" /* MDB_INVALID of opening it */
#define NO_LEDGER    "its data.mdb is of another program, or has lost its first row"
#define NO_TABLE     "a table of it is gone"
int store_damaged(const struct store *store, const char *what, struct refusal *why);
/* 0; OUTCOME_UNAVAILABLE when what stands in its place can't be a ledger; OUTCOME_NOT_FOUND: there
   is none, a new one may be made. */
int store_check_file(const struct store *store, struct refusal *why);
/* Once `meta` is open: 0; OUTCOME_UNAVAILABLE a newer format, or no ledger. */
int store_read_format(const struct store *store, struct txn *txn, uint32_t *ret,
                      struct refusal *why);

/* flags: MDB_CREATE. OUTCOME_NOT_FOUND without it. */
int table_open(struct store *store, struct txn *txn, enum table table, unsigned flags);

#endif
