/* SPDX-License-Identifier: MIT */
/*
 * The tables are filled first: an empty tree costs less than one of the size that a ledger has.
 */
#include "durable.h"

#include "base/file.h"
#include "base/mem.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define N_FILLED  100000 /* rows */
#define FILL_STEP 1000   /* LMDB keeps the memory of its largest commit, and then fork() is slow */
#define ROW_SIZE  400    /* bytes; what a query leaves in one table */
#define PATH_SIZE 600

static void check(int error, const char *what)
{
    if (error)
        give_up(what, mdb_strerror(error)); /* an errno as well */
}

/* ---- the two ways ---- */

void durable_append(struct durable *durable)
{
    static const char record[ROW_SIZE];

    check(-fd_write_all(durable->log_fd, record, sizeof(record)), "write");
    check(fdatasync(durable->log_fd) < 0 ? errno : 0, "fdatasync");
}

static void put_row(struct durable *durable, MDB_txn *txn)
{
    static char row[ROW_SIZE];
    uint64_t key = durable->next_key++;
    MDB_val mdb_key = {.mv_size = sizeof(key), .mv_data = &key};
    MDB_val value = {.mv_size = sizeof(row), .mv_data = row};

    for (unsigned i = 0; i < DURABLE_TABLES; i++)
        check(mdb_put(txn, durable->tables[i], &mdb_key, &value, MDB_APPEND), "put");
}

void durable_commit(struct durable *durable, unsigned n_rows)
{
    MDB_txn *txn;

    check(mdb_txn_begin(durable->env, NULL, 0, &txn), "begin");
    for (unsigned i = 0; i < n_rows; i++)
        put_row(durable, txn);
    check(mdb_txn_commit(txn), "commit");
}

/* ---- set up, clear away ---- */

static void path_of(const struct durable *durable, const char *name, char ret[PATH_SIZE])
{
    snprintf(ret, PATH_SIZE, "%s/%s", durable->dir, name);
}

static void tables_open(struct durable *durable)
{
    MDB_txn *txn;

    check(mdb_txn_begin(durable->env, NULL, 0, &txn), "begin");
    for (unsigned i = 0; i < DURABLE_TABLES; i++) {
        char name[] = {(char)('a' + i), '\0'};
        check(mdb_dbi_open(txn, name, MDB_CREATE | MDB_INTEGERKEY, &durable->tables[i]), name);
    }
    check(mdb_txn_commit(txn), "commit");
    for (unsigned n = 0; n < N_FILLED; n += FILL_STEP)
        durable_commit(durable, FILL_STEP);
}

void durable_open(struct durable *durable, const char *parent)
{
    char path[PATH_SIZE];

    *durable = (struct durable){.log_fd = -1};
    snprintf(durable->dir, sizeof(durable->dir), "%s/reeve-disk-XXXXXX", parent);
    check(mkdtemp(durable->dir) ? 0 : errno, durable->dir);
    path_of(durable, "log", path);
    durable->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    check(durable->log_fd < 0 ? errno : 0, path);
    check(mdb_env_create(&durable->env), "LMDB");
    check(mdb_env_set_mapsize(durable->env, (size_t)64 << 30), "map size");
    check(mdb_env_set_maxdbs(durable->env, DURABLE_TABLES), "tables");
    check(mdb_env_open(durable->env, durable->dir, MDB_NORDAHEAD, 0600), "LMDB");
    tables_open(durable);
}

void durable_remove(struct durable *durable)
{
    static const char *const names[] = {"log", "data.mdb", "lock.mdb", ""};
    char path[PATH_SIZE];

    close(durable->log_fd);
    mdb_env_close(durable->env);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        path_of(durable, names[i], path);
        remove(path);
    }
}
